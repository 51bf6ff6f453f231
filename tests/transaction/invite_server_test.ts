import type { Protocol } from "../../src/sip/mod.ts";
import type { ServerTransaction } from "../../src/transaction/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { LoneLayer, NOTHING } from "../support/lone_layer.ts";
import { responseText } from "../support/messages.ts";

/** An INVITE that has come over `protocol` and is being answered. */
function invited(protocol: Protocol = "udp"): LoneLayer & { tx: ServerTransaction } {
  const lone = new LoneLayer({ protocol });
  return Object.assign(lone, { tx: lone.answers("INVITE") });
}

const answer = (status: number) => responseText(status, "INVITE");

Deno.test("an INVITE nobody answers gets a 100 after 200 ms, without a To tag", () => {
  const { clock, flow } = invited();
  clock.advance(190);
  assertEquals(flow.sent, []);
  clock.advance(10);
  assertEquals(flow.headlines, ["100 Trying"]);
  assert(!/^To:.*;tag=/m.test(flow.sent[0]));
});

Deno.test("there is no 100 when a provisional or final response was given in time", () => {
  for (const status of [180, 200, 486]) {
    const { clock, flow, tx } = invited("tcp");
    clock.advance(190);
    tx.respond(status, answer(status));
    clock.advance(10_000);
    assertEquals(flow.sent, [answer(status)]);
  }
});

Deno.test("an INVITE that is being answered waits for as long as it takes", () => {
  const { clock, left, tx, layer } = invited();
  tx.respond(180, answer(180));
  clock.advance(600_000);
  assertEquals([layer.size, layer.underWay], [1, 1]);
  assertEquals(left[0], 1);
});

Deno.test("copies of an INVITE get the latest provisional response again, and nothing before there is one", () => {
  const lone = invited();
  const { tx, flow, metrics, passedUp } = lone;
  lone.receives("INVITE");
  assertEquals(flow.sent, []);
  tx.respond(100, answer(100));
  tx.respond(180, answer(180));
  lone.receives("INVITE");
  lone.receives("INVITE");
  assertEquals(flow.headlines, ["100 Any", "180 Any", "180 Any", "180 Any"]);
  assertEquals([metrics.retransmissionsAbsorbed, metrics.retransmissionsSent], [3, 2]);
  assertEquals(passedUp, []);
});

Deno.test("the 100 of our own is repeated for copies like any other", () => {
  const lone = invited();
  lone.clock.advance(200);
  lone.receives("INVITE");
  assertEquals(lone.flow.headlines, ["100 Trying", "100 Trying"]);
  assertEquals(lone.flow.sent[0], lone.flow.sent[1]);
});

