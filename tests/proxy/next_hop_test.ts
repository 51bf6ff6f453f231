import { nextHop } from "../../src/proxy/next_hop.ts";
import { MalformedError, RequestDraft } from "../../src/sip/mod.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { request } from "../support/messages.ts";

function draftWith(...routes: string[]): RequestDraft {
  const headers = routes.map((route) => ["Route", route] as const);
  return new RequestDraft(request("INVITE", { uri: "sip:bob@198.51.100.2", headers }));
}

Deno.test("without a Route a request goes where its Request-URI leads", () => {
  assertEquals(String(nextHop(draftWith())), "sip:bob@198.51.100.2");
});

Deno.test("a request goes to its first Route, and both Route and Request-URI stay", () => {
  const draft = draftWith("<sip:p1.example.net;lr>, <sip:p2.example.net;lr>");
  const before = draft.toString();
  assertEquals(String(nextHop(draft)), "sip:p1.example.net;lr");
  assertEquals(draft.toString(), before);
});

Deno.test("for a strict router the Request-URI goes to the end of the Route, and its own in its place", () => {
  const draft = draftWith("P One <sip:p1.example.net;x=1>;y", "<sip:p2.example.net;lr>");
  assertEquals(String(nextHop(draft)), "sip:p1.example.net;x=1");
  assertEquals(String(draft.uri), "sip:p1.example.net;x=1");
  assertEquals(draft.all("Route"), ["<sip:p2.example.net;lr>", "<sip:bob@198.51.100.2>"]);
});

Deno.test("the only Route being a strict router's, the Request-URI takes its place", () => {
  const draft = draftWith("<sip:p1.example.net>");
  assertEquals(String(nextHop(draft)), "sip:p1.example.net");
  assertEquals(draft.all("Route"), ["<sip:bob@198.51.100.2>"]);
});

Deno.test("a lr parameter with a value is one as well", () => {
  assertEquals(String(nextHop(draftWith("<sip:p1.example.net;lr=on>"))), "sip:p1.example.net;lr=on");
});

Deno.test("a Route that is no address is malformed", () => {
  for (const route of ["<sip:p1", "<nothing>", "<sip:p1:0;lr>"]) {
    assertThrows(() => nextHop(draftWith(route)), MalformedError);
  }
});

Deno.test("a request that is to be secure goes securely to its Route as well", () => {
  const draft = draftWith("<sip:p1.example.net:5070;lr>");
  draft.uri = "sips:bob@example.com";
  assertEquals(String(nextHop(draft)), "sips:p1.example.net:5070;lr");
  assertEquals(draft.all("Route"), ["<sip:p1.example.net:5070;lr>"]);
  const secure = draftWith("<sips:p1.example.net;lr>");
  secure.uri = "sips:bob@example.com";
  assertEquals(String(nextHop(secure)), "sips:p1.example.net;lr");
});
