import fc from "fast-check";
import { crc32 as reference } from "node:zlib";
import { crc32 } from "../../src/stun/crc32.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("the checksum is the one of ITU V.42", () => {
  const check = new TextEncoder().encode("123456789");
  assertEquals(crc32(check, 0, check.length), 0xcbf43926);
  assertEquals(crc32(check, 3, 3), 0);
});

Deno.test("only the bytes asked for count", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.nat(20), fc.nat(20), (bytes, before, behind) => {
    const area = new Uint8Array(before + bytes.length + behind).fill(0xaa);
    area.set(bytes, before);
    assertEquals(crc32(area, before, before + bytes.length), reference(bytes));
  }));
});
