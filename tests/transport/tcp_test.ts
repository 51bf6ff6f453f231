import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { type Logger, silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { buildReply, requestFault, SipRequest } from "../../src/sip/mod.ts";
import type { Connection } from "../../src/transport/connection.ts";
import { ConnectionLimits } from "../../src/transport/connection_limits.ts";
import { type Flow, FlowError, type SocketAddress } from "../../src/transport/flow.ts";
import { Arrival, FlowIds } from "../../src/transport/mod.ts";
import type { StreamParts } from "../../src/transport/stream_transport.ts";
import { type TcpOptions, TcpTransport } from "../../src/transport/tcp.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "../support/assert.ts";
import { headline, requestText, responseText } from "../support/messages.ts";
import { type Arrived, hasIpv6, inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** Times of 1, 10 and 100 s. */
const OPTIONS: TcpOptions = {
  firstByte: 1_000,
  wholeMessage: 10_000,
  idle: 100_000,
  writeQueue: 1 << 20,
  connect: 3_000,
  handshake: 3_000,
  messageBytes: 65_536,
};

/** What is different from the usual about a listener. */
interface HostWith extends Partial<TcpOptions> {
  readonly address?: string;
  readonly total?: number;
  readonly perAddress?: number;
}

/** A TCP listener on a clock that is turned by hand, and what arrives there; faulty requests are answered. */
class TcpHost {
  readonly metrics = new Metrics();
  readonly clock = new VirtualClock();
  readonly parts: StreamParts;
  readonly transport: TcpTransport;
  readonly limits: ConnectionLimits;
  readonly errors: unknown[] = [];
  /** Warnings, without the place they are about. */
  readonly logged: string[] = [];
  /** Called with each message as it arrives. */
  onArrival: (arrived: Arrived) => void = () => {};
  readonly #wheel: TimerWheel;
  readonly #arrived: Arrived[] = [];
  #wake: () => void = () => {};

  constructor({ address = "127.0.0.1", total = 1_000, perAddress = 1_000, ...options }: HostWith = {}) {
    const { metrics, clock } = this;
    const onError = (error: unknown) => this.errors.push(error);
    const wheel = this.#wheel = new TimerWheel({ clock, onError });
    const limits = this.limits = new ConnectionLimits({ total, perAddress });
    const arrival = new Arrival({
      metrics,
      limits: { bytes: 65_536, headers: 100 },
      forceRport: false,
      receive: (message, flow) => {
        const arrived = { text: message.text, flow };
        this.onArrival(arrived);
        const fault = message instanceof SipRequest ? requestFault(message) : undefined;
        if (fault !== undefined) {
          flow.send(buildReply(message as SipRequest, fault.status, { reason: fault.reason }));
        }
        this.#arrived.push(arrived);
        this.#wake();
      },
    });
    const warn: Logger["warn"] = (event, fields) => this.logged.push(`${event} reason=${fields?.reason}`);
    this.parts = {
      wheel,
      metrics,
      arrival,
      log: { ...silentLogger, warn },
      flowIds: new FlowIds(),
      byId: new Map(),
      limits,
      onError,
    };
    const at = { address, port: 0 };
    this.transport = new TcpTransport(this.parts, at, { ...OPTIONS, ...options });
  }

  get local(): SocketAddress {
    return this.transport.local;
  }

  /** The next message that arrives. */
  async receive(): Promise<Arrived> {
    await this.until(() => this.#arrived.length > 0);
    return this.#arrived.shift()!;
  }

  /** Waits until that is so; looked at whenever something arrives, and often. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const timer = Promise.withResolvers<void>();
      const id = setTimeout(timer.resolve, 1);
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      await inTime(Promise.race([timer.promise, woken]), "something to happen");
      clearTimeout(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await inTime(this.transport.close(), "the listener to close");
    this.#wheel.close();
    assertEquals([this.limits.total, this.#wheel.size, this.errors], [0, 0, []]);
  }
}

/** The other end of a connection. */
class TcpPeer {
  readonly conn: Deno.TcpConn;
  #heard = "";

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async to({ address, port }: SocketAddress): Promise<TcpPeer> {
    return new TcpPeer(await Deno.connect({ hostname: address, port }));
  }

  get local(): SocketAddress {
    const { hostname, port } = this.conn.localAddr as Deno.NetAddr;
    return { address: hostname, port };
  }

  async send(text: string): Promise<void> {
    const bytes = latin1Bytes(text);
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /** The next bytes that come, so many of them. */
  async hears(length: number): Promise<string> {
    while (this.#heard.length < length) assert(await this.#read(), `Only this came: ${this.#heard}`);
    const text = this.#heard.slice(0, length);
    this.#heard = this.#heard.slice(length);
    return text;
  }

  /** All that comes until the other side closes. */
  async hearsToTheEnd(): Promise<string> {
    while (await this.#read());
    return this.#heard;
  }

  async #read(): Promise<boolean> {
    const bytes = new Uint8Array(65_536);
    const count = await inTime(this.conn.read(bytes), "bytes or an end");
    if (count !== null) this.#heard += byteArea(bytes).latin1Slice(0, count);
    return count !== null;
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** Resolves with whether the flow was gone when it was told so; fails when it is told twice. */
function endOf(flow: Flow): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let count = 0;
  flow.watch({ flowClosed: () => ++count === 1 ? resolve(flow.isGone) : reject(new Error("Told twice")) });
  return inTime(promise, "the flow to end");
}

const PING = "\r\n\r\n";
const ALL_BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
  const test = (sentence: string, body: () => Promise<void>) =>
    Deno.test(`tcp at ${address}: ${sentence}`, body);

  test("messages go both ways as they are, however they are split", async () => {
    await using host = new TcpHost({ address });
    using peer = await TcpPeer.to(host.local);
    const text = requestText("MESSAGE", { body: ALL_BYTES });
    for (const at of [1, 20, text.length - 300, text.length - 1]) {
      await peer.send(text.slice(0, at));
      await peer.send(text.slice(at));
      const arrived = await host.receive();
      assertEquals([arrived.text, arrived.flow.remote], [text, peer.local]);
      assert(arrived.flow.send(`answer ${ALL_BYTES}`));
      assertEquals(await peer.hears(263), `answer ${ALL_BYTES}`);
    }
    assertEquals(host.metrics.connectionsOpened, 1);
  });

  test("a listener knows its port and what it is called in a Via", async () => {
    await using host = new TcpHost({ address });
    const { local, sentBy, protocol } = host.transport;
    assertEquals([local.address, protocol], [address, "tcp"]);
    assertEquals(sentBy, address === "::1" ? `[::1]:${local.port}` : `127.0.0.1:${local.port}`);
    await using advertised = new TcpHost({ address, sentBy: "sip.example.com:5070" });
    assertEquals(advertised.transport.sentBy, "sip.example.com:5070");
  });

  test("an address in use is an error that names it", async () => {
    await using host = new TcpHost({ address });
    const error = assertThrows(() => new TcpTransport(host.parts, host.local, OPTIONS), FlowError);
    assertEquals(error.message, `Cannot listen on tcp:${host.transport.sentBy}: address already in use`);
  });

  test("a request to a connected peer goes by its connection, which is found by its address", async () => {
    await using host = new TcpHost({ address });
    using peer = await TcpPeer.to(host.local);
    await peer.send(requestText("REGISTER"));
    const { flow } = await host.receive();
    assert(flow.isAccepted);
    assert(host.transport.connect(peer.local) === flow && host.transport.find(peer.local) === flow);
    assertEquals(host.metrics.connectionsOpened, 1);
  });

  test("what comes by a connection we have opened comes up, and it is opened once", async () => {
    await using host = new TcpHost({ address });
    using listener = Deno.listen({ hostname: address, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    assertEquals(host.transport.find({ address, port }), undefined);
    const dials = [host.transport.connect({ address, port }), host.transport.connect({ address, port })];
    using peer = new TcpPeer(await listener.accept());
    const [flow, same] = await Promise.all(dials);
    assert(flow === same && host.transport.connect({ address, port }) === flow && !flow.isAccepted);
    flow.send("hello");
    assertEquals(await peer.hears(5), "hello");
    await peer.send(responseText(200, "OPTIONS"));
    const arrived = await host.receive();
    assertEquals([arrived.text, arrived.flow], [responseText(200, "OPTIONS"), flow]);
  });

  test("a peer that refuses is an error that says so", async () => {
    await using host = new TcpHost({ address });
    const listener = Deno.listen({ hostname: address, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const error = await assertRejects(async () => await host.transport.connect({ address, port }), FlowError);
    assertMatch(error.message, /^Cannot connect to tcp:.*: connection refused$/);
    assertEquals([host.metrics.connectsFailed, host.limits.total], [1, 0]);
  });
}

/** A listener that takes one connection and lets every other wait. */
async function fullListener(): Promise<{ local: SocketAddress; [Symbol.dispose](): void }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const only = await Deno.connect({ hostname: "127.0.0.1", port });
  return {
    local: { address: "127.0.0.1", port },
    [Symbol.dispose]() {
      only.close();
      listener.close();
    },
  };
}

Deno.test(
  "tcp: a peer that does not answer is given up in time",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using host = new TcpHost();
    using full = await fullListener();
    const dialed = assertRejects(async () => await host.transport.connect(full.local), FlowError);
    host.clock.advance(2_990);
    assertEquals(host.metrics.connectsFailed, 0);
    host.clock.advance(20);
    assertMatch((await inTime(dialed, "the dial to fail")).message, /: no answer in time$/);
    assertEquals(host.metrics.snapshot(), { connectsFailed: 1 });
  },
);

Deno.test("tcp: a connection that is being opened is given up when the listener closes", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using host = new TcpHost();
  using full = await fullListener();
  const dialed = assertRejects(async () => await host.transport.connect(full.local), FlowError);
  await inTime(host.transport.close(), "the listener to close");
  assertMatch((await dialed).message, /: the listener is closed$/);
  const again = await assertRejects(async () => await host.transport.connect(full.local), FlowError);
  assertMatch(again.message, /: the listener is closed$/);
});

Deno.test(
  "tcp: an IPv4 peer of an IPv6 socket is known by its IPv4 address",
  { ignore: !hasIpv6() },
  async () => {
    await using host = new TcpHost({ address: "::ffff:127.0.0.1" });
    assertEquals(host.local.address, "127.0.0.1");
    using peer = await TcpPeer.to(host.local);
    await peer.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    assertEquals(flow.remote, peer.local);
  },
);

Deno.test("tcp: a listener that cannot accept for a while goes on when it can", async () => {
  const real = Deno.listen;
  let failures = 2;
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const listener = real(options);
    const accept = listener.accept.bind(listener);
    listener.accept = () =>
      failures-- > 0 ? Promise.reject(new Error("Too many open files (os error 24)")) : accept();
    return listener;
  }) as typeof Deno.listen;
  try {
    await using host = new TcpHost();
    using peer = await TcpPeer.to(host.local);
    await peer.send(requestText("OPTIONS"));
    await host.receive();
    assertEquals(host.logged, ["cannot accept connections reason=too many open files"]);
  } finally {
    Deno.listen = real;
  }
});

Deno.test("tcp: pings are answered before, between and behind messages, and not within", async () => {
  await using host = new TcpHost();
  using peer = await TcpPeer.to(host.local);
  host.onArrival = ({ flow }) => flow.send("answer");
  const text = requestText("MESSAGE", { body: PING });
  await peer.send(`${PING}${text}\r\n`);
  assertEquals(await peer.hears(8), "\r\nanswer");
  await peer.send(`\r\n${text}${PING}${PING}`);
  assertEquals(await peer.hears(12), "\r\nanswer\r\n\r\n");
  assertEquals(host.metrics.keepAlivesAnswered, 4);
});

Deno.test("tcp: ten thousand requests in one write are all answered, in order", async () => {
  await using host = new TcpHost({ writeQueue: 64 * 1024 });
  using peer = await TcpPeer.to(host.local);
  const answer = (i: number) => `answer ${i}`.padEnd(300, ".");
  let count = 0;
  host.onArrival = ({ flow }) => assert(flow.send(answer(count++)));
  const texts = Array.from({ length: 10_000 }, (_, i) => requestText("OPTIONS", { callId: `call-${i}` }));
  const [heard] = await Promise.all([peer.hears(3_000_000), peer.send(texts.join(""))]);
  assertEquals(heard, texts.map((_, i) => answer(i)).join(""));
});

Deno.test("tcp: what a handler throws is told, and the connection goes on", async () => {
  await using host = new TcpHost();
  using peer = await TcpPeer.to(host.local);
  host.onArrival = ({ text, flow }) => {
    if (text.startsWith("MESSAGE")) throw new Error("no");
    flow.send("answer");
  };
  await peer.send(requestText("MESSAGE") + requestText("OPTIONS"));
  assertEquals(await peer.hears(6), "answer");
  assertEquals(host.errors.splice(0).map(String), ["Error: no"]);
});

Deno.test("tcp: a peer that never reads is closed when its queue is full, and nobody else notices", async () => {
  await using host = new TcpHost();
  using deaf = await TcpPeer.to(host.local);
  using peer = await TcpPeer.to(host.local);
  await deaf.send(requestText("REGISTER"));
  const { flow } = await host.receive();
  const ended = endOf(flow);
  const message = requestText("MESSAGE", { body: "x".repeat(60_000) });
  let sent = 0;
  while (flow.send(message)) {
    await peer.send(requestText("OPTIONS"));
    const arrived = await host.receive();
    arrived.flow.send("answer");
    assertEquals(await peer.hears(6), "answer");
    assert(++sent < 10_000);
  }
  assert(await ended);
  assert(!flow.send(message));
  assertEquals(host.metrics.connectionsFull, 1);
});

Deno.test("tcp: more connections than allowed are turned away, in all and from one address", async () => {
  for (const bounds of [{ total: 2 }, { perAddress: 2 }]) {
    await using host = new TcpHost(bounds);
    using one = await TcpPeer.to(host.local);
    await one.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    {
      using two = await TcpPeer.to(host.local);
      await two.send(requestText("OPTIONS"));
      await host.receive();
      using three = await TcpPeer.to(host.local);
      assertEquals(await three.hearsToTheEnd(), "");
      assertEquals(host.metrics.connectionsShed, 1);
      const error = await assertRejects(
        async () => await host.transport.connect({ address: "127.0.0.1", port: 1 }),
        FlowError,
      );
      assertMatch(error.message, /too many connections$/);
    }
    await host.until(() => host.limits.total === 1);
    using four = await TcpPeer.to(host.local);
    await four.send(requestText("OPTIONS"));
    assert((await host.receive()).flow !== flow);
  }
});

for (
  const [what, text, ms, counter] of [
    ["says nothing", "", 1_000, "connectionsSilent"],
    ["says half a message", PING + requestText("OPTIONS").slice(0, 50), 10_000, "connectionsSlow"],
    ["says half a message behind a whole one", requestText("OPTIONS") + "OPTIONS", 10_000, "connectionsSlow"],
    ["says nothing more", PING, 100_000, "connectionsIdle"],
  ] as const
) {
  Deno.test(`tcp: a peer that ${what} is closed in time`, async () => {
    await using host = new TcpHost();
    using peer = await TcpPeer.to(host.local);
    await host.until(() => host.metrics.connectionsOpened === 1);
    await peer.send(text);
    // What came with a ping has been read when that is answered.
    if (text.startsWith(PING)) assertEquals(await peer.hears(2), "\r\n");
    else if (text !== "") await host.receive();
    host.clock.advance(ms - 20);
    assertEquals(host.limits.total, 1);
    host.clock.advance(40);
    assertEquals(host.limits.total, 0);
    await peer.hearsToTheEnd();
    assertEquals(host.metrics[counter], 1);
  });
}

Deno.test("tcp: a stream whose every piece ends amid a message is not slow", async () => {
  await using host = new TcpHost();
  using peer = await TcpPeer.to(host.local);
  const text = requestText("OPTIONS");
  await peer.send(text.slice(0, 50));
  for (let i = 0; i < 5; i++) {
    await peer.send(text.slice(50) + text.slice(0, 50));
    await host.receive();
    host.clock.advance(9_000);
  }
  assertEquals(host.limits.total, 1);
});

/** A message with this row in place of its Content-Length. */
const withRow = (row: string) => requestText("OPTIONS").replace("Content-Length: 0\r\n", row);

for (
  const [what, text, answer] of [
    ["no Content-Length", withRow(""), "400 No Content-Length"],
    ["a malformed one", withRow("Content-Length: -1\r\n"), "400 Malformed Content-Length"],
    ["two that differ", withRow("l: 1\r\nContent-Length: 2\r\n"), "400 Malformed Content-Length"],
    ["one of a gigabyte", withRow("Content-Length: 1000000000\r\n"), "513 Message Too Large"],
    [
      "a header without end",
      requestText("OPTIONS").slice(0, -2) + "X: y\r\n".repeat(12_000),
      "513 Message Too Large",
    ],
  ]
) {
  Deno.test(`tcp: a request with ${what} is answered, and its connection closed`, async () => {
    await using host = new TcpHost();
    using peer = await TcpPeer.to(host.local);
    // What comes behind it is not looked at.
    await peer.send((text + requestText("OPTIONS")).slice(0, OPTIONS.messageBytes));
    assertEquals(headline(await peer.hearsToTheEnd()), answer);
    await host.until(() => host.limits.total === 0);
    const { requestsReceived, connectionsBroken } = host.metrics;
    assertEquals({ requestsReceived, connectionsBroken }, { requestsReceived: 1, connectionsBroken: 1 });
  });
}

for (
  const text of [
    responseText(200, "OPTIONS").replace(/Content-Length.*\r\n/, ""),
    "\x16\x03\x01",
    "GET / HTTP/1.1\r\n\r\n",
  ]
) {
  Deno.test(`tcp: a connection with ${JSON.stringify(text.slice(0, 16))} is closed without an answer`, async () => {
    await using host = new TcpHost();
    using peer = await TcpPeer.to(host.local);
    await peer.send(text);
    assertEquals(await peer.hearsToTheEnd(), "");
    assertEquals(host.metrics.connectionsBroken, 1);
  });
}

Deno.test("tcp: a peer that will say no more still hears what it is owed", async () => {
  await using host = new TcpHost();
  using peer = await TcpPeer.to(host.local);
  const long = "x".repeat(500_000);
  const told = Promise.withResolvers<boolean>();
  host.onArrival = ({ flow }) => {
    flow.send(long);
    flow.watch({ flowClosed: () => told.resolve(flow.isGone) });
  };
  await peer.send(requestText("OPTIONS"));
  await peer.conn.closeWrite();
  assertEquals(await peer.hearsToTheEnd(), long);
  assert(await inTime(told.promise, "the flow to end"));
});

Deno.test("tcp: who watches a connection is told when its peer closes it or resets it, and all is given back", async () => {
  await using host = new TcpHost();
  for (const isReset of [false, true]) {
    const peer = await TcpPeer.to(host.local);
    await peer.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    const ended = endOf(flow);
    if (isReset) {
      // What was never read turns its end into a reset.
      flow.send("unread");
      await peer.conn.read(new Uint8Array(1));
    }
    const { local } = peer;
    peer[Symbol.dispose]();
    assert(await ended);
    assertEquals([host.transport.find(local), flow.send("x"), host.limits.total], [undefined, false, 0]);
  }
});

Deno.test("tcp: messages that were read before the end come up, and one may be the last", async () => {
  await using host = new TcpHost();
  const peer = await TcpPeer.to(host.local);
  await peer.send(requestText("OPTIONS").repeat(3));
  peer[Symbol.dispose]();
  for (let i = 0; i < 3; i++) await host.receive();
  using other = await TcpPeer.to(host.local);
  let count = 0;
  host.onArrival = ({ flow }) => {
    count++;
    (flow as Connection).close("stopping");
  };
  await other.send(requestText("OPTIONS").repeat(3));
  await other.hearsToTheEnd();
  assertEquals(count, 1);
});

Deno.test("tcp: what was handed to a connection leaves before the listener is closed", async () => {
  await using host = new TcpHost({ writeQueue: 8 << 20 });
  using peer = await TcpPeer.to(host.local);
  await peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  const message = requestText("MESSAGE", { body: "x".repeat(60_000) });
  for (let i = 0; i < 100; i++) assert(flow.send(message));
  const closed = host.transport.close();
  assertEquals((await peer.hearsToTheEnd()).length, 100 * message.length);
  await closed;
  await assertRejects(() => TcpPeer.to(host.local), Deno.errors.ConnectionRefused);
});

Deno.test("tcp: a listener that closes waits no longer than a message may take for a peer that does not read", async () => {
  await using host = new TcpHost({ writeQueue: 32 << 20 });
  using peer = await TcpPeer.to(host.local);
  await peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  while (flow.send("x".repeat(1 << 20)));
  const ended = endOf(flow);
  const closed = host.transport.close();
  host.clock.advance(10_020);
  assert(await ended);
  await inTime(closed, "the listener to close");
});

Deno.test("tcp: a connection that is about to end is not used for anything new", async () => {
  await using host = new TcpHost({ writeQueue: 32 << 20 });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const there = { address: "127.0.0.1", port };
  const [flow, conn] = await Promise.all([host.transport.connect(there), listener.accept()]);
  using _deaf = new TcpPeer(conn);
  for (let i = 0; i < 20; i++) flow.send("x".repeat(1 << 20));
  await conn.closeWrite();
  await host.until(() => host.transport.find(there) === undefined);
  assert(!flow.isGone);
  const [next, second] = await Promise.all([host.transport.connect(there), listener.accept()]);
  using _peer = new TcpPeer(second);
  assert(next !== flow);
  host.clock.advance(10_020);
  assert(flow.isGone && host.transport.find(there) === next);
});
