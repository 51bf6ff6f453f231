import { Tokens } from "../../src/lib/token.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";

Deno.test("a token has the length asked for, and is a token of SIP in lower case", () => {
  const tokens = new Tokens();
  for (const length of [0, 1, 12, 32, 4096]) {
    assertMatch(tokens.next(length), new RegExp(`^[a-z2-7]{${length}}$`));
  }
});

Deno.test("ten thousand tokens are all different, and use every letter", () => {
  const tokens = new Tokens();
  const seen = new Set<string>();
  const letters = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const token = tokens.next(12);
    seen.add(token);
    for (const letter of token) letters.add(letter);
  }
  assertEquals(seen.size, 10_000);
  assertEquals(letters.size, 32);
});

Deno.test("two sources give different tokens", () => {
  assert(new Tokens().next(20) !== new Tokens().next(20));
});

Deno.test("the system's generator is asked once for thousands of letters", () => {
  const original = crypto.getRandomValues;
  let calls = 0;
  crypto.getRandomValues = <T>(array: T) => {
    calls++;
    return original.call(crypto, array as Uint8Array<ArrayBuffer>) as T;
  };
  try {
    const tokens = new Tokens();
    for (let i = 0; i < 400; i++) tokens.next(10);
    assertEquals(calls, 1);
    for (let i = 0; i < 10; i++) tokens.next(10);
    assertEquals(calls, 2);
  } finally {
    crypto.getRandomValues = original;
  }
});

Deno.test("a seed is an unsigned number of 32 bits", () => {
  const tokens = new Tokens();
  const seeds = Array.from({ length: 100 }, () => tokens.uint32());
  assert(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff));
  assert(new Set(seeds).size > 90);
});
