import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { MalformedError } from "../../src/sip/errors.ts";
import { SipRequest, SipResponse } from "../../src/sip/message.ts";
import { parseMessage, parseText } from "../../src/sip/parse.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { asRequest, asResponse } from "../support/messages.ts";

const ROWS = [
  "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKone",
  "Max-Forwards: 70",
  "From: Alice <sip:alice@example.com>;tag=a1",
  "To: <sip:bob@example.com>",
  "Call-ID: call-1@192.0.2.9",
  "CSeq: 314 OPTIONS",
];

/** A request of these rows. */
function textOf(
  rows: readonly string[],
  body = "",
  startLine = "OPTIONS sip:bob@example.com SIP/2.0",
): string {
  return [startLine, ...rows, "", body].join("\r\n");
}

/** A request of the usual rows and these after them. */
function withRows(...rows: string[]): SipRequest {
  return asRequest(textOf([...ROWS, ...rows]));
}

/** A request with this row in place of the usual one of the same name, or without any if it is "". */
function instead(name: string, row: string): SipRequest {
  return asRequest(
    textOf(ROWS.flatMap((usual) => usual.startsWith(name) ? (row === "" ? [] : [row]) : [usual])),
  );
}

Deno.test("a request tells its start line and what every message has", () => {
  const request = withRows();
  assertEquals(request.fault, undefined);
  assertEquals([request.method, request.uriText, request.version], [
    "OPTIONS",
    "sip:bob@example.com",
    "SIP/2.0",
  ]);
  assertEquals(request.uri.user, "bob");
  assertEquals(request.via.host, "192.0.2.9");
  assertEquals(request.callId, "call-1@192.0.2.9");
  assertEquals(request.cseq, { number: 314, method: "OPTIONS" });
  assertEquals(request.from.display, "Alice");
  assertEquals([request.fromTag, request.toTag], ["a1", undefined]);
  assertEquals(request.toUri.user, "bob");
  assertEquals(request.to.uri.user, "bob");
  assertEquals(request.maxForwards, 70);
  assertEquals([request.inDialog, request.isFirstHop], [false, true]);
  assertEquals([request.body, request.contacts, request.routes], ["", [], []]);
});

Deno.test("a response tells its status and reason", () => {
  const table: [string, number, string, boolean, boolean][] = [
    ["SIP/2.0 100 Trying", 100, "Trying", true, false],
    ["SIP/2.0 180 ", 180, "", true, false],
    ["SIP/2.0 200", 200, "", false, true],
    ["SIP/2.0 299  two  words ", 299, " two  words ", false, true],
    ["sip/2.0 404 Not Found", 404, "Not Found", false, false],
    ["SIP/2.0 699 \u00d0\u00bd\u00d0\u00be", 699, "\u00d0\u00bd\u00d0\u00be", false, false],
  ];
  for (const [startLine, status, reason, isProvisional, isSuccess] of table) {
    const response = asResponse(textOf(ROWS, "", startLine));
    assertEquals(response.fault, undefined, startLine);
    assertEquals([response.status, response.reason], [status, reason]);
    assertEquals([response.isProvisional, response.isSuccess], [isProvisional, isSuccess]);
  }
});

Deno.test("a status line out of shape is a fault of the response", () => {
  const table = [
    "SIP/2.0 99 Low",
    "SIP/2.0 099 Low",
    "SIP/2.0 700 High",
    "SIP/2.0 4294967301 Overlarge",
    "SIP/2.0 2000",
    "SIP/2.0 20 OK",
    "SIP/2.0 2O0 OK",
    "SIP/2.0  200 OK",
    "SIP/2.0 200OK",
    "SIP/2.0 ",
    "SIP/3.0 200 OK",
    "SIP/2.00 200 OK",
    "SIP/",
  ];
  for (const startLine of table) {
    const response = asResponse(textOf(ROWS, "", startLine));
    assertEquals([response.fault, response.status], ["Malformed status line", 0], startLine);
  }
});

