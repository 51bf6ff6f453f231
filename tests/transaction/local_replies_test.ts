import { Tokens } from "../../src/lib/token.ts";
import { LocalReplies } from "../../src/transaction/mod.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { asResponse, type MessageParts, request, requestText, viaOf } from "../support/messages.ts";
import { parseText, type SipRequest } from "../../src/sip/mod.ts";

const replies = new LocalReplies(new Tokens(), "sluice");

function tagFor(parts: MessageParts): string {
  return asResponse(replies.build(request("OPTIONS", parts), 404)).toTag!;
}

Deno.test("replies to copies of a request are the same, tag and all", () => {
  assertEquals(replies.build(request("OPTIONS"), 404), replies.build(request("OPTIONS"), 404));
});

Deno.test("the tags of replies to different requests differ, and are known as ours", () => {
  const tags = Array.from({ length: 1_000 }, (_, i) => tagFor({ vias: [viaOf(`z9hG4bK${i}`)] }));
  assertEquals(new Set(tags).size, 1_000);
  assert(tags.every((tag) => replies.isOurTag(tag)));
  assert(!replies.isOurTag("callee"));
  assert(!replies.isOurTag(""));
});

Deno.test("two processes give different tags to the same request", () => {
  const other = new LocalReplies(new Tokens(), "");
  const tag = asResponse(other.build(request("OPTIONS"), 404)).toTag!;
  assertNotEquals(tag, tagFor({}));
  assert(!replies.isOurTag(tag));
});

Deno.test("requests without a proper branch get their tag by Call-ID", () => {
  const vias = ["SIP/2.0/UDP 192.0.2.9"];
  assertEquals(tagFor({ vias, callId: "a" }), tagFor({ vias, callId: "a" }));
  assertNotEquals(tagFor({ vias, callId: "a" }), tagFor({ vias, callId: "b" }));
});

Deno.test("a tag that is there stays, and a 100 gets none", () => {
  const inDialog = { to: "<sip:bob@example.com>;tag=there" };
  assertEquals(asResponse(replies.build(request("BYE", inDialog), 481)).toTag, "there");
  assertEquals(asResponse(replies.build(request("INVITE"), 100)).toTag, undefined);
});

Deno.test("replies have the server's name, headers that are asked for, and the reason that is given", () => {
  const reply = asResponse(replies.build(request("OPTIONS"), 420, [["Unsupported", "x"]], "No x Here"));
  assertEquals([reply.get("Server"), reply.get("Unsupported"), reply.reason], ["sluice", "x", "No x Here"]);
  const nameless = new LocalReplies(new Tokens(), "");
  assert(!asResponse(nameless.build(request("OPTIONS"), 200)).has("Server"));
});

Deno.test("a request that cannot be read is replied to with what there is of it", () => {
  const broken = requestText("OPTIONS", { vias: ["nonsense"] }).replace(/^Call-ID.*\r\n/m, "");
  const reply = replies.build(parseText(broken) as SipRequest, 400);
  assert(reply.startsWith("SIP/2.0 400 Bad Request\r\nVia: nonsense\r\n"));
  assert(!reply.includes("Call-ID"));
});
