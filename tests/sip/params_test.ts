import { latin1Bytes } from "../../src/lib/latin1.ts";
import { MalformedError } from "../../src/sip/errors.ts";
import { type ParamPlace, Params, quote, stepOverParam, unquote } from "../../src/sip/params.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

/** Names and values as written, from a text of parameters. */
function listed(text: string): [string, string | undefined][] {
  return new Params(text).list.map(({ name, value }) => [name, value]);
}

Deno.test("parameters are names, perhaps with a value, in their order", () => {
  const table: [string, [string, string | undefined][]][] = [
    ["", []],
    [";lr", [["lr", undefined]]],
    [";a=1;b;c=3", [["a", "1"], ["b", undefined], ["c", "3"]]],
    [";a=", [["a", ""]]],
    [" ; a = 1 ;\r\n b", [["a", "1"], ["b", undefined]]],
    [';a="x;y=z, \\"q\\";";b=2', [["a", '"x;y=z, \\"q\\";"'], ["b", "2"]]],
    [';a="\\\\";b', [["a", '"\\\\"'], ["b", undefined]]],
    [';a = "x" ;b', [["a", '"x"'], ["b", undefined]]],
    [";a=b=c", [["a", "b=c"]]],
  ];
  for (const [text, list] of table) assertEquals(listed(text.trimStart()), list, text);
});

Deno.test("a parameter is found in any case, and the first of a name counts", () => {
  const params = new Params(";Tag=Abc;tag=def;LR;empty=");
  assertEquals(params.get("tag"), "Abc");
  assertEquals(params.get("lr"), "");
  assertEquals(params.get("EMPTY"), "");
  assertEquals(params.get("none"), undefined);
  assert(params.has("lR"));
  assert(!params.has("l"));
  assertEquals(Params.none.get("tag"), undefined);
  assertEquals(Params.none.list, []);
});

Deno.test("a value is had without its quotes and escapes", () => {
  const params = new Params(';a="two \\"words\\\\";b=plain;c;d=""');
  assertEquals(params.get("a"), '"two \\"words\\\\"');
  assertEquals(params.unquoted("a"), 'two "words\\');
  assertEquals(params.unquoted("b"), "plain");
  assertEquals(params.unquoted("c"), "");
  assertEquals(params.unquoted("d"), "");
  assertEquals(params.unquoted("e"), undefined);
});

Deno.test("parameters are written without those that are named, the rest as it was", () => {
  const params = new Params(';a=1;RPORT;b="x;y";received=192.0.2.1;c');
  assertEquals(params.without("rport", "received"), ';a=1;b="x;y";c');
  assertEquals(params.without(), ';a=1;RPORT;b="x;y";received=192.0.2.1;c');
  assertEquals(params.toString(), ';a=1;RPORT;b="x;y";received=192.0.2.1;c');
  assertEquals(new Params(";only").without("only"), "");
});

Deno.test("the last byte of a letter in UTF-8 is not taken for white space", () => {
  const params = new Params(";a=voil\u00c3\u00a0;b");
  assertEquals(params.get("a"), "voil\u00c3\u00a0");
  assertEquals(params.without("b"), ";a=voil\u00c3\u00a0");
});

Deno.test("among very many parameters each is still found, the first of its name", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `;p${i}=${i}`).join("") + ";P7=late";
  const params = new Params(many);
  const start = performance.now();
  for (const { name } of params.list) assert(params.has(name));
  assertEquals(params.get("P7"), "7");
  assertEquals(params.get("p19999"), "19999");
  assertEquals(params.get("none"), undefined);
  assert(performance.now() - start < 1_000);
});

const PLACE: ParamPlace = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };

Deno.test("a step over a parameter tells where name and value are, and where the next one starts", () => {
  const table: [string, string, string, string][] = [
    [";a=1;b", "a", "1", ";b"],
    ["; a \t= 1 ,x", "a", "1", ",x"],
    [";lr", "lr", "", ""],
    [";lr , x", "lr", "", ", x"],
    [';a="1;,\\"2" ;b', "a", '"1;,\\"2"', ";b"],
    [";a=", "a", "", ""],
    [";a=[2001:db8::1]:5060;b", "a", "[2001:db8::1]:5060", ";b"],
  ];
  for (const [text, name, value, rest] of table) {
    const stop = stepOverParam(latin1Bytes(text), 0, text.length, "Via", PLACE);
    assertEquals(text.slice(PLACE.nameStart, PLACE.nameEnd), name, text);
    assertEquals(text.slice(PLACE.valueStart, PLACE.valueEnd), value, text);
    assertEquals(text.slice(stop), rest, text);
  }
});

Deno.test("a malformed parameter is told with the field it is in", () => {
  for (const text of ["a", ",", ";", ";;", ";=1", '; "x"', ';a="open', ';a=b"c"', ";a=<b>", ";a=b>"]) {
    const error = assertThrows(
      () => stepOverParam(latin1Bytes(text), 0, text.length, "Contact", PLACE),
      MalformedError,
      "Contact",
    );
    assertEquals(error.status, 400);
  }
});

Deno.test("quoting and unquoting undo each other, whatever the value", () => {
  for (const value of ["", "plain", 'with "quotes"', "back\\slash", '\\"', "a;b,c<d>", "\\\\"]) {
    assertEquals(unquote(quote(value)), value);
  }
  assertEquals(quote('a"b\\c'), '"a\\"b\\\\c"');
});

Deno.test("what is not in quotes is left as it is", () => {
  for (const value of ["", "token", '"', "a\\b", "'single'"]) assertEquals(unquote(value), value);
  assertEquals(unquote('"a\\\r\nb"'), "a\r\nb");
});