Deno.test("a request line out of shape is a fault of the request", () => {
  const table: [string, string][] = [
    ["OPTIONS  sip:a SIP/2.0", "Malformed request line"],
    ["OPTIONS sip:a  SIP/2.0", "Malformed request line"],
    ["OPTIONS sip:a;x y SIP/2.0", "Malformed request line"],
    ["OPTIONS sip:a SIP/2.0 ", "Malformed request line"],
    ["OPTIONS sip:a SIP/2", "Malformed request line"],
    ["OPTIONS sip:a SIP/", "Malformed request line"],
    ["OPTIONS sip:a SIP/two.0", "Malformed request line"],
    ["OPTIONS  SIP/2.0", "Malformed request line"],
    ["OPTIONS SIP/2.0", "Malformed request line"],
    ["OPT[]NS sip:a SIP/2.0", "Malformed method"],
    ["\u00d6PTIONS sip:a SIP/2.0", "Malformed method"],
  ];
  for (const [startLine, fault] of table) {
    assertEquals(asRequest(textOf(ROWS, "", startLine)).fault, fault, startLine);
  }
});

Deno.test("what has no start line of SIP is not SIP", () => {
  const table = [
    "",
    "\r\n",
    "\r\n\r\n\r\n",
    "\u0000\u0000",
    "OPTIONS",
    "OPTIONS sip:a SIP/2.0",
    "OPTIONS sip:a SIP/2.0\n\n",
    " OPTIONS sip:a SIP/2.0\r\n\r\n",
    "OPTIONS sip:a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nOPTIONS\r\n",
    "SIP-2.0 200 OK\r\n\r\n",
  ];
  for (const text of table) assertEquals(parseText(text), undefined, JSON.stringify(text));
});

Deno.test("the version is read in any case, and other versions are told", () => {
  for (const version of ["SIP/2.0", "sip/2.0", "SiP/2.0", "SIP/7.0", "sip/10.25"]) {
    const request = asRequest(textOf(ROWS, "", `OPTIONS sip:bob@b ${version}`));
    assertEquals([request.version, request.fault, request.uriText], [version, undefined, "sip:bob@b"]);
  }
});

Deno.test("empty lines before the start line are ignored", () => {
  for (const lead of ["\r\n", "\r\n\r\n\r\n"]) {
    const request = asRequest(lead + textOf(ROWS));
    assertEquals([request.fault, request.method], [undefined, "OPTIONS"]);
    assertEquals(request.text, textOf(ROWS));
  }
});

Deno.test("a message is found anywhere in a buffer, and keeps nothing of it", () => {
  const text = textOf([...ROWS, "Contact: <sip:a@b>"], "body");
  const bytes = latin1Bytes(`noise\r\n${text}more\r\n\r\nnoise`);
  const request = parseMessage(byteArea(bytes), 7, 7 + text.length);
  bytes.fill(0x2a);
  assert(request instanceof SipRequest);
  assertEquals([request.fault, request.text], [undefined, text]);
  assertEquals([request.via.branch, request.body, request.from.uri.user], ["z9hG4bKone", "body", "alice"]);
  assertEquals(request.contacts.toString(), "<sip:a@b>");
});

Deno.test("fields are found by their names in any case, full and compact", () => {
  const request = asRequest(textOf([
    "v: SIP/2.0/UDP a;branch=z9hG4bK1",
    "VIA  : SIP/2.0/UDP b",
    "vIa\t:SIP/2.0/UDP c",
    "f: <sip:a@b>;tag=1",
    "T:<sip:c@d>",
    "I: x",
    "cseq: 1 OPTIONS",
    "K: path, gruu",
    "m: <sip:e@f>",
    "l: 0",
  ]));
  assertEquals(request.fault, undefined);
  assertEquals(request.all("Via").map((via) => via.slice(-1)), ["1", "b", "c"]);
  assertEquals([request.callId, request.fromTag, request.get("Content-Length")], ["x", "1", "0"]);
  assert(request.hasOption("Supported", "gruu"));
  assertEquals(request.contacts.toString(), "<sip:e@f>");
  for (const name of ["supported", "SUPPORTED"]) assertEquals(request.get(name), "path, gruu");
});