Deno.test("over udp a failure is repeated at T1, doubling up to T2, until timer H", () => {
  const lone = invited();
  const { clock, flow, tx, metrics } = lone;
  tx.respond(486, answer(486));
  clock.advance(31_990);
  assertEquals(
    flow.times,
    [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  assertEquals(metrics.retransmissionsSent, 10);
  assertEquals(lone.left, [1, 1, 0]);
  clock.advance(10);
  assertEquals(lone.left, NOTHING);
  clock.advance(60_000);
  assertEquals(flow.sent.length, 11);
});

Deno.test("over a reliable protocol a failure is sent once, and timer H still runs", () => {
  const lone = invited("tcp");
  lone.tx.respond(486, answer(486));
  lone.clock.advance(31_990);
  assertEquals([lone.flow.sent.length, lone.layer.size], [1, 1]);
  lone.clock.advance(10);
  assertEquals(lone.left, NOTHING);
});

Deno.test("copies of an INVITE get the failure again", () => {
  const lone = invited("tcp");
  lone.tx.respond(404, answer(404));
  lone.receives("INVITE");
  assertEquals(lone.flow.sent, [answer(404), answer(404)]);
});

Deno.test("over udp an ACK stops the repeats, and timer I ends the transaction", () => {
  const lone = invited();
  const { clock, flow, tx } = lone;
  tx.respond(486, answer(486));
  clock.advance(700);
  lone.receives("ACK");
  clock.advance(4_990);
  assertEquals(flow.times, [0, 500]);
  assertEquals(lone.left, [1, 1, 0]);
  clock.advance(10);
  assertEquals(lone.left, NOTHING);
});

Deno.test("over a reliable protocol the ACK ends the transaction at once", () => {
  const lone = invited("tls");
  lone.tx.respond(486, answer(486));
  lone.receives("ACK");
  assertEquals(lone.left, NOTHING);
});

Deno.test("an ACK to a failure is absorbed, and so are its copies and late INVITEs", () => {
  const lone = invited();
  lone.tx.respond(486, answer(486));
  lone.receives("ACK");
  lone.receives("ACK");
  lone.receives("INVITE");
  assertEquals(lone.passedUp, []);
  assertEquals(lone.flow.sent.length, 1);
});

Deno.test("an ACK that comes before any final response is absorbed and changes nothing", () => {
  const lone = invited();
  lone.tx.respond(180, answer(180));
  lone.receives("ACK");
  assertEquals(lone.passedUp, []);
  lone.tx.respond(200, answer(200));
  assertEquals(lone.flow.headlines, ["180 Any", "200 Any"]);
});

for (const protocol of ["udp", "tcp"] as const) {
  Deno.test(`over ${protocol} a success keeps the transaction for timer L, and is never repeated by it`, () => {
    const lone = invited(protocol);
    lone.tx.respond(200, answer(200));
    lone.clock.advance(31_990);
    assertEquals(lone.left, [1, 1, 0]);
    lone.clock.advance(10);
    assertEquals(lone.left, NOTHING);
    assertEquals(lone.flow.sent.length, 1);
  });
}

Deno.test("after a success copies of the INVITE are absorbed without an answer", () => {
  const lone = invited();
  lone.tx.respond(200, answer(200));
  lone.receives("INVITE");
  assertEquals(lone.passedUp, []);
  assertEquals(lone.flow.sent.length, 1);
  assertEquals(lone.metrics.retransmissionsAbsorbed, 1);
});

Deno.test("after a success every further 2xx is sent, and nothing else", () => {
  const { flow, tx } = invited();
  tx.respond(200, answer(200));
  tx.respond(200, answer(200));
  tx.respond(202, answer(202));
  tx.respond(180, answer(180));
  tx.respond(486, answer(486));
  assertEquals(flow.headlines, ["200 Any", "200 Any", "202 Any"]);
});

Deno.test("an ACK with the branch of an INVITE that succeeded goes up, each time", () => {
  const lone = invited();
  lone.tx.respond(200, answer(200));
  lone.receives("ACK");
  lone.receives("ACK");
  assertEquals(lone.passedUp.map(({ request }) => request.method), ["ACK", "ACK"]);
  assertEquals(lone.metrics.retransmissionsAbsorbed, 0);
});

Deno.test("after a failure, and after the end, nothing more is sent", () => {
  const { clock, flow, tx } = invited("tcp");
  tx.respond(486, answer(486));
  tx.respond(180, answer(180));
  tx.respond(200, answer(200));
  clock.advance(32_000);
  tx.respond(200, answer(200));
  assertEquals(flow.headlines, ["486 Any"]);
});

Deno.test("a response that cannot be sent changes nothing: the caller may ask again", () => {
  const lone = invited();
  lone.flow.goDead();
  lone.tx.respond(200, answer(200));
  lone.receives("INVITE");
  assertEquals(lone.passedUp, []);
  assertEquals(lone.layer.size, 1);
  lone.clock.advance(32_000);
  assertEquals(lone.left, NOTHING);
});

Deno.test("an INVITE counts as under way until its final response", () => {
  for (const status of [200, 486]) {
    const { layer, tx } = invited();
    tx.respond(180, answer(180));
    assertEquals([layer.underWay, tx.isAnswered], [1, false]);
    tx.respond(status, answer(status));
    assertEquals([layer.underWay, tx.isAnswered], [0, true]);
  }
});

Deno.test("an INVITE cannot be abandoned", () => {
  const { layer, tx } = invited();
  tx.abandon();
  assertEquals([layer.size, layer.underWay], [1, 1]);
});

Deno.test("a CANCEL is told once, and only while there is no final response", () => {
  const lone = invited();
  const cancels: string[] = [];
  lone.tx.onCancel = (cancel) => cancels.push(cancel.method);
  lone.receives("CANCEL");
  lone.receives("CANCEL");
  assertEquals(cancels, ["CANCEL"]);

  const answered = invited();
  answered.tx.onCancel = (cancel) => cancels.push(cancel.method);
  answered.tx.respond(200, answer(200));
  answered.receives("CANCEL");
  assertEquals(cancels, ["CANCEL"]);
});

Deno.test("a CANCEL that comes before anybody listens for it is told as soon as somebody does", () => {
  const lone = invited();
  const reasons: (string | undefined)[] = [];
  lone.receives("CANCEL", { headers: [["Reason", "SIP;cause=200"]] });
  lone.tx.onCancel = (cancel) => reasons.push(cancel.get("Reason"));
  lone.tx.onCancel = (cancel) => reasons.push(cancel.get("Reason"));
  assertEquals(reasons, ["SIP;cause=200"]);
});

Deno.test("a CANCEL nobody listened for is forgotten with the final response", () => {
  const lone = invited();
  let isTold = false;
  lone.receives("CANCEL");
  lone.tx.respond(486, answer(486));
  lone.tx.onCancel = () => isTold = true;
  assert(!isTold);
});
