import fc from "fast-check";
import { latin1Bytes } from "../../src/lib/latin1.ts";
import {
  CLOSE_CODE,
  controlFrame,
  type FrameLimits,
  FrameReader,
  messageFrames,
  OPCODE,
} from "../../src/websocket/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";

const CLIENTS: FrameLimits = { messageBytes: 65_536, messageFrames: 256, isMasked: true };
const SERVERS: FrameLimits = { ...CLIENTS, isMasked: false };

/** Tells in words what a reader finds. */
class Told {
  readonly events: string[] = [];

  message(bytes: { latin1Slice(start: number, end: number): string }, start: number, end: number): void {
    this.events.push(`message ${bytes.latin1Slice(start, end)}`);
  }

  pinged(payload: Uint8Array): void {
    this.events.push(`ping ${String.fromCharCode(...payload)}`);
  }

  ponged(): void {
    this.events.push("pong");
  }

  closed(code: number): void {
    this.events.push(`closed ${code}`);
  }

  broken(code: number): void {
    this.events.push(`broken ${code}`);
  }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (byte) => parseInt(byte, 16));
}

/** What a reader tells of chunks, which it gets as copies: it may write to them. */
function read(limits: FrameLimits, ...chunks: Uint8Array[]): string[] {
  const reader = new FrameReader(limits);
  const told = new Told();
  for (const chunk of chunks) reader.push(chunk.slice(), told);
  return told.events;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const mask = () => 0x9a7b1c02;

/** A frame of a client: its first byte, and its payload. */
function frame(first: number, payload: string): Uint8Array {
  const bytes = messageFrames([payload], 0, 1, mask);
  bytes[0] = first;
  return bytes;
}

for (
  const [sentence, limits, hex, ...events] of [
    ["an unmasked text", SERVERS, "81 05 48 65 6c 6c 6f", "message Hello"],
    ["a masked text", CLIENTS, "81 85 37 fa 21 3d 7f 9f 4d 51 58", "message Hello"],
    ["a text in two frames", SERVERS, "01 03 48 65 6c 80 02 6c 6f", "message Hello"],
    ["a Ping", SERVERS, "89 05 48 65 6c 6c 6f", "ping Hello"],
    ["a masked Pong", CLIENTS, "8a 85 37 fa 21 3d 7f 9f 4d 51 58", "pong"],
  ] as readonly [string, FrameLimits, string, ...string[]][]
) {
  Deno.test(`frames: ${sentence} of RFC 6455 §5.7 is read, split anywhere`, () => {
    const bytes = bytesOf(hex);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        assertEquals(read(limits, ...chunks), events);
      }
    }
  });
}

for (const [head, length] of [["82 7e 01 00", 256], ["82 7f 00 00 00 00 00 01 00 00", 65_536]] as const) {
  Deno.test(`frames: ${length} bytes of RFC 6455 §5.7 are read`, () => {
    const events = read(SERVERS, bytesOf(head), new Uint8Array(length).fill(0x41));
    assertEquals(events, [`message ${"A".repeat(length)}`]);
  });
}

Deno.test("frames: control frames between the pieces of a message do not disturb it", () => {
  const bytes = joined(
    frame(OPCODE.text, "one "),
    controlFrame(OPCODE.ping, latin1Bytes("p"), mask),
    frame(OPCODE.continuation, "two "),
    controlFrame(OPCODE.pong, new Uint8Array(125), mask),
    frame(OPCODE.continuation, ""),
    frame(0x80, "three"),
    frame(0x81, ""),
  );
  const events = ["ping p", "pong", "message one two three", "message "];
  for (let at = 0; at <= bytes.length; at++) {
    assertEquals(read(CLIENTS, bytes.subarray(0, at), bytes.subarray(at)), events);
  }
});