Deno.test("fields nobody knows are found without regard to case, and by no part of their names", () => {
  const request = withRows("X-Odd: 1", "x-ODD :2", "X-Odd2: 3", "X-Odd\t: 4, 5", "X-Empty:");
  assertEquals(request.all("x-odd"), ["1", "2", "4", "5"]);
  assertEquals(request.get("X-ODD"), "1");
  assertEquals(request.get("X-Empty"), "");
  assert(request.has("x-empty"));
  for (const name of ["X-Od", "X", "Odd", "X-Odd3"]) assert(!request.has(name), name);
  assertEquals(request.all("X-None"), []);
});

Deno.test("rows of a list field and commas in one row are the same list", () => {
  const table = [
    ["Route: <sip:a;lr>, <sip:b;lr>, <sip:c;lr>"],
    ["Route: <sip:a;lr>", "Route: <sip:b;lr>", "Route: <sip:c;lr>"],
    ["Route: <sip:a;lr> ,<sip:b;lr>", "ROUTE: <sip:c;lr>"],
  ];
  for (const rows of table) {
    const request = withRows(...rows);
    assertEquals(request.all("Route"), ["<sip:a;lr>", "<sip:b;lr>", "<sip:c;lr>"]);
    assertEquals(request.routes.map(({ uri }) => uri.host), ["a", "b", "c"]);
  }
});

Deno.test("credentials and dates are not split at their commas", () => {
  const rows = [
    'Authorization: Digest username="a", realm="b"',
    'Authorization: Digest username="c", realm="d"',
    "Date: Thu, 21 Feb 2002 13:02:03 GMT",
    "Retry-After: 18000 (Monday, if not Tuesday)",
  ];
  const request = withRows(...rows);
  assertEquals(request.all("Authorization").length, 2);
  assertEquals(request.all("Date"), ["Thu, 21 Feb 2002 13:02:03 GMT"]);
  assertEquals(request.all("Retry-After"), ["18000 (Monday, if not Tuesday)"]);
});

Deno.test("a value may go on in the next line, or start only there", () => {
  const request = asRequest(textOf([
    "Via:\r\n SIP/2.0/UDP a\r\n\t;branch=z9hG4bK1",
    "From:\r\n \r\n  <sip:a@b>\r\n ;tag=1",
    "To: <sip:c@d>\r\n  ",
    "Call-ID:\r\n folded",
    "CSeq:\r\n 0009\r\n  OPTIONS",
    "Max-Forwards:\r\n 68",
    "Subject: one\r\n  two \t\r\n\tthree",
    "Content-Length:\r\n\t4",
  ], "bodyX"));
  assertEquals(request.fault, undefined);
  assertEquals([request.via.branch, request.fromTag, request.callId], ["z9hG4bK1", "1", "folded"]);
  assertEquals([request.cseq.number, request.maxForwards, request.body], [9, 68, "body"]);
  assertEquals(request.get("Subject"), "one two three");
  assertEquals([request.get("From"), request.get("To")], ["<sip:a@b> ;tag=1", "<sip:c@d>"]);
});

Deno.test("folded contacts and routes lose their folds", () => {
  const request = withRows(
    'Contact: "A\r\n B" <sip:a@b>\r\n ;q=0.5\r\n ;x="1\r\n 2"',
    "Route: <sip:a;lr>\r\n ,\r\n <sip:b;lr>",
  );
  assertEquals(request.contacts.toString(), '"A B"<sip:a@b>;q=0.5 ;x="1 2"');
  assertEquals(request.routes.map(({ uriText }) => uriText), ["sip:a;lr", "sip:b;lr"]);
});

