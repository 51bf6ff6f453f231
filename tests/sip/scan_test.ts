import { latin1Bytes } from "../../src/lib/latin1.ts";
import {
  COMMA,
  cut,
  decimalOf,
  find,
  isDigit,
  isHexDigit,
  isHostChar,
  isSpace,
  isTokenChar,
  isUriParamChar,
  isUserChar,
  parseDecimal,
  skipDigits,
  skipHost,
  skipQuoted,
  skipSpace,
  skipToken,
  sourceOf,
  splitList,
  trimEnd,
  trimSpace,
  unfold,
} from "../../src/sip/scan.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The bytes of a class, as text. */
function members(isMember: (code: number) => boolean): string {
  let text = "";
  for (let code = 0; code < 256; code++) if (isMember(code)) text += String.fromCharCode(code);
  return text;
}

const sorted = (chars: string): string => [...chars].sort().join("");
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const ALPHANUM = LETTERS + "0123456789";

Deno.test("each class of chars holds what RFC 3261 §25.1 says", () => {
  assertEquals(members(isTokenChar), sorted(ALPHANUM + "-.!%*_+`'~"));
  assertEquals(members(isSpace), "\t\n\r ");
  assertEquals(members(isDigit), "0123456789");
  assertEquals(members(isHexDigit), sorted("0123456789abcdefABCDEF"));
});

Deno.test("hosts, users and URI parameters take a little more than RFC 3261 §25.1 says", () => {
  const unreserved = ALPHANUM + "-_.!~*'()";
  assertEquals(members(isHostChar), sorted(ALPHANUM + "-." + "_"));
  assertEquals(members(isUserChar), sorted(unreserved + "&=+$,;?/" + "%:" + "#[]^|"));
  assertEquals(members(isUriParamChar), sorted(unreserved + "[]/:&+$" + "%" + "^|"));
});

Deno.test("a step over chars stops at the first that is of another kind, or at the end", () => {
  const table: [typeof skipSpace, string, number][] = [
    [skipSpace, " \t\r\n x", 5],
    [skipSpace, "   ", 3],
    [skipToken, "a-token!;x", 8],
    [skipToken, ";", 0],
    [skipHost, "a.example-1.org:5060", 15],
    [skipDigits, "0123x", 4],
    [skipDigits, "999", 3],
  ];
  for (const [skip, text, stop] of table) {
    assertEquals(skip(latin1Bytes(text), 0, text.length), stop, text);
  }
});

Deno.test("no step goes beyond its end, whatever comes there", () => {
  const bytes = latin1Bytes("xx     ");
  assertEquals(skipSpace(bytes, 2, 4), 4);
  assertEquals(skipToken(bytes, 0, 1), 1);
  assertEquals(find(bytes, 0, 2, 0x20), 2);
  assertEquals(trimEnd(bytes, 3, 6), 3);
  assertEquals(trimEnd(bytes, 0, 7), 2);
});

Deno.test("a quoted string ends at the first quote that is not escaped", () => {
  const table: [string, number][] = [
    ['"abc";', 5],
    ['""', 2],
    ['"a\\"b" ', 6],
    ['"a\\\\" "', 5],
    ['"a\\\\\\"b"', 8],
    ['"open', -1],
    ['"open\\"', -1],
    ['"open\\', -1],
    ['"', -1],
  ];
  for (const [text, stop] of table) assertEquals(skipQuoted(latin1Bytes(text), 0, text.length), stop, text);
});

Deno.test("a decimal number is digits and nothing else, up to a bound", () => {
  const table: [string, number, number][] = [
    ["0", 10, 0],
    ["0009", 10, 9],
    ["10", 10, 10],
    ["11", 10, -1],
    ["4294967295", 2 ** 32 - 1, 4_294_967_295],
    ["4294967296", 2 ** 32 - 1, -1],
    ["9".repeat(400), 2 ** 32 - 1, -1],
    ["", 10, -1],
    ["-1", 10, -1],
    ["+1", 10, -1],
    ["1 ", 10, -1],
    ["1e1", 10, -1],
    ["0x1", 10, -1],
    ["\u00b2", 10, -1],
  ];
  for (const [text, max, value] of table) {
    assertEquals(parseDecimal(latin1Bytes(text), 0, text.length, max), value, text);
    assertEquals(decimalOf(text, max), value, text);
  }
});

Deno.test("a list is split at its commas, but not at those that are data", () => {
  const table: [string, string[]][] = [
    ["", []],
    [" , ,, ", []],
    ["one", ["one"]],
    [" \r\n one\t", ["one"]],
    ["a,b , c", ["a", "b", "c"]],
    [",a,,b,", ["a", "b"]],
    ['"a,b",c', ['"a,b"', "c"]],
    ['"a\\",b",c', ['"a\\",b"', "c"]],
    ["<sip:a,b@c>,<sip:d>", ["<sip:a,b@c>", "<sip:d>"]],
    ['"x" <sip:a>;p="1,2", <sip:b>', ['"x" <sip:a>;p="1,2"', "<sip:b>"]],
    ['a,"open,b', ["a", '"open,b']],
    ["a,<open,b", ["a", "<open,b"]],
  ];
  for (const [text, values] of table) assertEquals(splitList(text), values, text);
});

Deno.test("trimming spares the bytes of UTF-8 that look like white space", () => {
  assertEquals(trimSpace(" \t\r\nvoil\u00c3\u00a0 \r\n"), "voil\u00c3\u00a0");
  assertEquals(trimSpace("\u00a0\u000b\u000c"), "\u00a0\u000b\u000c");
  assertEquals(trimSpace(" \t "), "");
  assertEquals(splitList("voil\u00c3\u00a0"), ["voil\u00c3\u00a0"]);
  assertEquals(splitList("voil\u00c3\u00a0,\u00c3\u00a0"), ["voil\u00c3\u00a0", "\u00c3\u00a0"]);
});

Deno.test("each fold, with the white space around it, becomes one space", () => {
  const table: [string, string][] = [
    ["not folded  at all", "not folded  at all"],
    ["a\r\n b", "a b"],
    ["a \t\r\n\t  b", "a b"],
    ["a\r\n b\r\n c", "a b c"],
    ["a\r\n \r\n \t\r\n b", "a b"],
    ["a  b\r\n c", "a  b c"],
  ];
  for (const [folded, line] of table) assertEquals(unfold(folded), line, JSON.stringify(folded));
});

Deno.test("unfolding takes no longer than the text is long", () => {
  const spaces = " ".repeat(60_000);
  const start = performance.now();
  assertEquals(unfold(`a${spaces}b\r\n c`), `a${spaces}b c`);
  // It was ten seconds once.
  assert(performance.now() - start < 1_000);
});

Deno.test("a source gives the text behind its bytes", () => {
  const source = sourceOf("one,two");
  const comma = find(source.bytes, 0, 7, COMMA);
  assertEquals(cut(source, comma + 1, 7), "two");
  const long = sourceOf("x".repeat(70_000) + "y");
  assertEquals(cut(long, 69_999, 70_001), "xy");
  assertEquals(long.bytes[70_000], 0x79);
});