Deno.test("frames: what was written is read again, whatever it is and however it is split", () => {
  const part = fc.oneof(
    fc.record({ kind: fc.constant("message"), text: fc.string({ unit: latin1(), maxLength: 300 }) }),
    fc.record({ kind: fc.constant("ping"), text: fc.string({ unit: latin1(), maxLength: 125 }) }),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
      fc.integer(),
      fc.boolean(),
      (parts, sizes, number, isClient) => {
        const masks = isClient ? () => number : undefined;
        const bytes = joined(
          ...parts.map(({ kind, text }) =>
            kind === "ping"
              ? controlFrame(OPCODE.ping, latin1Bytes(text), masks)
              : messageFrames([text], 0, 1, masks)
          ),
        );
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const size of sizes) chunks.push(bytes.subarray(at, at += size));
        chunks.push(bytes.subarray(at));
        const events = parts.map(({ kind, text }) => `${kind} ${text}`);
        assertEquals(read(isClient ? CLIENTS : SERVERS, ...chunks), events);
      },
    ),
  );
});

Deno.test("frames: no bytes make the reader throw, or tell anything after the end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
      fc.boolean(),
      (chunks, isMasked) => {
        const events = read({ messageBytes: 100, messageFrames: 3, isMasked }, ...chunks);
        const last = events.findIndex((event) => /^(broken|closed)/.test(event));
        assert(last < 0 || last === events.length - 1);
      },
    ),
  );
});

for (
  const [sentence, bytes, code] of [
    ["no mask", bytesOf("81 01 41"), CLOSE_CODE.protocolError],
    ["RSV1", frame(0xc1, "a"), CLOSE_CODE.protocolError],
    ["RSV2", frame(0xa1, "a"), CLOSE_CODE.protocolError],
    ["RSV3", frame(0x91, "a"), CLOSE_CODE.protocolError],
    ["opcode 3", frame(0x83, "a"), CLOSE_CODE.protocolError],
    ["opcode 11", frame(0x8b, "a"), CLOSE_CODE.protocolError],
    ["a continuation of nothing", frame(0x80, "a"), CLOSE_CODE.protocolError],
    ["a text within a text", joined(frame(1, "a"), frame(0x81, "b")), CLOSE_CODE.protocolError],
    ["a Ping in pieces", frame(9, "a"), CLOSE_CODE.protocolError],
    ["a Ping of 126 bytes", frame(0x89, "a".repeat(126)), CLOSE_CODE.protocolError],
    ["a Close of one byte", frame(0x88, "a"), CLOSE_CODE.protocolError],
    ["a Close with 999", frame(0x88, "\x03\xe7"), CLOSE_CODE.protocolError],
    ["a Close with 1006", frame(0x88, "\x03\xee"), CLOSE_CODE.protocolError],
    ["a Close with 5000", frame(0x88, "\x13\x88"), CLOSE_CODE.protocolError],
    ["a Close whose reason is not UTF-8", frame(0x88, "\x03\xe8\xff"), CLOSE_CODE.notUtf8],
    ["text that is not UTF-8", frame(0x81, "caf\xe9"), CLOSE_CODE.notUtf8],
    [
      "text that is not UTF-8, in pieces that are short",
      joined(frame(1, "\xc3"), frame(0x80, "\x28")),
      CLOSE_CODE.notUtf8,
    ],
    ["2^63 bytes announced", bytesOf("82 ff 80 00 00 00 00 00 00 00 00 00 00 00"), CLOSE_CODE.tooBig],
  ] as readonly [string, Uint8Array, number][]
) {
  Deno.test(`frames: ${sentence} breaks the stream with ${code}, and nothing after it is read`, () => {
    assertEquals(read(CLIENTS, joined(frame(0x81, "ok"), bytes, frame(0x81, "late"))).slice(-1), [
      `broken ${code}`,
    ]);
    assertEquals(read(CLIENTS, ...Array.from(bytes, (byte) => Uint8Array.of(byte)), frame(0x81, "late")), [
      `broken ${code}`,
    ]);
  });
}

Deno.test("frames: UTF-8 that is split between two frames is good", () => {
  assertEquals(read(CLIENTS, frame(1, "\xc3"), frame(0x80, "\xbc")), ["message \xc3\xbc"]);
});

Deno.test("frames: a message may have as many bytes as are allowed, in one frame or more, and not one more", () => {
  const limits = { messageBytes: 100, messageFrames: 256, isMasked: true };
  assertEquals(read(limits, frame(0x81, "x".repeat(100))), [`message ${"x".repeat(100)}`]);
  assertEquals(read(limits, frame(0x81, "x".repeat(101))), ["broken 1009"]);
  const half = frame(1, "x".repeat(50));
  assertEquals(read(limits, half, frame(0x80, "x".repeat(50))), [`message ${"x".repeat(100)}`]);
  assertEquals(read(limits, half, frame(0x80, "x".repeat(51))), ["broken 1009"]);
});