Deno.test("thousands of blank continuation lines cost nothing to speak of", () => {
  const start = performance.now();
  const rows = ["X-Blank:" + "\r\n ".repeat(20_000), "X-Late: a" + "\r\n ".repeat(20_000) + "b"];
  const request = asRequest(textOf([...ROWS, ...rows]));
  assertEquals([request.get("X-Blank"), request.get("X-Late")], ["", "a b"]);
  assert(performance.now() - start < 1_000);
});

Deno.test("a field that may stand only once makes a fault when it stands twice", () => {
  const twice = ["Max-Forwards: 5", "From: <sip:x@y>;tag=2", "t: <sip:x@y>", "i: other", "CSEQ: 1 OPTIONS"];
  const names = ["Max-Forwards", "From", "To", "Call-ID", "CSeq"];
  twice.forEach((row, i) => assertEquals(withRows(row).fault, `More than one ${names[i]}`));
  assertEquals(withRows("Content-Length: 0", "l: 0").fault, "More than one Content-Length");
  assertEquals(instead("From", "From: <sip:a@b>, <sip:c@d>").fault, "More than one address in From");
});

Deno.test("what every message needs is a fault when it is missing or malformed", () => {
  const table: [string, string, string][] = [
    ["Via", "", "No Via"],
    ["Via", "Via: SIP/2.0/UDP", "Malformed Via"],
    ["Via", "Via:", "Malformed Via"],
    ["From", "", "No From"],
    ["From", "From:", "Empty From"],
    ["To", "", "No To"],
    ["To", 'To: "open <sip:a@b>', "Unterminated quoted string in To"],
    ["To", "To: Watson, Thomas <sip:a@b>", "More than one address in To"],
    ["Call-ID", "", "No Call-ID"],
    ["Call-ID", "Call-ID:  ", "No Call-ID"],
    ["CSeq", "", "No CSeq"],
    ["CSeq", "CSeq:", "Malformed CSeq"],
    ["CSeq", "CSeq: OPTIONS", "Malformed CSeq"],
    ["CSeq", "CSeq: 1", "Malformed CSeq"],
    ["CSeq", "CSeq: 1OPTIONS", "Malformed CSeq"],
    ["CSeq", "CSeq: -1 OPTIONS", "Malformed CSeq"],
    ["CSeq", "CSeq: 1 OPT IONS", "Malformed CSeq"],
    ["CSeq", "CSeq: 4294967296 OPTIONS", "Malformed CSeq"],
  ];
  for (const [name, row, fault] of table) assertEquals(instead(name, row).fault, fault, row);
  assertEquals(instead("CSeq", "CSeq: 4294967295 OPTIONS").cseq.number, 4_294_967_295);
  assertEquals(instead("Max-Forwards", "").maxForwards, undefined);
});

Deno.test("of a message with a fault all that is sound can still be read", () => {
  const request = instead("Via", "Via: SIP/2.0/UDP ;;");
  assertEquals(request.fault, "Malformed Via");
  assert(!request.hasReadableVia);
  assertThrows(() => request.via, MalformedError, "Malformed Via");
  assertEquals([request.callId, request.cseq.number, request.fromTag], ["call-1@192.0.2.9", 314, "a1"]);
  assert(request.hasReadableTo);
  assertEquals(instead("CSeq", "").to.uri.user, "bob");
});

Deno.test("the fault is the first that was found", () => {
  const rows = ["Via: ?", "From ?", "To: <", "Call-ID:", "CSeq: ?"];
  assertEquals(asRequest(textOf(rows)).fault, "Header row without a name and colon");
  assertEquals(asRequest(textOf(rows.toSpliced(1, 1))).fault, "Malformed Via");
});

