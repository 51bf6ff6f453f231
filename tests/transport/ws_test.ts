import { latin1Bytes, toWire } from "../../src/lib/latin1.ts";
import { type Flow, FlowError } from "../../src/transport/flow.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { hasIpv6 } from "../support/sockets.ts";
import { CA, identity } from "./ws_identity.ts";
import { turn, type WebSocketOptions, WsHost, type WsHostOptions, WsPeer } from "./ws_host.ts";

for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
  const test = (sentence: string, body: () => Promise<void>) =>
    Deno.test(`ws at ${address}: ${sentence}`, body);

  test("a message arrives as it was sent, and is answered on its connection", async () => {
    await using host = new WsHost({ address });
    await using peer = await WsPeer.open(host.url);
    assertEquals(peer.protocol, "sip");
    const text = requestText("MESSAGE", { body: toWire("grüße") });
    peer.send(latin1Bytes(text), { binary: false });
    const { text: arrived, flow } = await host.receive();
    assertEquals(arrived, text);
    assertEquals([flow.protocol, flow.remote.address, flow.isAccepted], ["ws", address, true]);
    assert(flow.transport === host.transport);
    assert(flow.send("answer"));
    assertEquals(await peer.receive(), { text: "answer", isBinary: false });
    assertEquals(host.metrics.connectionsOpened, 1);
  });

  test("we connect to a listener, and find that connection again, for the same name only", async () => {
    await using host = new WsHost({ address });
    await using other = new WsHost({ address });
    const peer = { ...host.local, host: "example.com" };
    const flow = await other.transport.connect(peer);
    assert(!flow.isAccepted);
    assertEquals(flow.remote, host.local);
    flow.send(requestText("OPTIONS"));
    const arrived = await host.receive();
    assertEquals(arrived.text, requestText("OPTIONS"));
    arrived.flow.send(requestText("INFO"));
    assertEquals((await other.receive()).text, requestText("INFO"));
    assert(other.transport.find(peer) === flow);
    assert(await other.transport.connect(peer) === flow);
    assertEquals(other.transport.find(host.local), undefined);
    assertEquals(host.transport.find(arrived.flow.remote), undefined);
  });
}

Deno.test(
  "ws: an IPv4 client of an IPv6 listener is shown with its IPv4 address",
  { ignore: !hasIpv6() },
  async () => {
    await using host = new WsHost({ address: "::" });
    await using peer = await WsPeer.open(`ws://127.0.0.1:${host.local.port}/`);
    peer.send(requestText("OPTIONS"));
    assertEquals((await host.receive()).flow.remote.address, "127.0.0.1");
  },
);

Deno.test("ws: a port in use is an error with its name and the reason", async () => {
  await using host = new WsHost();
  const { port } = host.local;
  const error = assertThrows(() => new WsHost({ port }), FlowError);
  assertStringIncludes(error.message, `Cannot listen on ws:127.0.0.1:${port}: `);
  assertStringIncludes(error.message, "in use");
});

/** Either protocol, and what a listener for it and its clients need. */
class Kind {
  readonly #protocol: "ws" | "wss";

  constructor(protocol: "ws" | "wss") {
    this.#protocol = protocol;
  }

  async host(options: WsHostOptions = {}): Promise<WsHost> {
    const protocol = this.#protocol;
    return new WsHost({ ...options, protocol, identity: protocol === "wss" ? await identity() : undefined });
  }

  peer(host: WsHost, options: WebSocketOptions = {}): Promise<WsPeer> {
    return WsPeer.open(host.url, { ...options, ca: CA });
  }
}

function both(sentence: string, body: (kind: Kind) => Promise<void>): void {
  for (const protocol of ["ws", "wss"] as const) {
    Deno.test(`${protocol}: ${sentence}`, () => body(new Kind(protocol)));
  }
}

both("a port is free again once its listener is closed, whoever was connected", async (kind) => {
  const host = await kind.host();
  const { port } = host.local;
  await using peer = await kind.peer(host);
  await host[Symbol.asyncDispose]();
  assertEquals(await peer.closed, 1001);
  Deno.listen({ hostname: "127.0.0.1", port }).close();
});

