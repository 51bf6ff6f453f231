import { OPCODE } from "../../src/websocket/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { turn, type WsHost } from "./ws_host.ts";
import { control, frames, hostFor, odd, RawWs } from "./ws_raw.ts";

const TEXT = requestText("OPTIONS");

/** Long enough for anything that is on its way on this machine. */
async function someTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

/** Turns the clock by steps until `isSo`. */
async function turnedUntil(host: WsHost, step: number, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    host.clock.advance(step);
    await turn();
  }
}

for (const protocol of ["ws", "wss"] as const) {
  const test = (sentence: string, body: () => Promise<void>) => Deno.test(`${protocol}: ${sentence}`, body);

  test("messages arrive one by one, however their bytes are split", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    const bytes = frames(TEXT, TEXT, TEXT);
    for (const size of [1, 7, 100, bytes.length]) {
      for (let at = 0; at < bytes.length; at += size) {
        await peer.write(bytes.subarray(at, at + size));
        if (size === 7) await turn();
      }
      for (let i = 0; i < 3; i++) assertEquals((await host.receive()).text, TEXT);
    }
  });

  test("answers of one turn leave in their order, each in its frame", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    host.onMessage = (_, flow) => ["a", "b".repeat(200), "c"].forEach((text) => flow.send(text));
    await peer.write(frames(TEXT));
    for (const text of ["a", "b".repeat(200), "c"]) {
      assertEquals(await peer.frame(), { opcode: OPCODE.text, text });
    }
  });

  test("a Ping is answered with its own bytes, also between the pieces of a message", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    const half = new TextEncoder().encode(TEXT.slice(0, 100));
    await peer.write(odd(OPCODE.text, half), control("ping", [1, 2, 3]));
    assertEquals(await peer.frame(), { opcode: OPCODE.pong, text: "\x01\x02\x03" });
    const rest = frames(TEXT.slice(100));
    rest[0] = 0x80;
    await peer.write(rest);
    assertEquals((await host.receive()).text, TEXT);
  });

  test("Pings without end are not answered one by one to who does not read", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    const pings = new Uint8Array(1_000 * 131);
    for (let i = 0; i < 1_000; i++) pings.set(control("ping", new Uint8Array(125)), i * 131);
    for (let i = 0; i < 100; i++) await peer.write(pings);
    await peer.write(frames(TEXT));
    const { flow } = await host.receive();
    assert(!flow.isGone);
    // What was sent by then is little, and comes to an end.
    flow.send("that was all");
    for (let count = 0;; count++) {
      const frame = await peer.frame();
      if (frame?.opcode === OPCODE.text) break;
      assert(count < 100_000);
    }
  });

  test("control frames do not give an unfinished message more time", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    await peer.write(frames(TEXT));
    await host.receive();
    await peer.write(odd(OPCODE.text, new TextEncoder().encode("OPTIONS ")), control("ping"));
    assertEquals((await peer.frame())?.opcode, OPCODE.pong);
    for (let i = 0; i < 4; i++) {
      host.clock.advance(1_200);
      await peer.write(control("ping"));
      assertEquals((await peer.frame())?.opcode, OPCODE.pong);
    }
    host.clock.advance(200);
    assertEquals(host.metrics.connectionsSlow, 1);
    assertEquals(await peer.closeCode(), 1008);
  });

  for (
    const [sentence, bytes, code] of [
      ["a frame that is not masked", Uint8Array.of(0x81, 1, 0x41), 1002],
      ["a reserved bit", odd(0xc1, Uint8Array.of(0x41)), 1002],
      ["a kind of frame that does not exist", odd(0x83, new Uint8Array(1)), 1002],
      ["a piece of nothing", odd(0x80, new Uint8Array(1)), 1002],
      ["a Ping in pieces", odd(0x09, new Uint8Array(1)), 1002],
      ["a Close with a code nobody may send", control("close", [1005 >> 8, 1005 & 255]), 1002],
    ] as const
  ) {
    test(`${sentence} ends its connection with ${code}, and is counted`, async () => {
      await using host = await hostFor(protocol);
      using peer = await RawWs.open(host);
      await peer.write(bytes);
      assertEquals(await peer.closeCode(), code);
      assertEquals(host.metrics.connectionsBroken, 1);
    });
  }

  for (const code of [1000, 4321]) {
    test(`who says goodbye with ${code} hears it again, after what is due to it`, async () => {
      await using host = await hostFor(protocol);
      using peer = await RawWs.open(host);
      host.onMessage = (_, flow) => flow.send("answer");
      await peer.write(frames(TEXT), control("close", [code >> 8, code & 255]), frames(TEXT));
      assertEquals(await peer.frame(), { opcode: OPCODE.text, text: "answer" });
      assertEquals(await peer.closeCode(), code);
      assertEquals([host.metrics.requestsReceived, host.metrics.connectionsBroken], [1, 0]);
    });
  }

  test("who says goodbye and ends its side while it is answered keeps nobody", async () => {
    const host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    host.onMessage = (_, flow) => flow.send("x".repeat(20_000));
    await peer.write(
      ...Array.from({ length: 10 }, () => frames(TEXT)),
      control("close", [1000 >> 8, 1000 & 255]),
    );
    await peer.endWriting();
    await host.counted("requestsReceived", 10);
    // Who ends TLS hears nothing more.
    if (protocol === "ws") {
      for (let i = 0; i < 10; i++) assertEquals((await peer.frame())?.text.length, 20_000);
      assertEquals(await peer.closeCode(), 1000);
    }
    await host[Symbol.asyncDispose]();
  });

  test("who says goodbye without a code hears none", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    await peer.write(control("close"));
    assertEquals(await peer.closeCode(), 1005);
  });

  test("who pours on after it was told goodbye is cut off", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    const pour = async () => {
      for (;;) await peer.write(new Uint8Array(10_000));
    };
    const error = await pour().catch((error) => error);
    assert(error instanceof Error);
    await host.counted("connectionsBroken", 1);
  });

  test("one who asks and does not read is no longer read from, until it does", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    const answer = "x".repeat(2_000);
    host.onMessage = (_, flow) => assert(flow.send(answer));
    const count = 10_000;
    const asked = peer.write(frames(...Array.from({ length: count }, () => TEXT)));
    let before = -1;
    for (; before !== host.metrics.requestsReceived; await someTurns()) {
      before = host.metrics.requestsReceived;
    }
    assert(before > 0 && before < count, `${before} were read`);
    for (let i = 0; i < count; i++) assertEquals((await peer.frame())?.text.length, answer.length);
    await asked;
    assertEquals(host.metrics.connectionsFull, 0);
  });

  test("one who does not read is closed when its queue is full, and hears nothing more", async () => {
    await using host = await hostFor(protocol, { writeQueue: 100_000 });
    using peer = await RawWs.open(host);
    await peer.write(frames(TEXT));
    const { flow } = await host.receive();
    const text = "x".repeat(50_000);
    while (flow.send(text)) await turn();
    await host.counted("connectionsFull", 1);
    assert(flow.isGone);
  });

  test("one who does not read Pings either is closed for its silence", async () => {
    await using host = await hostFor(protocol);
    using peer = await RawWs.open(host);
    await peer.write(frames(TEXT));
    const { flow } = await host.receive();
    await turnedUntil(host, 1_000, () => flow.isGone);
    assertEquals(host.metrics.connectionsIdle, 1);
  });
}