Deno.test("a getter of what is not there throws, and does so as a 400", () => {
  const request = asRequest(textOf([]));
  const getters: (() => unknown)[] = [
    () => request.via,
    () => request.callId,
    () => request.cseq,
    () => request.from,
    () => request.to,
    () => request.toUri,
  ];
  for (const getter of getters) assertEquals(assertThrows(getter, MalformedError).status, 400);
  assertEquals([request.hasReadableVia, request.hasReadableTo, request.hasOneVia], [false, false, false]);
  assertEquals([request.contacts, request.routes, request.maxForwards], [[], [], undefined]);
});

Deno.test("a row without name and colon is a fault, and belongs to no row beside it", () => {
  for (const row of ["Foobar roobar", ": x", "X", "X\u00e9: y", "(X): y", "X Y: z"]) {
    const request = asRequest(textOf([...ROWS, row + "\r\n and more", "X-After: 1"]));
    assertEquals(request.fault, "Header row without a name and colon", row);
    assertEquals(request.get("CSeq"), "314 OPTIONS");
    assertEquals(request.rowText(1), "CSeq: 314 OPTIONS\r\n");
    assertEquals(request.get("X-After"), "1");
  }
});

Deno.test("a continuation line before any row is a fault", () => {
  assertEquals(asRequest(textOf([" x", ...ROWS])).fault, "Continuation line before any header");
});

Deno.test("every line ends in CRLF; after one that does not, nothing is read", () => {
  for (const end of ["\n", "\n\n", "\n\r\n"]) {
    const request = asRequest(textOf(ROWS).replace("CSeq: 314 OPTIONS\r\n", `CSeq: 314 OPTIONS${end}`));
    assertEquals(request.fault, "Line does not end in CRLF");
    assertEquals(request.get("CSeq"), undefined);
    assertEquals(request.rowText(0), "Call-ID: call-1@192.0.2.9\r\n");
  }
});

Deno.test("a message without the empty line after its header is at fault", () => {
  const text = textOf(ROWS);
  const request = asRequest(text.slice(0, -2));
  assertEquals(request.fault, "No empty line after the header");
  assertEquals([request.get("CSeq"), request.body], ["314 OPTIONS", ""]);
  const cut = asRequest(text.slice(0, -8));
  assertEquals([cut.fault, cut.get("CSeq"), cut.callId], [
    "No empty line after the header",
    undefined,
    "call-1@192.0.2.9",
  ]);
});

Deno.test("a body is as long as Content-Length says, and all there is without one", () => {
  const table: [string[], string, string][] = [
    [["Content-Length: 4"], "body", "body"],
    [["Content-Length: 4"], "body and more", "body"],
    [["Content-Length: 0"], "", ""],
    [["Content-Length: 0"], "\r\nINVITE sip:x SIP/2.0\r\n", ""],
    [["l:0004"], "body", "body"],
    [[], "body", "body"],
    [[], "", ""],
  ];
  for (const [rows, sent, body] of table) {
    const request = asRequest(textOf([...ROWS, ...rows], sent));
    assertEquals([request.fault, request.body], [undefined, body], `${rows} ${sent}`);
    assertEquals(request.text, textOf([...ROWS, ...rows], body));
  }
});

Deno.test("a Content-Length that cannot be kept is a fault", () => {
  const table: [string, string][] = [
    ["5", "Body shorter than its Content-Length"],
    ["9007199254740991", "Body shorter than its Content-Length"],
    ["9007199254740992", "Malformed Content-Length"],
    ["-1", "Malformed Content-Length"],
    ["", "Malformed Content-Length"],
    ["4 4", "Malformed Content-Length"],
    ["0x4", "Malformed Content-Length"],
    ["4.0", "Malformed Content-Length"],
    ["1" + "0".repeat(400), "Malformed Content-Length"],
  ];
  for (const [length, fault] of table) {
    const request = asRequest(textOf([...ROWS, `Content-Length: ${length}`], "body"));
    assertEquals([request.fault, request.body], [fault, "body"], length);
  }
});

