import { isStun } from "../../src/stun/mod.ts";
import { attributeBytes, readUint16, readUint32, ResponseWriter } from "../../src/stun/message.ts";
import { REQUEST, REQUESTS, RESPONSES } from "../data/rfc5769.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { stunRequest } from "../support/stun.ts";

/** The bytes amid others, as in the memory of a batch. */
function isStunAmid(bytes: Uint8Array): boolean {
  const area = new Uint8Array(bytes.length + 40).fill(0x21);
  area.set(bytes, 20);
  return isStun(area, 20, 20 + bytes.length);
}

for (const { section, bytes } of [...REQUESTS, ...RESPONSES]) {
  Deno.test(`the message of ${section} is STUN`, () => {
    assert(isStunAmid(bytes));
  });
}

/** A Binding request with the byte at `at` changed to `value`. */
function changed(at: number, value: number): Uint8Array {
  const bytes = stunRequest();
  bytes[at] = value;
  return bytes;
}

const NEAR_MISSES: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", new Uint8Array()],
  ["one byte", Uint8Array.of(0)],
  ["a header that lacks a byte", stunRequest().subarray(0, 19)],
  ["a first bit that is one", changed(0, 0x80)],
  ["a second bit that is one", changed(0, 0x40)],
  ["another cookie", changed(7, 0x43)],
  ["a length that is too great", changed(3, 4)],
  ["a length that is too small", REQUEST.bytes.with(3, 0x54)],
  ["a length that is no multiple of four", Uint8Array.from([...changed(3, 2), 0, 0])],
  ["one byte behind the end", Uint8Array.from([...stunRequest(), 0])],
];

for (const [what, bytes] of NEAR_MISSES) {
  Deno.test(`${what} makes it no STUN`, () => {
    assert(!isStunAmid(bytes));
  });
}

Deno.test("numbers are read with the highest byte first, and without a sign", () => {
  const bytes = Uint8Array.of(0, 0xfe, 0xdc, 0xba, 0x98);
  assertEquals([readUint16(bytes, 1), readUint32(bytes, 1)], [0xfedc, 0xfedcba98]);
});

Deno.test("attributes are padded to four bytes, and their lengths do not count that", () => {
  assertEquals([0, 1, 4, 5].map(attributeBytes), [4, 8, 8, 12]);
  const writer = new ResponseWriter(0x0101, stunRequest(), 0, 12 + 4);
  const at = writer.attribute(0x8022, 5);
  writer.bytes.fill(0x61, at, at + 5);
  writer.attribute(0x8023, 0);
  assertEquals([...writer.bytes.subarray(20)], [
    ...[0x80, 0x22, 0, 5, 0x61, 0x61, 0x61, 0x61, 0x61, 0, 0, 0],
    ...[0x80, 0x23, 0, 0],
  ]);
});
