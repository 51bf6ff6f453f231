import fc from "fast-check";
import { hashText, mixHash } from "../../src/lib/hash.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** What FNV-1a starts from. */
const BASIS = 0x811c9dc5;

Deno.test("texts hash as FNV-1a says", () => {
  const table: [string, number][] = [
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["b", 0xe70c2de5],
    ["foobar", 0xbf9cf968],
  ];
  for (const [text, hash] of table) assertEquals(hashText(text, BASIS), hash, text);
});

Deno.test("hashing two texts in a row is hashing them joined", () => {
  fc.assert(fc.property(fc.string(), fc.string(), fc.nat(), (a, b, seed) => {
    assertEquals(hashText(b, hashText(a, seed)), hashText(a + b, seed));
  }));
});

Deno.test("another seed gives another hash", () => {
  assert(hashText("sip:alice@example.com", 1) !== hashText("sip:alice@example.com", 2));
});

Deno.test("hashes that differ still do when they are mixed, and spread over any few bits", () => {
  const mixed = new Set<number>();
  const low = new Set<number>();
  for (let i = 0; i < 10_000; i++) {
    // Numbers that differ only in their high bits.
    const hash = mixHash(i << 18);
    mixed.add(hash);
    low.add(hash & 255);
  }
  assertEquals(mixed.size, 10_000);
  assertEquals(low.size, 256);
  assertEquals(mixHash(1), 0x514e28b7);
});
