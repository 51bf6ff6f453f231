import type { Protocol } from "../../src/sip/mod.ts";
import type { ServerTransaction } from "../../src/transaction/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { LoneLayer, NOTHING } from "../support/lone_layer.ts";
import { responseText } from "../support/messages.ts";

/** A BYE that has come over `protocol` and is being answered. */
function asked(protocol: Protocol = "udp"): LoneLayer & { tx: ServerTransaction } {
  const lone = new LoneLayer({ protocol });
  return Object.assign(lone, { tx: lone.answers("BYE") });
}

const answer = (status: number) => responseText(status, "BYE");

Deno.test("copies of a request are absorbed in silence as long as there is no response", () => {
  const lone = asked();
  lone.receives("BYE");
  lone.receives("BYE");
  assertEquals(lone.flow.sent, []);
  assertEquals(lone.passedUp, []);
  assertEquals(lone.metrics.retransmissionsAbsorbed, 2);
});

for (const protocol of ["udp", "tcp"] as const) {
  Deno.test(`over ${protocol} a request nobody answers gets a 100 after 3.5 s, and never a 408`, () => {
    const lone = asked(protocol);
    lone.clock.advance(3_490);
    assertEquals(lone.flow.sent, []);
    lone.clock.advance(10);
    assertEquals(lone.flow.headlines, ["100 Trying"]);
    assert(!/^To:.*;tag=/m.test(lone.flow.sent[0]));
    lone.clock.advance(600_000);
    assertEquals(lone.flow.sent.length, 1);
  });
}

Deno.test("copies of a request get its provisional response again", () => {
  const lone = asked();
  lone.clock.advance(3_500);
  lone.receives("BYE");
  assertEquals(lone.flow.headlines, ["100 Trying", "100 Trying"]);
  assertEquals(lone.metrics.retransmissionsSent, 1);
});

Deno.test("there is no 100 of our own after a response of any kind", () => {
  for (const status of [100, 200, 404]) {
    const { clock, flow, tx } = asked();
    tx.respond(status, answer(status));
    clock.advance(60_000);
    assertEquals(flow.sent, [answer(status)]);
  }
});

Deno.test("over udp copies of an answered request get the same answer again until timer J", () => {
  const lone = asked();
  lone.tx.respond(100, answer(100));
  lone.tx.respond(200, answer(200));
  lone.clock.advance(31_990);
  lone.receives("BYE");
  assertEquals(lone.flow.sent, [answer(100), answer(200), answer(200)]);
  assertEquals(lone.passedUp, []);
  assertEquals(lone.left, [1, 1, 0]);
  lone.clock.advance(10);
  assertEquals(lone.left, NOTHING);
  lone.receives("BYE");
  assertEquals(lone.passedUp.length, 1);
});

Deno.test("over a reliable protocol the answer ends the transaction at once", () => {
  const lone = asked("wss");
  lone.tx.respond(200, answer(200));
  assertEquals(lone.left, NOTHING);
  assert(lone.tx.isAnswered);
});

Deno.test("after a final response nothing more is sent", () => {
  for (const protocol of ["udp", "tcp"] as const) {
    const { flow, tx } = asked(protocol);
    tx.respond(404, answer(404));
    tx.respond(100, answer(100));
    tx.respond(200, answer(200));
    tx.abandon();
    assertEquals(flow.headlines, ["404 Any"]);
  }
});

Deno.test("an abandoned request ends without a final response, absorbs copies for a while, and is gone", () => {
  const lone = asked();
  lone.clock.advance(3_500);
  lone.tx.abandon();
  lone.tx.abandon();
  lone.tx.respond(408, answer(408));
  assertEquals(lone.layer.underWay, 0);
  lone.clock.advance(31_990);
  lone.receives("BYE");
  assertEquals(lone.flow.headlines, ["100 Trying", "100 Trying"]);
  assertEquals(lone.passedUp, []);
  lone.clock.advance(10);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a response that cannot be sent is kept for copies", () => {
  const lone = asked();
  lone.flow.goDead();
  lone.tx.respond(200, answer(200));
  lone.receives("BYE");
  assertEquals(lone.passedUp, []);
  lone.clock.advance(32_000);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a request counts as under way until its final response", () => {
  const { layer, tx } = asked("tcp");
  tx.respond(100, answer(100));
  assertEquals([layer.underWay, tx.isAnswered], [1, false]);
  tx.respond(200, answer(200));
  assertEquals([layer.underWay, tx.isAnswered], [0, true]);
});

Deno.test("a CANCEL does nothing to a request that is no INVITE but get its own answer", () => {
  const lone = asked();
  let isTold = false;
  lone.tx.onCancel = () => isTold = true;
  lone.receives("CANCEL");
  assert(!isTold);
  assertEquals(lone.passedUp, []);
  assertEquals(lone.flow.headlines, ["200 OK"]);
});
