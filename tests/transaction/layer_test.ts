import { SipError } from "../../src/sip/mod.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../support/assert.ts";
import { PEER, RecordingTransport } from "../support/flows.ts";
import { LoneLayer, NOTHING, RecordingListener } from "../support/lone_layer.ts";
import {
  asRequest,
  asResponse,
  type MessageParts,
  request,
  requestText,
  responseText,
  viaOf,
} from "../support/messages.ts";

const OLD_VIA = "SIP/2.0/UDP 192.0.2.9:5060";

/** Lets the text arrive. */
function arrives(lone: LoneLayer, text: string): void {
  lone.layer.receive(asRequest(text), lone.flow);
}

/** Whether the request finds a transaction of its own, when an OPTIONS with these parts is being answered. */
function isAbsorbed(known: MessageParts, method: string, parts: MessageParts): boolean {
  const lone = new LoneLayer();
  lone.answers("OPTIONS", known);
  lone.receives(method, parts);
  return lone.passedUp.length === 0;
}

Deno.test("a request belongs to a transaction by branch, sent-by and method, whatever else is in it", () => {
  const known = { vias: [viaOf("z9hG4bKa", "host.example:5080")] };
  assert(isAbsorbed(known, "OPTIONS", { ...known, callId: "other", uri: "sip:other@example.com" }));
  assert(isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKa", "HOST.EXAMPLE:5080")] }));
  assert(!isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKb", "host.example:5080")] }));
  assert(!isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKa", "other.example:5080")] }));
  assert(!isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKa", "host.example:5081")] }));
  assert(!isAbsorbed(known, "MESSAGE", known));
});

Deno.test("a sent-by without a port means 5060", () => {
  const known = { vias: [viaOf("z9hG4bKa", "host.example")] };
  assert(isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKa", "host.example:5060")] }));
  assert(!isAbsorbed(known, "OPTIONS", { vias: [viaOf("z9hG4bKa", "host.example:5061")] }));
});

Deno.test("the same branch from two peers is two transactions, each with its own answer", () => {
  const lone = new LoneLayer({ protocol: "udp" });
  for (const sentBy of ["a.example", "b.example"]) {
    const parts = { vias: [viaOf("z9hG4bKsame", sentBy)] };
    lone.answers("OPTIONS", parts).respond(200, responseText(200, "OPTIONS", parts));
  }
  assertEquals(lone.layer.size, 2);
  lone.receives("OPTIONS", { vias: [viaOf("z9hG4bKsame", "a.example")] });
  assertStringIncludes(lone.flow.sent[2], "a.example");
  lone.clock.advance(32_000);
  assertEquals(lone.left, NOTHING);
});

for (const via of [OLD_VIA, `${OLD_VIA};branch=1.1`, `${OLD_VIA};branch=z9hG4bK`]) {
  const what = via === OLD_VIA ? "no branch" : `the branch ${via.slice(via.indexOf("=") + 1)}`;
  Deno.test(`requests with ${what} are told apart by what RFC 2543 compared`, () => {
    const known = { vias: [via], uri: "sip:a@h", callId: "c", cseq: "1 OPTIONS" };
    assert(isAbsorbed(known, "OPTIONS", { ...known, headers: [["Subject", "again"]] }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, uri: "sip:b@h" }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, callId: "d" }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, cseq: "2 OPTIONS" }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, from: "<sip:a@h>;tag=other" }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, vias: [via.replace(":5060", ":5070")] }));
    assert(!isAbsorbed(known, "OPTIONS", { ...known, vias: [viaOf("z9hG4bKa")] }));
  });
}

Deno.test("an ACK without a proper branch finds its INVITE though only it has a To tag", () => {
  const lone = new LoneLayer();
  lone.answers("INVITE", { vias: [OLD_VIA] }).respond(486, responseText(486, "INVITE"));
  lone.receives("ACK", { vias: [OLD_VIA], to: "<sip:bob@example.com>;tag=callee", cseq: "1 ACK" });
  assertEquals(lone.passedUp, []);
  lone.clock.advance(5_000);
  assertEquals(lone.left, NOTHING);
});

Deno.test("an ACK to a success goes up, with a branch of its own or with the old INVITE's", () => {
  const lone = new LoneLayer();
  lone.answers("INVITE", { vias: [OLD_VIA] }).respond(200, responseText(200, "INVITE"));
  lone.receives("ACK", { vias: [OLD_VIA], to: "<sip:bob@example.com>;tag=callee" });
  lone.receives("ACK", { vias: [viaOf("z9hG4bKnew")] });
  assertEquals(lone.passedUp.length, 2);
  assertEquals(lone.flow.sent.length, 1);
});