Deno.test("frames: a message may have as many pieces as are allowed, and not one more", () => {
  const limits = { messageBytes: 100, messageFrames: 3, isMasked: true };
  const pieces = [frame(1, ""), frame(0, ""), frame(0x80, "")];
  assertEquals(read(limits, ...pieces, ...pieces), ["message ", "message "]);
  assertEquals(read(limits, pieces[0], pieces[1], pieces[1], pieces[2]), ["broken 1008"]);
});

for (
  const [code, payload] of [[1000, "\x03\xe8"], [1001, "\x03\xe9bye"], [4999, "\x13\x87"], [
    1005,
    "",
  ]] as const
) {
  Deno.test(`frames: a Close with ${code} ends everything`, () => {
    const bytes = joined(frame(0x88, payload), frame(0x81, "late"));
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(read(CLIENTS, bytes.subarray(0, at), bytes.subarray(at)), [`closed ${code}`]);
    }
  });
}

Deno.test("frames: the reader knows whether a message is under way", () => {
  const reader = new FrameReader(CLIENTS);
  const told = new Told();
  const after = (bytes: Uint8Array) => (reader.push(bytes, told), reader.isPartial);
  assertEquals(reader.isPartial, false);
  assertEquals(after(controlFrame(OPCODE.ping, latin1Bytes("abc"), mask).subarray(0, 1)), false);
  assertEquals(after(controlFrame(OPCODE.ping, latin1Bytes("abc"), mask).subarray(1, 8)), false);
  assertEquals(after(controlFrame(OPCODE.ping, latin1Bytes("abc"), mask).subarray(8)), false);
  const text = frame(0x81, "text");
  assertEquals(after(text.slice(0, 1)), true);
  assertEquals(after(text.slice(1, 8)), true);
  assertEquals(after(text.slice(8)), false);
  assertEquals(after(frame(1, "text")), true);
  assertEquals(after(frame(0x89, "ping")), true);
  reader.stop();
  assertEquals(reader.isPartial, false);
});

for (
  const [sentence, text, hex] of [
    ["an unmasked text", "Hello", "81 05 48 65 6c 6c 6f"],
    ["what is not UTF-8", "\xff", "82 01 ff"],
    ["nothing", "", "81 00"],
  ] as const
) {
  Deno.test(`frame writer: ${sentence} is written as RFC 6455 §5.7 and RFC 7118 §4.2 have it`, () => {
    assertEquals([...messageFrames([text], 0, 1)], [...bytesOf(hex)]);
  });
}

Deno.test("frame writer: a client's text is masked as in RFC 6455 §5.7", () => {
  const bytes = messageFrames(["Hello"], 0, 1, () => 0x3d21fa37);
  assertEquals([...bytes], [...bytesOf("81 85 37 fa 21 3d 7f 9f 4d 51 58")]);
});

for (const [length, head] of [[125, "81 7d"], [126, "81 7e 00 7e"], [65_535, "81 7e ff ff"]] as const) {
  Deno.test(`frame writer: ${length} bytes have the shortest header there is`, () => {
    const bytes = messageFrames(["x".repeat(length)], 0, 1);
    const start = bytesOf(head);
    assertEquals([...bytes.subarray(0, start.length)], [...start]);
    assertEquals(bytes.length, start.length + length);
  });
}

Deno.test("frame writer: 65536 bytes have a length of eight", () => {
  const bytes = messageFrames(["x".repeat(65_536)], 0, 1);
  assertEquals([...bytes.subarray(0, 10)], [...bytesOf("81 7f 00 00 00 00 00 01 00 00")]);
});

Deno.test("frame writer: of several texts those asked for are written", () => {
  assertEquals(read(SERVERS, messageFrames(["a", "b", "c", "d"], 1, 3)), ["message b", "message c"]);
});

/** Any char of a message: one byte. */
function latin1(): fc.Arbitrary<string> {
  return fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));
}
