import { type Flow, FlowError, type OpenOptions, socketAddressText } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { HAS_BATCH, hasIpv6, UdpHost, UdpPeer } from "../support/sockets.ts";

/** Every byte there is. */
const ALL_BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

for (const io of HAS_BATCH ? ["batch", "portable"] as const : ["portable"] as const) {
  for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    testUdp(io, address);
  }
}

Deno.test("udp by batch: a thousand messages that wait are all read, in order, while timers go on", {
  ignore: !HAS_BATCH,
}, async () => {
  const udp = { receiveBuffer: 4 << 20, sendBuffer: 4 << 20, reusePort: false, maxFlows: 10 };
  await using server = new UdpHost([{ address: "127.0.0.1", port: 0 }], { udpIo: "batch", udp });
  await using sender = new UdpHost([{ address: "127.0.0.1", port: 0 }], { udpIo: "batch", udp });
  const flow = sender.flowTo(server.local);
  let isTimeForOthers = false;
  const timer = setTimeout(() => isTimeForOthers = true);
  for (let i = 0; i < 1_000; i++) flow.send(requestText("OPTIONS", { callId: `call-${i}` }));
  for (let i = 0; i < 1_000; i++) assertStringIncludes((await server.receive()).text, `: call-${i}\r\n`);
  clearTimeout(timer);
  assert(isTimeForOthers);
});

for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
  const test = (sentence: string, body: () => Promise<void>) =>
    Deno.test(`udp by batch at ${address}: ${sentence}`, { ignore: !HAS_BATCH }, body);

  test("who watches a flow is told that its peer has gone, and nobody else", async () => {
    await using server = new UdpHost([{ address, port: 0 }], { udpIo: "batch" });
    using peer = new UdpPeer(address);
    const gone = new UdpPeer(address);
    const { local } = gone;
    await gone.send(requestText("OPTIONS"), server.local);
    const { flow } = await server.receive();
    gone[Symbol.dispose]();
    const told = Promise.withResolvers<boolean>();
    let count = 0;
    flow.watch({ flowClosed: () => told.resolve((count++, flow.isGone)) });
    const other = server.flowTo(peer.local);
    other.watch({ flowClosed: () => assert(false) });
    for (let i = 0; i < 200; i++) {
      flow.send("is anybody there?");
      other.send(`message ${i}`);
    }
    for (let i = 0; i < 200; i++) assertEquals((await peer.receive()).text, `message ${i}`);
    assert(await told.promise);
    assertEquals([count, other.isGone], [1, false]);
    using again = new UdpPeer(address, local.port);
    await again.send(requestText("OPTIONS"), server.local);
    assert((await server.receive()).flow === flow);
    assert(!flow.isGone);
  });

  test("what came back from one who has gone does not keep the server busy", async () => {
    await using server = new UdpHost([{ address, port: 0 }], { udpIo: "batch" });
    const gone = new UdpPeer(address);
    const flow = server.flowTo(gone.local);
    gone[Symbol.dispose]();
    const told = Promise.withResolvers<void>();
    flow.watch({ flowClosed: () => told.resolve() });
    flow.send("is anybody there?");
    await told.promise;
    // A message or two may be on the way in; then there is nothing more to wake up for.
    assertEquals(server.metrics.snapshot(), { messagesSent: 1, sendsFailed: 1 });
    const before = server.turns;
    using peer = new UdpPeer(address);
    await peer.send(requestText("OPTIONS"), server.local);
    await server.receive();
    assert(server.turns - before <= 4, `${server.turns - before} turns`);
  });
}

Deno.test("udp by portable: of more messages than may wait, the last are dropped and counted", async () => {
  await using server = new UdpHost([{ address: "127.0.0.1", port: 0 }], { udpIo: "portable" });
  using peer = new UdpPeer("127.0.0.1");
  const flow = server.flowTo(peer.local);
  for (let i = 0; i < 1_100; i++) assert(flow.send(`message ${i}`));
  const { messagesSent, sendsFailed } = server.metrics;
  assertEquals(messagesSent + sendsFailed, 1_100);
  assert(sendsFailed > 0);
  assertEquals((await peer.receive()).text, "message 0");
});

