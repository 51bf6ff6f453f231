import type { Protocol } from "../../src/sip/mod.ts";
import type { ClientTransaction } from "../../src/transaction/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { LoneLayer, NOTHING, RecordingListener } from "../support/lone_layer.ts";

/** A MESSAGE of ours, sent to the peer over `protocol`, and what is told of it. */
function asking(protocol: Protocol = "udp") {
  const lone = new LoneLayer({ protocol });
  const listener = new RecordingListener();
  const tx: ClientTransaction = lone.asks("MESSAGE", listener);
  return Object.assign(lone, { listener, tx });
}

Deno.test("over udp a request is repeated at T1, doubling up to T2, until timer F, which is a timeout", () => {
  const lone = asking();
  lone.clock.advance(31_990);
  assertEquals(
    lone.flow.times,
    [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout"]);
  assertEquals([lone.metrics.retransmissionsSent, lone.metrics.timeouts], [10, 1]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("over a reliable protocol a request is sent once, and timer F still runs", () => {
  const lone = asking("ws");
  lone.clock.advance(31_990);
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout"]);
  assertEquals(lone.flow.sent.length, 1);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a provisional response is told, and slows the repeats down to T2", () => {
  const lone = asking();
  lone.clock.advance(600);
  lone.receivesResponse(100, "MESSAGE");
  lone.clock.advance(31_390);
  assertEquals(lone.flow.times, [0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500]);
  assertEquals(lone.listener.provisionals, [100]);
});

for (const protocol of ["udp", "tcp"] as const) {
  Deno.test(`over ${protocol} a provisional response does not put timer F off`, () => {
    const lone = asking(protocol);
    lone.clock.advance(31_000);
    lone.receivesResponse(100, "MESSAGE");
    lone.clock.advance(990);
    assertEquals(lone.listener.told, []);
    lone.clock.advance(10);
    assertEquals(lone.listener.told, ["timeout after an answer"]);
    assertEquals(lone.left, NOTHING);
  });
}

Deno.test("over udp any final response ends it, and copies are absorbed until timer K", () => {
  for (const status of [200, 302, 404, 503, 600]) {
    const lone = asking();
    lone.receivesResponse(100, "MESSAGE");
    lone.receivesResponse(status, "MESSAGE");
    assertEquals(lone.listener.told, [status]);
    lone.clock.advance(4_990);
    lone.receivesResponse(status, "MESSAGE");
    lone.receivesResponse(100, "MESSAGE");
    assertEquals([lone.listener.told, lone.listener.provisionals], [[status], [100]]);
    assertEquals(lone.left, [1, 1, 0]);
    lone.clock.advance(10);
    assertEquals(lone.left, NOTHING);
    assertEquals(lone.flow.sent.length, 1);
  }
});

Deno.test("over a reliable protocol a final response ends it at once", () => {
  const lone = asking("tcp");
  lone.receivesResponse(200, "MESSAGE");
  assertEquals(lone.listener.told, [200]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a second success is no news", () => {
  const lone = asking();
  lone.receivesResponse(200, "MESSAGE");
  lone.receivesResponse(200, "MESSAGE", { to: "<sip:bob@example.com>;tag=other" });
  assertEquals([lone.listener.told, lone.listener.furtherTags], [[200], []]);
});

for (const statuses of [[], [100]]) {
  const when = statuses.length === 0 ? "before any response" : "after a provisional response";
  Deno.test(`a flow that is lost ${when} is an outcome, told once and in the same turn`, () => {
    const lone = asking("tcp");
    for (const status of statuses) lone.receivesResponse(status, "MESSAGE");
    lone.flow.close();
    assertEquals(lone.listener.told, ["flow-failed"]);
    assertEquals(lone.left, NOTHING);
    lone.clock.advance(60_000);
    lone.receivesResponse(200, "MESSAGE");
    assertEquals(lone.listener.told, ["flow-failed"]);
  });
}

Deno.test("a flow that is lost after the final response concerns nobody", () => {
  const lone = asking();
  lone.receivesResponse(200, "MESSAGE");
  lone.flow.close();
  lone.clock.advance(5_000);
  assertEquals(lone.listener.told, [200]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a flow that takes no repeat any more is an outcome", () => {
  const lone = asking();
  lone.flow.goDead();
  lone.clock.advance(500);
  assertEquals(lone.listener.told, ["flow-failed"]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a request that is no INVITE is never cancelled", () => {
  const lone = asking();
  lone.receivesResponse(100, "MESSAGE");
  lone.tx.cancel();
  assertEquals(lone.flow.sent.length, 1);
});
