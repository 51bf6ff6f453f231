import fc from "fast-check";
import { byteArea, encodeLatin1, fromWire, latin1Bytes, ownCopy, toWire } from "../../src/lib/latin1.ts";
import { assertEquals } from "../support/assert.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);
const EVERY_CHAR = String.fromCharCode(...EVERY_BYTE);

Deno.test("every byte becomes one char, and every char its byte again", () => {
  assertEquals(byteArea(EVERY_BYTE).latin1Slice(0, 256), EVERY_CHAR);
  assertEquals(latin1Bytes(EVERY_CHAR), EVERY_BYTE);
});

Deno.test("a byte area is a view: what is written to the bytes is read from it", () => {
  const bytes = new Uint8Array(8);
  const area = byteArea(bytes.subarray(2, 6));
  bytes[2] = 0x41;
  assertEquals(area.length, 4);
  assertEquals(area.latin1Slice(0, 1), "A");
});

Deno.test("a text is written where it should be, and its length returned", () => {
  for (const text of ["", "plain", "caf\u00e9", "\u00ff\u0000\u0080"]) {
    const area = new Uint8Array(16);
    assertEquals(encodeLatin1(text, area, 3), text.length);
    assertEquals(byteArea(area).latin1Slice(3, 3 + text.length), text);
  }
});

Deno.test("a text written into the middle of an area leaves what lies around it alone", () => {
  const area = new Uint8Array(12).fill(0x2e);
  encodeLatin1("\u00e9\u00e8\u00ea", area, 4);
  assertEquals(byteArea(area).latin1Slice(0, 12), "....\u00e9\u00e8\u00ea.....");
});

Deno.test("a text fits an area of just its length", () => {
  for (const text of ["abc", "\u00e9\u00e9\u00e9", "ab\u00e9", "\u00e9ab"]) {
    const area = new Uint8Array(3);
    encodeLatin1(text, area);
    assertEquals(area, Uint8Array.from(text, (char) => char.charCodeAt(0)));
  }
});

Deno.test("Unicode text goes over the wire as UTF-8", () => {
  assertEquals(toWire("Zo\u00eb"), "Zo\u00c3\u00ab");
  assertEquals(fromWire("Zo\u00c3\u00ab"), "Zo\u00eb");
});

Deno.test("what is not UTF-8 reads as replacement characters", () => {
  assertEquals(fromWire("a\u00ffb\u00c3"), "a\ufffdb\ufffd");
});

Deno.test("any Unicode text comes back from the wire as it was, a byte order mark included", () => {
  const codePoint = fc.oneof(fc.nat(0xff), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }));
  fc.assert(
    fc.property(fc.array(codePoint), (codePoints) => {
      const text = String.fromCodePoint(...codePoints);
      assertEquals(fromWire(toWire(text)), text);
    }),
    { examples: [[[0xfeff, 0x41]]] },
  );
});

Deno.test("any bytes come back as they were", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assertEquals(latin1Bytes(byteArea(bytes).latin1Slice(0, bytes.length)), bytes);
  }));
});

Deno.test("an own copy is the same text", () => {
  for (const text of ["", "x", EVERY_CHAR.repeat(20).slice(7, 999)]) assertEquals(ownCopy(text), text);
});