both("text and binary frames are read alike, also in pieces", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  const text = requestText("OPTIONS");
  peer.send(text);
  peer.send(new TextEncoder().encode(text), { binary: true });
  for (let i = 0; i < 3; i++) {
    peer.send(text.slice(i * 50, i === 2 ? undefined : i * 50 + 50), { fin: i === 2 });
  }
  for (let i = 0; i < 3; i++) assertEquals((await host.receive()).text, text);
});

both("what is UTF-8 leaves as text, byte for byte, and what is not as binary", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  const allBytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
  for (const text of ["plain", "\u00c3\u00bc", allBytes, "\u00fc"]) flow.send(text);
  assertEquals(await peer.receive(), { text: "plain", isBinary: false });
  assertEquals(await peer.receive(), { text: "\u00c3\u00bc", isBinary: false });
  assertEquals(await peer.receive(), { text: allBytes, isBinary: true });
  assertEquals(await peer.receive(), { text: "\u00fc", isBinary: true });
});

both("a double CRLF is answered, a single one and an empty frame are not", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  for (const text of ["\r\n\r\n", "\r\n", "", "\r\n\r\n"]) peer.send(text);
  for (let i = 0; i < 2; i++) assertEquals((await peer.receive()).text, "\r\n");
  peer.send(requestText("OPTIONS"));
  await host.receive();
  assertEquals(peer.waiting, 0);
  assertEquals([host.metrics.keepAlivesAnswered, host.metrics.keepAlivesReceived], [2, 2]);
});

both("what is not SIP is counted, and its connection stays", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  peer.send('{"method":"INVITE"}');
  peer.send(requestText("OPTIONS"));
  await host.receive();
  assertEquals(host.metrics.notSip, 1);
});

both("an error in handling a message is told, and the next is handled", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  host.onMessage = () => {
    host.onMessage = () => {};
    throw new Error("a bug");
  };
  peer.send(requestText("OPTIONS"));
  peer.send(requestText("INFO"));
  await host.receive();
  await host.receive();
  assertEquals(host.errors.map(String), ["Error: a bug"]);
});

both("a message that is too long ends its connection with 1009", async (kind) => {
  await using host = await kind.host({ messageBytes: 1_000 });
  await using peer = await kind.peer(host);
  peer.send("x".repeat(1_001));
  assertEquals(await peer.closed, 1009);
  assertEquals(host.metrics.connectionsBroken, 1);
});

both("text that is not UTF-8 ends its connection with 1007, as RFC 6455 has it", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  peer.send(Uint8Array.of(0xff), { binary: false });
  assertEquals(await peer.closed, 1007);
  assertEquals(host.metrics.connectionsBroken, 1);
});

both("watchers are told once of a connection that has gone, however it went", async (kind) => {
  await using host = await kind.host();
  for (const leave of [(peer: WsPeer) => peer.close(1000), (peer: WsPeer) => peer.vanish()]) {
    const peer = await kind.peer(host);
    peer.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    let count = 0;
    const told = new Promise<Flow>((resolve) =>
      flow.watch({ flowClosed: (gone) => (count++, resolve(gone)) })
    );
    await leave(peer);
    assert(await told === flow && flow.isGone && !flow.send("too late"));
    await turn();
    assertEquals(count, 1);
  }
});

Deno.test("ws: one who does not read is closed when its queue is full", async () => {
  await using host = new WsHost({ writeQueue: 100_000 });
  await using peer = await WsPeer.open(host.url);
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  peer.pause();
  const text = "x".repeat(50_000);
  while (flow.send(text)) await turn();
  await host.counted("connectionsFull", 1);
  assert(flow.isGone);
});

Deno.test("ws: one who asks and does not read is not read from, until it does", async () => {
  await using host = new WsHost();
  await using peer = await WsPeer.open(host.url);
  const answer = "x".repeat(2_000);
  host.onMessage = (_, flow) => assert(flow.send(answer));
  peer.pause();
  const count = 6_000;
  for (let i = 0; i < count; i++) peer.send(requestText("OPTIONS"));
  let before = -1;
  for (; before !== host.metrics.requestsReceived; await someTurns()) before = host.metrics.requestsReceived;
  assert(before > 0 && before < count, `${before} were read`);
  peer.resume();
  for (let i = 0; i < count; i++) await peer.receive();
  assertEquals(host.metrics.connectionsFull, 0);
});

