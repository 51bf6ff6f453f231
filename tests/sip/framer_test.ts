import fc from "fast-check";
import { type ByteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { Framer, type FrameSink, parseText } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { requestText, responseText } from "../support/messages.ts";

/** What comes out of a framer: `ping`, or a message, or a fault and what there was. */
class Sink implements FrameSink {
  readonly events: string[] = [];
  /** Memory of the last message. */
  last: ArrayBufferLike | undefined = undefined;

  message(bytes: ByteArea, start: number, end: number): void {
    this.last = bytes.buffer;
    this.events.push(bytes.latin1Slice(start, end));
  }

  ping(): void {
    this.events.push("ping");
  }

  broken(fault: string, bytes: ByteArea, start: number, end: number): void {
    this.events.push(`${fault}: ${bytes.latin1Slice(start, end)}`);
  }
}

/** The events of a stream that comes in these pieces. */
function frame(pieces: readonly string[], maxBytes = 65_536): string[] {
  const sink = new Sink();
  const framer = new Framer(maxBytes);
  for (const piece of pieces) framer.push(latin1Bytes(piece), sink);
  return sink.events;
}

const ALL_BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

const OPTIONS = requestText("OPTIONS");
const MESSAGE = requestText("MESSAGE", { body: `\r\n\r\n${ALL_BYTES}\r\n\r\nOPTIONS sip:h SIP/2.0\r\n\r\n` });
const RINGING = responseText(180, "INVITE");

/** A message with this row in place of its Content-Length. */
function withRow(row: string, body = ""): string {
  return OPTIONS.replace("Content-Length: 0\r\n", row) + body;
}

Deno.test("messages and pings come out the same wherever the stream is split in two", () => {
  const compact = withRow("l:4\r\nX-Last: 1\r\n", "\r\n\r\n");
  const stream = `\r\n\r\n${OPTIONS}${MESSAGE}\r\n\r\n\r\n\r\n${RINGING}\r\n${compact}${OPTIONS}`;
  const expected = ["ping", OPTIONS, MESSAGE, "ping", "ping", RINGING, compact, OPTIONS];
  assertEquals(frame([stream]), expected);
  assertEquals(frame([...stream]), expected);
  for (let i = 0; i <= stream.length; i++) {
    assertEquals(frame([stream.slice(0, i), stream.slice(i)]), expected, `split at ${i}`);
  }
});

Deno.test("any messages and pings come out as they went in, however the stream is split", () => {
  const space = fc.constantFrom("", " ", "\t", "  ", "\r\n ", " \r\n\t");
  const name = fc.constantFrom("Content-Length", "content-length", "CONTENT-LENGTH", "l", "L");
  const row = fc.constantFrom(
    "Call-ID: x\r\n",
    "c: text/plain\r\n",
    "Content-Type: a/b\r\n",
    "lx: 1\r\n",
    "X: l:9\r\n",
  );
  const body = fc.string({ unit: fc.constantFrom("\r", "\n", "a", "\xff", "\0", " ", ":"), maxLength: 30 });
  const message = fc.tuple(fc.array(row), name, space, space, fc.array(row), body).map(
    ([above, name, before, after, below, body]) =>
      `MESSAGE sip:h SIP/2.0\r\n${above.join("")}${name}${
        before.replace(/\r\n/, "")
      }:${before}${body.length}${after.replace(/\r\n/, "")}\r\n${below.join("")}\r\n${body}`,
  );
  const part = fc.oneof(message, fc.constant("ping"));
  fc.assert(fc.property(fc.array(part), fc.array(fc.nat(400)), (parts, cuts) => {
    const stream = parts.map((part) => part === "ping" ? "\r\n\r\n" : part).join("");
    const pieces: string[] = [];
    let at = 0;
    for (const cut of cuts) pieces.push(stream.slice(at, at += cut));
    pieces.push(stream.slice(at));
    assertEquals(frame(pieces), parts);
  }));
});

for (
  const [what, pieces, expected] of [
    ["one CRLF is not a ping", ["\r\n"], []],
    ["two CRLFs are one, also when they come apart", ["\r", "\n\r", "\n"], ["ping"]],
    ["seven CRLFs are three", ["\r\n".repeat(7), OPTIONS], ["ping", "ping", "ping", OPTIONS]],
    ["CRLFs before and behind a message do not add up", [`\r\n${OPTIONS}\r\n`], [OPTIONS]],
    ["line ends without their other half are passed over", [`\n\n\r\r\n\n\r${OPTIONS}`], [OPTIONS]],
  ] as [string, string[], string[]][]
) {
  Deno.test(`between messages: ${what}`, () => assertEquals(frame(pieces), expected));
}

for (
  const row of [
    "Content-Length: 3\r\n",
    "CONTENT-LENGTH:3\r\n",
    "content-length \t: 3 \t\r\n",
    "l: 3\r\n",
    "L:3\r\n",
    "l :\r\n 3\r\n",
    "Content-Length:\r\n\t \r\n  3\r\n \r\n",
    "l: 003\r\n",
    "Content-Length: 3\r\nX-Behind: it\r\n",
    "l: 3\r\nContent-Length: 3\r\n",
    "Content-Length: 3\n",
    "lx: 9\r\nContent-Lengths: 9\r\nX: a\r\n l: 9\r\nl: 3\r\n",
  ]
) {
  Deno.test(`the length is found in ${JSON.stringify(row)}`, () => {
    const text = withRow(row, "abc");
    assertEquals(frame([text + OPTIONS]), [text, OPTIONS]);
    assertEquals(frame([...text, OPTIONS]), [text, OPTIONS]);
  });
}

for (
  const [fault, row] of [
    ["no length", ""],
    ["no length", "X: l: 3\r\n"],
    ["bad length", "Content-Length: -1\r\n"],
    ["bad length", "Content-Length: +3\r\n"],
    ["bad length", "Content-Length: 0x3\r\n"],
    ["bad length", "Content-Length: 3 3\r\n"],
    ["bad length", "Content-Length: 1\r\n 2\r\n"],
    ["bad length", "Content-Length: 3, 3\r\n"],
    ["bad length", "Content-Length:\r\n"],
    ["bad length", "l: 3\r\nContent-Length: 4\r\n"],
    ["bad length", "l: x\r\nContent-Length: 3\r\n"],
    ["too long", "Content-Length: 1000000000\r\n"],
    ["too long", "Content-Length: 99999999999999999999999999\r\n"],
    ["too long", `Content-Length: ${"9".repeat(400)}\r\n`],
  ]
) {
  Deno.test(`a message with ${JSON.stringify(row).slice(0, 50)} ends the stream: ${fault}`, () => {
    const text = withRow(row);
    const expected = [OPTIONS, `${fault}: ${text}`];
    assertEquals(frame([`${OPTIONS}${text}abc${OPTIONS}\r\n\r\n`, OPTIONS]), expected);
    assertEquals(frame([...OPTIONS, ...text, ...OPTIONS]), expected);
  });
}

Deno.test("what does not begin like a message ends the stream at once", () => {
  for (const text of ["\x00\x01\x00\x00", "\x16\x03\x01", "{}", " OPTIONS"]) {
    assertEquals(frame([`${OPTIONS}\r\n${text}`, OPTIONS]), [OPTIONS, `not sip: ${text}`]);
  }
});

Deno.test("a message may have as many bytes as allowed, and not one more", () => {
  const text = withRow("Content-Length: 3\r\n", "abc");
  for (const pieces of [[text], [...text]]) {
    assertEquals(frame(pieces, text.length), [text]);
    assertEquals(frame(pieces, text.length - 1), [`too long: ${text.slice(0, -3)}`]);
  }
  for (const pieces of [[OPTIONS], [...OPTIONS]]) {
    assertEquals(frame(pieces, OPTIONS.length), [OPTIONS]);
  }
});

Deno.test("a header without an end is given up when it has as many bytes as a message may have", () => {
  const endless = `OPTIONS sip:h SIP/2.0\r\n${"X: y\r\n".repeat(20_000)}`;
  for (const size of [1, 1_000, 65_535, 65_536, 100_000]) {
    const pieces: string[] = [];
    for (let at = 0; at < endless.length; at += size) pieces.push(endless.slice(at, at + size));
    assertEquals(frame(pieces), [`too long: ${endless.slice(0, 65_536)}`]);
  }
});

Deno.test("nothing comes out once it is stopped, also from within", () => {
  const framer = new Framer(65_536);
  const sink = new Sink();
  const stopping: FrameSink = {
    message: (...args) => (sink.message(...args), framer.stop()),
    ping: () => sink.ping(),
    broken: (...args) => sink.broken(...args),
  };
  framer.push(latin1Bytes(`${OPTIONS}${OPTIONS}\r\n\r\n`), stopping);
  framer.push(latin1Bytes(OPTIONS), stopping);
  assertEquals(sink.events, [OPTIONS]);
});

Deno.test("a message that lies whole in a chunk is handed on without a copy", () => {
  const sink = new Sink();
  const chunk = latin1Bytes(OPTIONS + MESSAGE.slice(0, 9));
  new Framer(65_536).push(chunk, sink);
  assert(sink.last === chunk.buffer);
});

Deno.test("bytes are kept only of an unfinished message, and its memory is given back", () => {
  const framer = new Framer(65_536);
  const sink = new Sink();
  const large = requestText("MESSAGE", { body: "x".repeat(60_000) });
  assert(!framer.isPartial);
  for (const empty of ["\r", "\n", "\r\n", OPTIONS]) {
    framer.push(latin1Bytes(empty), sink);
    assert(!framer.isPartial);
  }
  framer.push(latin1Bytes(large.slice(0, 50_000)), sink);
  assert(framer.isPartial);
  framer.push(latin1Bytes(large.slice(50_000) + OPTIONS.slice(0, 5)), sink);
  assertEquals(sink.last!.byteLength, 65_536);
  assert(framer.isPartial);
  framer.push(latin1Bytes(OPTIONS.slice(5)), sink);
  assertEquals(sink.last!.byteLength, 1_024);
  assert(!framer.isPartial);
  assertEquals(sink.events, ["ping", OPTIONS, large, OPTIONS]);
});

Deno.test("a stream takes time in proportion to its bytes, one by one and all at once", () => {
  const count = 10_000;
  const one = OPTIONS.repeat(count);
  assertEquals(frame([one]).length, count);
  const large = latin1Bytes(
    requestText("MESSAGE", { body: "x".repeat(900_000) }).replace("Via", `X: ${"y".repeat(100_000)}\r\nVia`),
  );
  const framer = new Framer(2_000_000);
  const sink = new Sink();
  // Were anything looked at twice, a million reads of a message of a million bytes would never end.
  for (let i = 0; i < large.length; i++) framer.push(large.subarray(i, i + 1), sink);
  assertEquals(sink.events.length, 1);
});

Deno.test("where the parser finds no fault, it sees the message end where the stream was cut", () => {
  const row = fc.constantFrom(
    ..."\n,\r\n,X: a\n,X: a\r\r\n, \r\n, l: 1\r\n,l: 1\r\n,l : 2\r\n,L:\r\n 2\r\n,Content-Length: 3\r\n,c:\r\n,lx\r\n,: 4\r\n"
      .split(","),
  );
  fc.assert(fc.property(fc.array(row, { maxLength: 3 }), (rows) => {
    const text = withRow(rows.join(""), "abcdef");
    const [first = ""] = frame([text]);
    if (!text.startsWith(first)) return;
    const message = parseText(text.slice(0, first.length));
    if (message?.fault === undefined) assertEquals(parseText(text)?.text, first);
  }));
});