Deno.test("a body is bytes: any of them, empty lines and all", () => {
  const body = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)) + "\r\n\r\n\n\r";
  const request = asRequest(textOf([...ROWS, `Content-Length: ${body.length}`], body));
  assertEquals([request.fault, request.body], [undefined, body]);
});

Deno.test("more bytes or rows than the limits are faults, as many are not", () => {
  const text = textOf(ROWS);
  const limits = { bytes: text.length, headers: ROWS.length };
  assertEquals(parseText(text, limits)?.fault, undefined);
  const long = parseText(text, { ...limits, bytes: text.length - 1 });
  assertEquals([long?.fault, long?.isTooLarge], ["Message too large", true]);
  const many = parseText(text, { ...limits, headers: ROWS.length - 1 });
  assertEquals([many?.fault, many?.isTooLarge], ["Too many header rows", false]);
  assertEquals(many?.get("Call-ID"), "call-1@192.0.2.9");
  const junk = parseText(textOf([...ROWS, "junk"]), limits);
  assertEquals(junk?.fault, "Too many header rows");
});

Deno.test("more rows than usual are all found", () => {
  const vias = Array.from({ length: 200 }, (_, i) => `Via: SIP/2.0/TCP h${i}`);
  const request = asRequest(textOf([...ROWS, ...vias, "X-Last: 1"]));
  assertEquals([request.fault, request.all("Via").length, request.get("X-Last")], [undefined, 201, "1"]);
});

Deno.test("Max-Forwards is 0 to 255, or cannot be read", () => {
  for (const [value, hops] of [["0", 0], ["255", 255], ["0068", 68]] as const) {
    assertEquals(instead("Max-Forwards", `Max-Forwards: ${value}`).maxForwards, hops);
  }
  for (const value of ["256", "-1", "", "seventy", "7 0", "9".repeat(99)]) {
    const request = instead("Max-Forwards", `Max-Forwards: ${value}`);
    assertThrows(() => request.maxForwards, MalformedError, "Malformed Max-Forwards");
  }
});

Deno.test("one Via is told from several, however they are written", () => {
  const second = "SIP/2.0/TCP 192.0.2.8;branch=z9hG4bKtwo";
  assert(withRows().hasOneVia);
  assert(!withRows(`Via: ${second}`).hasOneVia);
  assert(!withRows(`v : ${second}`).isFirstHop);
  assert(!instead("Via", `${ROWS[0]}, ${second}`).hasOneVia);
  assert(!instead("Via", `${ROWS[0]}\r\n ,\r\n ${second}`).hasOneVia);
  assert(instead("Via", `${ROWS[0]}\r\n `).hasOneVia);
});

Deno.test("contacts are addresses of all rows, or a star that stands alone", () => {
  const request = withRows("Contact: <sip:a@b>;q=1, sip:c@d;expires=5", "m: <sip:e@f>");
  assertEquals(request.contacts.toString(), "<sip:a@b>;q=1,<sip:c@d>;expires=5,<sip:e@f>");
  assertEquals(withRows("Contact:  * ").contacts, "*");
  assertEquals(withRows("Contact:\r\n *").contacts, "*");
  assertEquals(withRows("Contact:").contacts, []);
});

Deno.test("a star beside others, in brackets or with parameters is malformed", () => {
  const table = [
    ["Contact: *, <sip:a@b>"],
    ["Contact: <sip:a@b>, *"],
    ["Contact: *", "Contact: <sip:a@b>"],
    ["Contact: *", "Contact: *"],
    ["Contact: <*>"],
    ["Contact: *;q=1"],
  ];
  for (const rows of table) {
    const request = withRows(...rows);
    assertThrows(() => request.contacts, MalformedError, "Contact * among others");
  }
});