/** What a UDP listener does, however it is read and written. */
function testUdp(udpIo: OpenOptions["udpIo"], address: string): void {
  const at = { address, port: 0 };
  const host = (count = 1) => new UdpHost(new Array(count).fill(at), { udpIo });
  const test = (sentence: string, body: () => Promise<void>) =>
    Deno.test(`udp by ${udpIo} at ${address}: ${sentence}`, body);

  test("a message arrives as it was sent, and is answered to the port it came from", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    const text = requestText("MESSAGE", { body: ALL_BYTES });
    await peer.send(text, server.local);
    const arrived = await server.receive();
    assertEquals(arrived.text, text);
    assertEquals(arrived.flow.remote, peer.local);
    assert(arrived.flow.send(`answer ${ALL_BYTES}`));
    assertEquals(await peer.receive(), { text: `answer ${ALL_BYTES}`, from: server.local });
  });

  test("a listener knows its port and what it is called in a Via", async () => {
    await using server = host();
    assertEquals(server.local.address, address);
    assert(server.local.port > 0);
    assertEquals(server.transports[0].sentBy, socketAddressText(server.local));
    assertStringIncludes(
      server.logged.at(-1)!,
      `listening at=udp:${socketAddressText(server.local)} io=${udpIo}`,
    );
  });

  test("a peer has one flow, whoever was first, and another port is another flow", async () => {
    await using server = host();
    using one = new UdpPeer(address);
    using other = new UdpPeer(address);
    const flow = server.flowTo(one.local);
    for (const peer of [one, other, one]) await peer.send(requestText("OPTIONS"), server.local);
    const flows: Flow[] = [];
    for (let i = 0; i < 3; i++) flows.push((await server.receive()).flow);
    assert(flows[0] === flow && flows[2] === flow && flows[1] !== flow);
    assert(flows[1].id !== flow.id);
    assert(server.transports[0].connect(other.local) === flows[1]);
  });

  for (const count of [60, 150]) {
    test(`${count} messages sent in one turn all leave, in order`, async () => {
      await using server = host();
      using peer = new UdpPeer(address);
      const flow = server.flowTo(peer.local);
      for (let i = 0; i < count; i++) assert(flow.send(`message ${i}`));
      for (let i = 0; i < count; i++) assertEquals((await peer.receive()).text, `message ${i}`);
      assertEquals(server.metrics.snapshot(), { messagesSent: count });
    });
  }

  test("messages of one turn go each to its own peer", async () => {
    await using server = host();
    using one = new UdpPeer(address);
    using other = new UdpPeer(address);
    server.flowTo(one.local).send("for one");
    server.flowTo(other.local).send("for the other");
    assertEquals((await other.receive()).text, "for the other");
    assertEquals((await one.receive()).text, "for one");
  });

  test("messages of 60,000 bytes go both ways, amid short ones", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    const long = requestText("MESSAGE", { body: "\xe9".repeat(60_000) });
    await peer.send(long, server.local);
    const { text, flow } = await server.receive();
    assertEquals(text, long);
    for (const sent of ["short", long, "\xe9", "x".repeat(65_507), "short again"]) flow.send(sent);
    assertEquals((await peer.receive()).text, "short");
    assertEquals((await peer.receive()).text, long);
    assertEquals((await peer.receive()).text, "\xe9");
    assertEquals((await peer.receive()).text.length, 65_507);
    assertEquals((await peer.receive()).text, "short again");
  });

  test("a message too long for a datagram is refused and counted, and others go on", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    const flow = server.flowTo(peer.local);
    assert(!flow.send("x".repeat(65_508)));
    assertEquals(server.metrics.snapshot(), { sendsFailed: 1 });
    assert(flow.send("short"));
    assertEquals((await peer.receive()).text, "short");
  });

  test("garbage and empty datagrams do not disturb", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    for (const junk of ["", "\r\n\r\n", ALL_BYTES, "\0", "BYE", "x".repeat(65_000)]) {
      await peer.send(junk, server.local);
    }
    await peer.send(requestText("OPTIONS"), server.local);
    assertEquals((await server.receive()).text, requestText("OPTIONS"));
    assertEquals(server.metrics.snapshot(), {
      keepAlivesReceived: 3,
      notSip: 2,
      stunDropped: 1,
      requestsReceived: 1,
    });
  });

  test("an error in what a message causes is counted and logged, and the next message arrives", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    server.onArrival = () => {
      server.onArrival = () => {};
      throw new Error("oh no");
    };
    await peer.send(requestText("OPTIONS"), server.local);
    await peer.send(requestText("MESSAGE"), server.local);
    assertEquals((await server.receive()).text, requestText("MESSAGE"));
    assertEquals(server.metrics.internalErrors, 1);
    assert(server.logged.includes("handling failed error=Error: oh no"));
  });

  test("what was sent before closing still leaves, and nothing after it", async () => {
    const server = host();
    using peer = new UdpPeer(address);
    const flow = server.flowTo(peer.local);
    for (let i = 0; i < 70; i++) flow.send(`message ${i}`);
    const closed = server.close();
    assert(!flow.send("too late"));
    await closed;
    assert(!flow.send("too late"));
    for (let i = 0; i < 70; i++) assertEquals((await peer.receive()).text, `message ${i}`);
    assertEquals(server.metrics.snapshot(), { messagesSent: 70, sendsFailed: 2 });
  });

  test("closing frees the port, however often it is asked for", async () => {
    const first = host();
    const { local } = first;
    await Promise.all([first.close(), first.close()]);
    await first.close();
    await using second = new UdpHost([local], { udpIo });
    using peer = new UdpPeer(address);
    await peer.send(requestText("OPTIONS"), local);
    assertEquals((await second.receive()).text, requestText("OPTIONS"));
  });

  test("every closing waits until the port is free", async () => {
    const first = host();
    const { local } = first;
    first.close();
    await first.transports[0].close();
    await using second = new UdpHost([local], { udpIo });
    assertEquals(second.local, local);
  });

  test("a listener can be closed by what a message causes", async () => {
    const server = host();
    using peer = new UdpPeer(address);
    const closed = Promise.withResolvers<void>();
    server.onArrival = ({ flow }) => {
      flow.send("bye");
      server.close().then(closed.resolve, closed.reject);
    };
    await peer.send(requestText("OPTIONS"), server.local);
    assertEquals((await peer.receive()).text, "bye");
    await closed.promise;
  });

  test("two listeners work at once, each by itself", async () => {
    await using server = host(2);
    using peer = new UdpPeer(address);
    const [first, second] = server.transports;
    assert(first.local.port !== second.local.port);
    for (const { local } of [first, second]) {
      await peer.send(requestText("OPTIONS"), local);
      const { flow } = await server.receive();
      assertEquals(flow.transport.local, local);
      flow.send("answer");
      assertEquals((await peer.receive()).from, local);
    }
  });

  test("one of two listeners can close while the other goes on", async () => {
    await using server = host(2);
    using peer = new UdpPeer(address);
    const [first, second] = server.transports;
    for (let i = 0; i < 20; i++) {
      await peer.send(requestText("OPTIONS", { callId: `before-${i}` }), second.local);
    }
    await first.close();
    await peer.send(requestText("OPTIONS", { callId: "after" }), second.local);
    for (let i = 0; i < 20; i++) assertStringIncludes((await server.receive()).text, `before-${i}\r\n`);
    const { text, flow } = await server.receive();
    assertStringIncludes(text, "after");
    flow.send("still here");
    assertEquals((await peer.receive()).text, "still here");
  });

  test("an address in use is an error that names it, and what was opened before goes on", async () => {
    await using server = host();
    const error = assertThrows(() => new UdpHost([server.local], { udpIo }), FlowError);
    assertStringIncludes(error.message.toLowerCase(), "address already in use");
    assertStringIncludes(error.message, `Cannot listen on udp:${socketAddressText(server.local)}: `);
    using peer = new UdpPeer(address);
    await peer.send(requestText("OPTIONS"), server.local);
    await server.receive();
  });

  test("who watches a flow is told once when something cannot be sent, and never from within send", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    // Nobody can be at port 0, so the system refuses it at once.
    const nowhere = server.flowTo({ address, port: 0 });
    const told = Promise.withResolvers<Flow>();
    let count = 0;
    nowhere.watch({ flowClosed: (flow) => told.resolve((count++, flow)) });
    for (let i = 0; i < 32; i++) nowhere.send("to nowhere");
    for (let i = 0; i < 40; i++) server.flowTo(peer.local).send(`message ${i}`);
    assertEquals(count, 0);
    for (let i = 0; i < 40; i++) assertEquals((await peer.receive()).text, `message ${i}`);
    assert(await told.promise === nowhere);
    assertEquals([count, server.metrics.sendsFailed], [1, 32]);
  });

  test("an error of who is told that a flow failed is logged, and everything goes on", async () => {
    await using server = host();
    using peer = new UdpPeer(address);
    const flow = server.flowTo({ address, port: 0 });
    flow.watch({
      flowClosed() {
        throw new Error("oh no");
      },
    });
    flow.send("to nowhere");
    server.flowTo(peer.local).send("still here");
    assertEquals((await peer.receive()).text, "still here");
    await peer.send(requestText("OPTIONS"), server.local);
    await server.receive();
    assertEquals(server.metrics.internalErrors, 1);
    assert(server.logged.some((line) => line.includes("oh no")));
  });
}
