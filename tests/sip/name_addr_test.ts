import { MalformedError } from "../../src/sip/errors.ts";
import { NameAddr, parseNameAddr, parseNameAddrs } from "../../src/sip/name_addr.ts";
import { Params } from "../../src/sip/params.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

/** Display name, URI and parameters as written. */
type Row = readonly [display: string, uri: string, params: string];

function rowOf({ display, uriText, params }: NameAddr): Row {
  return [display, uriText, params.toString()];
}

Deno.test("an address has a display name, a URI and parameters", () => {
  const table: [string, Row][] = [
    ["<sip:a@b>", ["", "sip:a@b", ""]],
    ["Alice <sip:a@b>;tag=1", ["Alice", "sip:a@b", ";tag=1"]],
    ["caller<sip:a@b>", ["caller", "sip:a@b", ""]],
    ['"Bob, the \\"B\\" <x>" <sip:a@b;lr>;q=0.5', ['"Bob, the \\"B\\" <x>"', "sip:a@b;lr", ";q=0.5"]],
    ['"A"<sip:a@b>', ['"A"', "sip:a@b", ""]],
    ['""<sip:a@b>', ['""', "sip:a@b", ""]],
    ["  T. A. Watson\t <sip:a@b> ; q = 1 ", ["T. A. Watson", "sip:a@b", "; q = 1"]],
    ["token1~` token2'+_ token3*%!.- <sip:a@b>", ["token1~` token2'+_ token3*%!.-", "sip:a@b", ""]],
    ["<sip:a;x?y,z@b?h=v>", ["", "sip:a;x?y,z@b?h=v", ""]],
    ["\r\n <sip:a@b>\r\n ;\r\n tag = 7", ["", "sip:a@b", ";\r\n tag = 7"]],
    ["<http://www.example.com>", ["", "http://www.example.com", ""]],
  ];
  for (const [text, row] of table) assertEquals(rowOf(parseNameAddr(text, "From")), row, text);
});

Deno.test("without brackets, what follows a semicolon belongs to the header", () => {
  const table: [string, Row][] = [
    ["sip:a@b;tag=1", ["", "sip:a@b", ";tag=1"]],
    ["sip:a@b ;tag=1", ["", "sip:a@b", ";tag=1"]],
    ["sip:+19725552222@gw1.example.net;unknownparam", [
      "",
      "sip:+19725552222@gw1.example.net",
      ";unknownparam",
    ]],
    ["tel:+1", ["", "tel:+1", ""]],
    ["*", ["", "*", ""]],
  ];
  for (const [text, row] of table) assertEquals(rowOf(parseNameAddr(text, "Contact")), row, text);
});

Deno.test("a list is split where commas are no data", () => {
  const list = parseNameAddrs('"a,\\"b;<" <sip:u;x,y@h>;q=0.5, sip:c@d , <sip:e@f>;x="1,2"', "Contact");
  assertEquals(list.map(rowOf), [
    ['"a,\\"b;<"', "sip:u;x,y@h", ";q=0.5"],
    ["", "sip:c@d", ""],
    ["", "sip:e@f", ';x="1,2"'],
  ]);
  assertEquals(parseNameAddrs("", "Contact"), []);
});

Deno.test("what is no address is malformed, and the error names the field", () => {
  const table = [
    '"open <sip:a@b>',
    '"a" b <sip:a@b>',
    '"a" sip:a@b',
    '"a"',
    "a, b <sip:a@b>,",
    "<sip:a@b",
    "<>",
    "< sip:a@b>",
    "<sip:a@b >",
    "<sip:a @b>",
    "<sip:a@b\r\n ;lr>",
    "<sip:a@b>x",
    "<sip:a@b>;",
    "<sip:a@b>;;",
    "<sip:a@b>;tag=1;TAG=2",
    "sip:a@b?h=v",
    "sip:a@b>",
    "sip:<a@b>",
    "sip:a@b c",
    'sip:"a"@b',
    ";tag=1",
    ",",
    " ",
    "sip:a@b,,sip:c@d",
  ];
  for (const text of table) assertThrows(() => parseNameAddr(text, "Refer-To"), MalformedError, "Refer-To");
});

Deno.test("an address that stands alone is not one of many", () => {
  assertThrows(
    () => parseNameAddr("<sip:a@b>, <sip:c@d>", "From"),
    MalformedError,
    "Not one address in From",
  );
  assertThrows(() => parseNameAddr("", "From"), MalformedError, "Not one address in From");
});

Deno.test("the URI of an address is parsed when it is asked for", () => {
  const address = parseNameAddr("Bob <sip:bob@Example.COM;lr>", "To");
  assertEquals(address.uri.host, "example.com");
  assertEquals(address.uri, address.uri);
  const odd = parseNameAddr("<example.com>", "To");
  assertEquals(odd.uriText, "example.com");
  assertThrows(() => odd.uri, MalformedError);
});

Deno.test("an address is written with its URI in brackets", () => {
  assertEquals(parseNameAddr("sip:a@b;tag=1", "To").toString(), "<sip:a@b>;tag=1");
  assertEquals(parseNameAddr('"A" <sip:a@b>; q=1', "To").toString(), '"A"<sip:a@b>; q=1');
  assertEquals(new NameAddr("", "sip:c", Params.none).toString(), "<sip:c>");
});

Deno.test("no field is named in an error by what its reason phrase could not hold", () => {
  for (const text of ["<sip:a", '"a', "a<", "x y", "<a>;;", "sip:a?b"]) {
    const { reason } = assertThrows(() => parseNameAddr(text, "Contact"), MalformedError);
    // RFC 3261 §25.1 Reason-Phrase, without what would need an escape.
    assertEquals(/^[A-Za-z0-9;/?:@&=+$,\-_.!~*'() ]+$/.test(reason), true, reason);
  }
});