Deno.test("contacts that cannot be read are a fault of a REGISTER, and of no other request", () => {
  const rows = [...ROWS.slice(0, -1), "CSeq: 1 REGISTER", "Contact: sip:a@b?Route=c"];
  const register = asRequest(textOf(rows, "", "REGISTER sip:b SIP/2.0"));
  assertEquals(register.fault, "Malformed Contact: the address needs angle brackets");
  const options = withRows("Contact: sip:a@b?Route=c");
  assertEquals(options.fault, undefined);
  assertThrows(() => options.contacts, MalformedError);
});

Deno.test("tags are those of the header, not of the URI or the display name", () => {
  const table: [string, string | undefined][] = [
    ["<sip:a@b>;tag=x1", "x1"],
    ["<sip:a@b>;x=y;TAG = x1 ;z", "x1"],
    ["sip:a@b;tag=x1", "x1"],
    ['"x;tag=no" <sip:a@b;tag=no>;tag=x1', "x1"],
    ["<sip:a@b;tag=no>", undefined],
    ["<sip:a@b>;tags=no", undefined],
    ["<sip:a@b>\r\n ;\r\n tag\r\n =\r\n x1", "x1"],
  ];
  for (const [value, tag] of table) {
    assertEquals(instead("To", `To: ${value}`).toTag, tag, value);
    assertEquals(instead("From", `From: ${value}`).fromTag, tag, value);
    assertEquals(instead("To", `To: ${value}`).inDialog, tag !== undefined);
  }
});

Deno.test("a second tag in one field is malformed", () => {
  assertEquals(instead("To", "To: <sip:a@b>;tag=1;tag=2").fault, "More than one tag in To");
});

Deno.test("option tags are found in any case and any row", () => {
  const request = withRows("Supported: path, GRUU", "k: outbound", "Require: x");
  for (const tag of ["path", "gruu", "outbound"]) assert(request.hasOption("Supported", tag), tag);
  assert(!request.hasOption("Supported", "pat"));
  assert(!request.hasOption("Proxy-Require", "x"));
});

Deno.test("the rows of a field are given whole, folds and all", () => {
  const request = asRequest(textOf(["X: 1\r\n 2\r\n ", ...ROWS, "x:3"]));
  const rows: string[] = [];
  request.eachRow("X", (start, end) => rows.push(request.text.slice(start, end)));
  assertEquals(rows, ["X: 1\r\n 2\r\n \r\n", "x:3\r\n"]);
});

Deno.test("a value keeps each of its bytes", () => {
  const request = withRows("Subject: voil\u00c3\u00a0", "X-Nul: a\u0000b", 'X-Quote: "\\\u0007"');
  assertEquals(request.all("Subject"), ["voil\u00c3\u00a0"]);
  assertEquals(request.get("X-Nul"), "a\u0000b");
  assertEquals(request.get("X-Quote"), '"\\\u0007"');
});

/** The Via of a request after its source was noted, as a reply would hold it. */
function stamped(via: string, address: string, port: number, force = false): string {
  const request = asRequest(textOf([`Via: ${via}`, ...ROWS.slice(1)]));
  request.stampSource(address, port, force);
  const { text, stamp } = request;
  const start = text.indexOf("Via: ") + 5;
  const end = text.indexOf("\r\nMax-Forwards");
  if (stamp === undefined) return text.slice(start, end);
  return text.slice(start, stamp.start) + stamp.text + text.slice(stamp.end, end);
}

