import { MAX_EXPIRES, parseExpires, parseQ } from "../../src/sip/contact.ts";
import { MalformedError } from "../../src/sip/errors.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("seconds are decimal, and as many as there can be when they are more", () => {
  const table: [string | undefined, number | undefined][] = [
    ["0", 0],
    ["3600", 3600],
    ["0060", 60],
    ["4294967295", MAX_EXPIRES],
    ["4294967296", MAX_EXPIRES],
    ["1" + "0".repeat(500), MAX_EXPIRES],
  ];
  for (const [text, seconds] of table) assertEquals(parseExpires(text), seconds, text);
});

Deno.test("what is no number of seconds leaves it to the default", () => {
  for (
    const text of [undefined, "", " ", "-1", "+1", "1.5", "3600 ", "1h", "0x10", "\u0663", "Thu, 01 Dec 2040"]
  ) {
    assertEquals(parseExpires(text), undefined, text);
  }
});

Deno.test("a preference is from 0 to 1 with up to three decimals", () => {
  const table: [string, number][] = [
    ["0", 0],
    ["0.", 0],
    ["0.0", 0],
    ["0.5", 0.5],
    ["0.33", 0.33],
    ["0.125", 0.125],
    ["1", 1],
    ["1.", 1],
    ["1.000", 1],
  ];
  for (const [text, q] of table) assertEquals(parseQ(text), q, text);
});

Deno.test("any other preference is malformed", () => {
  for (
    const text of ["", ".5", "2", "1.1", "1.001", "0.1234", "1.0000", "-0", "0,5", "0.5 ", "a", "00", '"0.5"']
  ) {
    assertThrows(() => parseQ(text), MalformedError);
  }
});