Deno.test("an ACK to a failure told without a transaction is absorbed, another one is not", () => {
  const lone = new LoneLayer();
  lone.layer.replyStateless(request("INVITE"), lone.flow, 404);
  const to = asResponse(lone.flow.sent[0]).get("To")!;
  lone.receives("ACK", { to });
  assertEquals([lone.passedUp.length, lone.metrics.retransmissionsAbsorbed], [0, 1]);
  lone.receives("ACK", { to: "<sip:bob@example.com>;tag=callee" });
  assertEquals(lone.passedUp.length, 1);
});

Deno.test("a CANCEL is answered 200 here, its copies get the same, and the INVITE's owner is told once", () => {
  const lone = new LoneLayer();
  let cancels = 0;
  lone.answers("INVITE").onCancel = () => cancels++;
  lone.receives("CANCEL");
  lone.receives("CANCEL");
  assertEquals(lone.flow.headlines, ["200 OK", "200 OK"]);
  assertEquals(lone.flow.sent[0], lone.flow.sent[1]);
  assertEquals(asResponse(lone.flow.sent[0]).cseq, { number: 1, method: "CANCEL" });
  assertEquals([cancels, lone.passedUp.length, lone.layer.underWay], [1, 0, 1]);
});

Deno.test("a CANCEL for an INVITE that has its final response is answered 200 and concerns nobody", () => {
  const lone = new LoneLayer();
  const invite = lone.answers("INVITE");
  let isTold = false;
  invite.onCancel = () => isTold = true;
  invite.respond(486, responseText(486, "INVITE"));
  lone.receives("CANCEL");
  assertEquals(lone.flow.headlines, ["486 Any", "200 OK"]);
  assert(!isTold);
});

Deno.test("the 200 to a CANCEL and a reply of ours to its INVITE have the same To tag", () => {
  const lone = new LoneLayer();
  const invite = request("INVITE");
  const tx = lone.layer.openServer(invite, lone.flow);
  lone.receives("CANCEL");
  tx.respond(487, lone.replies.build(invite, 487));
  const [cancelled, terminated] = lone.flow.sent.map(asResponse);
  assertEquals(cancelled.toTag, terminated.toTag);
});

Deno.test("a CANCEL that fits no INVITE goes up", () => {
  const lone = new LoneLayer();
  lone.answers("INVITE");
  lone.receives("CANCEL", { vias: [viaOf("z9hG4bKother")] });
  lone.receives("CANCEL", { vias: [viaOf("z9hG4bKone", "elsewhere.example")] });
  assertEquals(lone.passedUp.length, 2);
  assertEquals(lone.flow.sent, []);
});

Deno.test("a CANCEL is answered and passed on even when there are too many transactions", () => {
  const lone = new LoneLayer({ maxTransactions: 1 });
  let cancels = 0;
  lone.answers("INVITE").onCancel = () => cancels++;
  lone.receives("CANCEL");
  assertEquals([lone.flow.headlines, cancels, lone.layer.size], [["200 OK"], 1, 1]);
});

for (
  const [what, status, broken] of [
    ["a malformed CSeq", 400, requestText("OPTIONS", { cseq: "x OPTIONS" })],
    ["another method in its CSeq", 400, requestText("OPTIONS", { cseq: "1 BYE" })],
    ["no Call-ID", 400, requestText("OPTIONS").replace(/^Call-ID.*\r\n/m, "")],
    ["a body that is too short", 400, requestText("OPTIONS").replace("Length: 0", "Length: 9")],
    ["an unknown version", 505, requestText("OPTIONS").replace("SIP/2.0\r", "SIP/10.0\r")],
    ["too many bytes", 513, requestText("OPTIONS", { body: "x".repeat(65_536) })],
  ] as const
) {
  Deno.test(`a request with ${what} is answered ${status} without a transaction`, () => {
    const lone = new LoneLayer();
    arrives(lone, broken);
    arrives(lone, broken);
    assertEquals(lone.flow.sent.map((text) => asResponse(text).status), [status, status]);
    assertEquals(lone.flow.sent[0], lone.flow.sent[1]);
    assertEquals([lone.metrics.malformedRequests, lone.passedUp.length], [2, 0]);
    assertEquals(lone.left, NOTHING);
  });
}

Deno.test("a malformed ACK, and any malformed request without a Via, is dropped and counted", () => {
  const lone = new LoneLayer();
  arrives(lone, requestText("ACK", { cseq: "x" }));
  arrives(lone, requestText("OPTIONS", { vias: [] }));
  assertEquals(lone.flow.sent, []);
  assertEquals([lone.metrics.malformedDropped, lone.metrics.malformedRequests], [2, 0]);
  assertEquals(lone.passedUp, []);
});