Deno.test("received is noted when the Via names another host than the packet's source", () => {
  const table: [via: string, stamped: string][] = [
    ["SIP/2.0/UDP 192.0.2.9;branch=b", "SIP/2.0/UDP 192.0.2.9;branch=b"],
    ["SIP/2.0/UDP 192.0.2.9:7000", "SIP/2.0/UDP 192.0.2.9:7000"],
    ["SIP/2.0/UDP 10.0.0.1;branch=b", "SIP/2.0/UDP 10.0.0.1;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP host.example", "SIP/2.0/UDP host.example;received=192.0.2.9"],
    ["SIP/2.0/UDP h:5060 ;branch=b", "SIP/2.0/UDP h:5060 ;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h, SIP/2.0/UDP i", "SIP/2.0/UDP h;received=192.0.2.9, SIP/2.0/UDP i"],
    ["SIP/2.0/UDP h;branch=b, SIP/2.0/UDP i", "SIP/2.0/UDP h;received=192.0.2.9;branch=b, SIP/2.0/UDP i"],
  ];
  for (const [via, expected] of table) assertEquals(stamped(via, "192.0.2.9", 5060), expected);
});

Deno.test("an IPv6 source is noted without brackets, and known in any spelling", () => {
  assertEquals(stamped("SIP/2.0/UDP [2001:DB8:0::1]", "2001:db8::1", 5060), "SIP/2.0/UDP [2001:DB8:0::1]");
  assertEquals(stamped("SIP/2.0/UDP h", "2001:db8::1", 5060), "SIP/2.0/UDP h;received=2001:db8::1");
});

Deno.test("received and rport are both noted when the sender asks for its port", () => {
  const table: [via: string, stamped: string][] = [
    ["SIP/2.0/UDP 192.0.2.9;rport", "SIP/2.0/UDP 192.0.2.9;rport=7000;received=192.0.2.9"],
    ["SIP/2.0/UDP h;rport;branch=b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h;branch=b;RPORT", "SIP/2.0/UDP h;branch=b;RPORT=7000;received=192.0.2.9"],
    ["SIP/2.0/UDP h;branch=b;rport , x", "SIP/2.0/UDP h;branch=b;rport=7000;received=192.0.2.9 , x"],
    ["SIP/2.0/UDP h;rport=;branch=b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h;a;rport;rport;b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;a;b"],
  ];
  for (const [via, expected] of table) assertEquals(stamped(via, "192.0.2.9", 7000), expected);
});

Deno.test("both are noted for everybody where that is forced", () => {
  const table: [via: string, stamped: string][] = [
    ["SIP/2.0/UDP 192.0.2.9", "SIP/2.0/UDP 192.0.2.9;rport=7000;received=192.0.2.9"],
    ["SIP/2.0/UDP h;branch=b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h;rport", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9"],
  ];
  for (const [via, expected] of table) assertEquals(stamped(via, "192.0.2.9", 7000, true), expected);
});

Deno.test("what a sender put there itself is replaced", () => {
  const table: [via: string, stamped: string][] = [
    ["SIP/2.0/UDP 192.0.2.9;received=198.51.100.9", "SIP/2.0/UDP 192.0.2.9;received=192.0.2.9"],
    ["SIP/2.0/UDP h;received=198.51.100.9;branch=b", "SIP/2.0/UDP h;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h;rport=9;branch=b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;branch=b"],
    ["SIP/2.0/UDP h;a;rport;Received=x;b", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9;a;b"],
    ["SIP/2.0/UDP h;received=x;rport=1;received=y", "SIP/2.0/UDP h;rport=7000;received=192.0.2.9"],
    ["SIP/2.0/UDP h;received=x , SIP/2.0/UDP i", "SIP/2.0/UDP h;received=192.0.2.9, SIP/2.0/UDP i"],
  ];
  for (const [via, expected] of table) assertEquals(stamped(via, "192.0.2.9", 7000), expected);
});

Deno.test("a stamp leaves the text as it was received", () => {
  const request = withRows();
  request.stampSource("198.51.100.1", 5060, true);
  assertEquals(request.text, textOf(ROWS));
  assertEquals(request.via.received, undefined);
});

Deno.test("requests and responses are told apart", () => {
  assert(parseText(textOf(ROWS)) instanceof SipRequest);
  assert(parseText(textOf(ROWS, "", "SIP/2.0 200 OK")) instanceof SipResponse);
});
