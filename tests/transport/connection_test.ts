import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Connection, type ConnectionHost, type Wire } from "../../src/transport/connection.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PEER, RecordingTransport } from "../support/flows.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A connection that is told what to hear. */
class Heard extends Connection {
  hear(isWhole: boolean): void {
    this.heard(isWhole);
  }

  ping(): void {
    this.pong("\r\n");
  }
}

/** A wire that keeps what it is given, and writes each only when it is told to. */
class SlowWire implements Wire {
  readonly writes: (readonly string[])[] = [];
  closed = 0;
  #write = Promise.withResolvers<void>();

  write(texts: readonly string[]): Promise<void> {
    this.writes.push([...texts]);
    this.#write = Promise.withResolvers();
    return this.#write.promise;
  }

  async done(): Promise<void> {
    this.#write.resolve();
    await turn();
  }

  async fails(): Promise<void> {
    this.#write.reject(new Error("Connection reset by peer"));
    await turn();
  }

  close(): void {
    this.closed++;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** One connection on a clock that is turned by hand, with times of 1, 10 and 100 s and room for 100 bytes. */
function connected({ isDialed = false } = {}) {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const wheel = new TimerWheel({ clock, onError });
  const metrics = new Metrics();
  const ends: string[] = [];
  const host: ConnectionHost = Object.assign(new RecordingTransport("tcp"), {
    wheel,
    metrics,
    onError,
    options: { firstByte: 1_000, wholeMessage: 10_000, idle: 100_000, writeQueue: 100 },
    ended: (_: Connection, reason: string) => {
      ends.push(reason);
    },
  });
  const wire = new SlowWire();
  const flow = new Heard(host, wire, PEER, 7, isDialed);
  const told: boolean[] = [];
  flow.watch({ flowClosed: () => told.push(flow.isGone) });
  return { clock, wheel, metrics, wire, flow, told, ends, errors };
}

Deno.test("a peer that connects and says nothing is closed, and counted", () => {
  const { clock, flow, ends, told, wire, metrics } = connected();
  clock.advance(990);
  assert(!flow.isGone);
  clock.advance(20);
  assert(flow.isGone);
  assertEquals([ends, told, wire.closed], [["first byte"], [true], 1]);
  assertEquals(metrics.snapshot(), { connectionsSilent: 1 });
});

Deno.test("a peer we have connected to need not say anything before it is idle", () => {
  const { clock, flow, ends } = connected({ isDialed: true });
  assert(!flow.isAccepted);
  clock.advance(99_900);
  assertEquals(ends, []);
  clock.advance(200);
  assertEquals(ends, ["idle"]);
});

Deno.test("a message that takes too long ends the connection, however often bytes of it come", () => {
  const { clock, flow, ends, metrics } = connected();
  clock.advance(500);
  for (let i = 0; i < 10; i++) {
    flow.hear(false);
    assertEquals(ends, []);
    clock.advance(1_000);
  }
  clock.advance(20);
  assertEquals(ends, ["slow message"]);
  assertEquals(metrics.snapshot(), { connectionsSlow: 1 });
});

Deno.test("each message has its time from its own first byte", () => {
  const { clock, flow, ends } = connected();
  for (let i = 0; i < 10; i++) {
    flow.hear(false);
    clock.advance(9_000);
    flow.hear(true);
    clock.advance(50_000);
  }
  assertEquals(ends, []);
});

Deno.test("who keeps its pace is never idle, and who stops is, counted from the last it said", () => {
  const { clock, flow, ends, metrics } = connected();
  for (let i = 0; i < 10; i++) {
    flow.hear(true);
    clock.advance(95_000);
  }
  assertEquals(ends, []);
  clock.advance(4_900);
  assertEquals(ends, []);
  clock.advance(200);
  assertEquals(ends, ["idle"]);
  assertEquals(metrics.snapshot(), { connectionsIdle: 1 });
});

Deno.test("what is sent in one turn leaves together, and what is sent meanwhile leaves next", async () => {
  const { flow, wire, metrics } = connected();
  flow.send("one");
  flow.send("two");
  assertEquals(wire.writes, []);
  await turn();
  flow.send("three");
  flow.ping();
  await turn();
  assertEquals([wire.writes, flow.waiting], [[["one", "two"]], 13]);
  await wire.done();
  assertEquals([wire.writes, flow.waiting], [[["one", "two"], ["three", "\r\n"]], 7]);
  await wire.done();
  assertEquals(flow.waiting, 0);
  assertEquals(metrics.snapshot(), { messagesSent: 3, keepAlivesAnswered: 1 });
});

Deno.test("a peer that does not read is closed when no more may wait, and told of after the send", async () => {
  const { flow, wire, told, ends, metrics } = connected();
  assert(flow.send("x".repeat(60)));
  await turn();
  assert(flow.send("x".repeat(40)));
  await turn();
  assert(!flow.send("x"));
  flow.ping();
  assertEquals(told, []);
  await turn();
  assertEquals([told, ends, wire.closed], [[true], ["write queue"], 1]);
  await wire.fails();
  assert(!flow.send("x"));
  flow.ping();
  await turn();
  assertEquals([told.length, ends.length, wire.closed, wire.writes.length], [1, 1, 1, 1]);
  assertEquals(metrics.snapshot(), { messagesSent: 2, sendsFailed: 2, connectionsFull: 1 });
});

Deno.test("a peer is not blamed for what falls due to it in one turn, up to eight times what may wait", async () => {
  const { flow, wire, metrics } = connected();
  for (let i = 0; i < 8; i++) assert(flow.send("x".repeat(100)));
  await turn();
  await wire.done();
  assertEquals([flow.isGone, flow.waiting], [false, 0]);
  for (let i = 0; i < 8; i++) assert(flow.send("x".repeat(100)));
  assert(!flow.send("x"));
  await turn();
  assertEquals(metrics.connectionsFull, 1);
});

Deno.test("what was given is written before a connection ends, and nothing more is taken", async () => {
  const { flow, wire, told, ends } = connected();
  flow.send("one");
  await turn();
  flow.send("two");
  flow.closeWhenWritten("stopping");
  flow.closeWhenWritten("peer");
  assert(!flow.send("three"));
  assert(flow.isEnding);
  await wire.done();
  assertEquals([wire.writes, told], [[["one"], ["two"]], []]);
  await wire.done();
  assertEquals([told, ends, wire.closed], [[true], ["stopping"], 1]);
});

Deno.test("a connection with nothing to write ends at once", () => {
  const { flow, told, wheel } = connected();
  flow.closeWhenWritten("stopping");
  assertEquals([told, wheel.size], [[true], 0]);
});

Deno.test("who does not take its last messages is closed all the same, whatever it says meanwhile", async () => {
  const { clock, flow, ends } = connected();
  flow.send("last");
  await turn();
  flow.closeWhenWritten("stopping");
  for (let i = 0; i < 9; i++) {
    flow.hear(true);
    flow.hear(false);
    clock.advance(1_000);
  }
  assertEquals(ends, []);
  clock.advance(1_020);
  assertEquals(ends, ["stopping"]);
});

Deno.test("a write that fails is the end, told once", async () => {
  const { flow, wire, told, ends } = connected();
  flow.send("one");
  await turn();
  await wire.fails();
  flow.close("idle");
  assertEquals([told, ends, wire.closed], [[true], ["peer"], 1]);
});

Deno.test("everyone who watches is told, also behind one who throws, and who has gone is not", () => {
  const { flow, told, errors } = connected();
  const failure = new Error("no");
  const gone = { flowClosed: () => told.push(false) };
  flow.watch({
    flowClosed: () => {
      throw failure;
    },
  });
  flow.watch(gone);
  flow.unwatch(gone);
  flow.watch({ flowClosed: () => told.push(true) });
  flow.close("peer");
  assertEquals([told, errors], [[true, true], [failure]]);
});

Deno.test("a peer whose answers do not leave is not read until they do", async () => {
  const { flow, wire } = connected();
  flow.send("x".repeat(50));
  assertEquals(flow.caughtUp(), undefined);
  flow.send("x");
  let isOver = false;
  const caughtUp = flow.caughtUp()!.then(() => isOver = true);
  await turn();
  assert(!isOver);
  await wire.done();
  assert(isOver);
  await caughtUp;
});

Deno.test("who waits for answers to leave is let go when the connection ends", async () => {
  const { flow } = connected();
  flow.send("x".repeat(60));
  const caughtUp = flow.caughtUp();
  flow.close("idle");
  await caughtUp;
  assertEquals(flow.caughtUp(), undefined);
});