both("who sends nothing is closed, and control frames alone do not help", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  peer.ping();
  await turn();
  await host.counted("connectionsOpened", 1);
  host.clock.advance(9_999);
  assertEquals(host.metrics.connectionsSilent, 0);
  host.clock.advance(1);
  assertEquals(await peer.closed, 1008);
  assertEquals(host.metrics.connectionsSilent, 1);
});

both("who answers Pings lives on, though it says nothing else", async (kind) => {
  await using host = await kind.host({ idle: 30_000 });
  await using peer = await kind.peer(host);
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  for (let i = 1; i <= 10; i++) {
    host.clock.advance(25_000);
    while (peer.pings < i) await turn();
    // Its answer left with that; it is here as soon as anybody looks.
    await someTurns();
  }
  assert(!flow.isGone);
});

both("who does not answer a Ping is closed", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host, { autoPong: false });
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  host.clock.advance(25_000);
  while (peer.pings === 0) await turn();
  host.clock.advance(9_980);
  assert(!flow.isGone);
  host.clock.advance(20);
  assert(flow.isGone);
  assertEquals(await peer.closed, 1008);
  assertEquals(host.metrics.connectionsIdle, 1);
});

both("a message that comes too slowly ends its connection", async (kind) => {
  await using host = await kind.host();
  await using peer = await kind.peer(host);
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  peer.send("OPTIONS sip:", { fin: false });
  const late = () => {
    host.clock.advance(5_000);
    return host.metrics.connectionsSlow === 1;
  };
  while (!late()) await turn();
  assert(flow.isGone);
  assertEquals(await peer.closed, 1008);
});

both("what was given to it is written before it is closed", async (kind) => {
  const host = await kind.host();
  await using peer = await kind.peer(host);
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  for (let i = 0; i < 100; i++) flow.send(`${i}`);
  const closing = host[Symbol.asyncDispose]();
  for (let i = 0; i < 100; i++) assertEquals((await peer.receive()).text, `${i}`);
  assertEquals(await peer.closed, 1001);
  await closing;
});

Deno.test("ws: a peer that never ends its side keeps us for a second at most", async () => {
  const host = new WsHost();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
  await socket.write(new TextEncoder().encode(UPGRADE));
  await socket.read(new Uint8Array(1_000));
  await host.counted("connectionsOpened", 1);
  let isClosed = false;
  const closing = host[Symbol.asyncDispose]().then(() => isClosed = true);
  await someTurns();
  host.clock.advance(990);
  await someTurns();
  assert(!isClosed);
  host.clock.advance(10);
  await closing;
});

Deno.test("ws: a connection that cannot be opened is an error with its name, and counted", async () => {
  await using host = new WsHost();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await assertRejects(
    async () => await host.transport.connect({ address: "127.0.0.1", port }),
    FlowError,
    `Cannot connect to ws:127.0.0.1:${port}: `,
  );
  assertEquals(host.metrics.connectsFailed, 1);
});

Deno.test("ws: a connection that takes too long to open is given up", async () => {
  await using host = new WsHost();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connecting = Promise.resolve(host.transport.connect({ address: "127.0.0.1", port }));
  connecting.catch(() => {});
  using _socket = await listener.accept();
  host.clock.advance(3_000);
  await assertRejects(() => connecting, FlowError, "no WebSocket within 3000 ms");
});

Deno.test("ws: a connection that is being opened ends with its listener", async () => {
  const host = new WsHost();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connecting = Promise.resolve(host.transport.connect({ address: "127.0.0.1", port }));
  connecting.catch(() => {});
  using _socket = await listener.accept();
  await host[Symbol.asyncDispose]();
  await assertRejects(() => connecting, FlowError);
});

Deno.test("ws: a server that does not speak SIP is no peer", async () => {
  await using host = new WsHost({ path: "/sip" });
  await assertRejects(async () => await host.transport.connect(host.local), FlowError, "404");
});

const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/** Long enough for anything that is on its way on this machine. */
async function someTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}