Deno.test("a malformed response is dropped and counted, even when its branch is known", () => {
  const lone = new LoneLayer();
  const listener = new RecordingListener();
  lone.asks("OPTIONS", listener);
  const broken = responseText(200, "OPTIONS").replace(/^From.*\r\n/m, "");
  lone.layer.receive(asResponse(broken), lone.flow);
  assertEquals(listener.told, []);
  assertEquals(lone.metrics.malformedDropped, 1);
});

Deno.test("a response belongs to a request of ours by branch and method; any other is dropped and counted", () => {
  const lone = new LoneLayer();
  const listener = new RecordingListener();
  lone.asks("INVITE", listener);
  lone.receivesResponse(200, "INVITE", { vias: [viaOf("z9hG4bKother")] });
  lone.receivesResponse(200, "BYE");
  lone.receivesResponse(200, "CANCEL");
  lone.receivesResponse(200, "INVITE", { vias: [OLD_VIA] });
  assertEquals([listener.told, lone.metrics.strayResponses], [[], 4]);
  assertEquals(lone.flow.sent.length, 1);
  lone.receivesResponse(200, "INVITE");
  assertEquals(listener.told, [200]);
});

Deno.test("a request beyond the limit of transactions is refused with 503, and counted", () => {
  const lone = new LoneLayer({ maxTransactions: 2 });
  lone.answers("INVITE");
  lone.asks("OPTIONS", new RecordingListener(), { vias: [viaOf("z9hG4bKours")] });
  const parts = { vias: [viaOf("z9hG4bKlate")] };
  const error = assertThrows(() => lone.answers("INVITE", parts), SipError);
  assertEquals([error.status, error.headers[0][0]], [503, "Retry-After"]);
  assertEquals([lone.metrics.transactionsShed, lone.layer.size, lone.layer.underWay], [1, 2, 1]);
});

Deno.test("there is room again when a transaction ends", () => {
  const lone = new LoneLayer({ protocol: "tcp", maxTransactions: 1 });
  lone.answers("OPTIONS").respond(200, responseText(200, "OPTIONS"));
  lone.answers("OPTIONS");
  assertEquals(lone.metrics.transactionsShed, 0);
});

Deno.test("answers leave by the flow that is found for them, with a transaction and without", () => {
  const elsewhere = new RecordingTransport("udp").connect({ ...PEER, port: 5099 });
  const lone = new LoneLayer({ responseFlow: () => elsewhere });
  const tx = lone.answers("OPTIONS");
  tx.respond(200, "with");
  lone.layer.replyStateless(request("OPTIONS"), lone.flow, 404);
  assertEquals([tx.flow, elsewhere.headlines.length, lone.flow.sent.length], [elsewhere, 2, 0]);
});

Deno.test("a request that no transaction takes goes up with the flow it came by", () => {
  const lone = new LoneLayer();
  lone.receives("OPTIONS");
  assertEquals(lone.passedUp.map(({ flow }) => flow), [lone.flow]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a flow that will not take a request is told at once, and only once", () => {
  for (const method of ["INVITE", "OPTIONS"]) {
    const lone = new LoneLayer();
    const listener = new RecordingListener();
    lone.flow.goDead();
    lone.asks(method, listener);
    assertEquals(listener.told, ["flow-failed"]);
    assertEquals(lone.left, NOTHING);
    lone.clock.advance(60_000);
    assertEquals(listener.told, ["flow-failed"]);
  }
});

Deno.test("branches are new each time, begin with the cookie, and end with what is said of loops", () => {
  const { layer } = new LoneLayer();
  const branches = Array.from({ length: 1_000 }, () => layer.newBranch("loop"));
  assertEquals(new Set(branches).size, 1_000);
  assert(branches.every((branch) => /^z9hG4bK[a-z2-7]{12}\.loop$/.test(branch)));
});

Deno.test("a thousand transactions of every kind leave nothing behind", () => {
  const lone = new LoneLayer({ maxTransactions: 10_000 });
  for (let i = 0; i < 250; i++) {
    const parts = { vias: [viaOf(`z9hG4bK${i}`)] };
    const ours = { vias: [viaOf(`z9hG4bKours${i}`)] };
    lone.answers("INVITE", parts).respond(i % 2 === 0 ? 200 : 486, "INVITE answered");
    lone.receives("CANCEL", parts);
    lone.answers("OPTIONS", parts).respond(200, "OPTIONS answered");
    lone.asks(i % 2 === 0 ? "INVITE" : "MESSAGE", new RecordingListener(), ours);
  }
  assertEquals(lone.layer.size, 1_000);
  lone.clock.advance(32_000);
  assertEquals(lone.left, NOTHING);
  assertEquals(lone.errors, []);
});
