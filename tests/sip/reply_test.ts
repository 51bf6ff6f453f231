import type { SipRequest } from "../../src/sip/message.ts";
import { parseText } from "../../src/sip/parse.ts";
import { buildReply, type ReplyOptions } from "../../src/sip/reply.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { asRequest } from "../support/messages.ts";

const ROWS = [
  "Max-Forwards: 70",
  "v : SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1, SIP/2.0/TCP b",
  "CSeq: 7 OPTIONS",
  'f: "A"\r\n <sip:a@example.com>;tag=1',
  "To: <sip:b@example.com>",
  "Timestamp: 54",
  "VIA: SIP/2.0/UDP c",
  "i:call-1",
  "Record-Route: <sip:p;lr>",
  "Content-Length: 4",
];

function requestOf(rows: readonly string[]): SipRequest {
  return asRequest(["OPTIONS sip:b@example.com SIP/2.0", ...rows, "", "body"].join("\r\n"));
}

/** The usual request with another To. */
function withTo(row: string): SipRequest {
  return requestOf(ROWS.with(4, row));
}

function replied(request: SipRequest, status: number, options?: ReplyOptions): string[] {
  return buildReply(request, status, options).split("\r\n");
}

Deno.test("a reply copies Vias, From, To, Call-ID and CSeq as they came, and nothing else", () => {
  assertEquals(replied(requestOf(ROWS), 404), [
    "SIP/2.0 404 Not Found",
    "v : SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1, SIP/2.0/TCP b",
    "VIA: SIP/2.0/UDP c",
    'f: "A"',
    " <sip:a@example.com>;tag=1",
    "To: <sip:b@example.com>",
    "i:call-1",
    "CSeq: 7 OPTIONS",
    "Content-Length: 0",
    "",
    "",
  ]);
});

Deno.test("a reply has the reason, headers, rows and body it is given", () => {
  const lines = replied(requestOf(ROWS), 200, {
    reason: "Fine",
    headers: [["Contact", "<sip:x>"], ["Contact", "<sip:y>"]],
    rows: "Server: me\r\nAllow: BYE\r\n",
    body: "h\u00c3\u00ab",
  });
  assertEquals(lines[0], "SIP/2.0 200 Fine");
  assertEquals(lines.slice(8), [
    "Contact: <sip:x>",
    "Contact: <sip:y>",
    "Server: me",
    "Allow: BYE",
    "Content-Length: 3",
    "",
    "h\u00c3\u00ab",
  ]);
});

Deno.test("the source of the request is noted in the top Via only", () => {
  const request = requestOf(ROWS);
  request.stampSource("192.0.2.77", 7000, true);
  const vias = replied(request, 200).slice(1, 3);
  assertEquals(vias, [
    "v : SIP/2.0/UDP 192.0.2.9;rport=7000;received=192.0.2.77;branch=z9hG4bK1, SIP/2.0/TCP b",
    "VIA: SIP/2.0/UDP c",
  ]);
});

Deno.test("only a 100 says when it was asked", () => {
  assertEquals(replied(requestOf(ROWS), 100).filter((line) => line.startsWith("Time")), ["Timestamp: 54"]);
  for (const status of [180, 200, 486]) {
    assert(!buildReply(requestOf(ROWS), status).includes("Timestamp"));
  }
  assert(!buildReply(requestOf(ROWS.toSpliced(5, 1)), 100).includes("Timestamp"));
});

Deno.test("To gets the tag, whatever it ends in", () => {
  const table: [to: string, replied: string][] = [
    ["To: <sip:b>", "To: <sip:b>;tag=us"],
    ["t:sip:b@c", "t:sip:b@c;tag=us"],
    ["To: <sip:b;tag=uri>;x=1", "To: <sip:b;tag=uri>;x=1;tag=us"],
    ["To: <sip:b>  ", "To: <sip:b>;tag=us"],
    ["To: <sip:b>\r\n ;x\r\n ", "To: <sip:b>\r\n ;x;tag=us"],
    ["To: <sip:b>;x=voil\u00c3\u00a0", "To: <sip:b>;x=voil\u00c3\u00a0;tag=us"],
  ];
  for (const [to, row] of table) {
    const text = buildReply(withTo(to), 200, { toTag: "us" });
    assert(text.includes(`\r\n${row}\r\n`), text);
    assertEquals(parseText(text)?.toTag, "us");
  }
});

Deno.test("To keeps the tag it has, and a 100 puts none in", () => {
  const request = withTo("To: <sip:b>;tag=theirs");
  assertEquals(parseText(buildReply(request, 200, { toTag: "us" }))?.toTag, "theirs");
  assertEquals(parseText(buildReply(request, 100, { toTag: "us" }))?.toTag, "theirs");
  assertEquals(parseText(buildReply(requestOf(ROWS), 100, { toTag: "us" }))?.toTag, undefined);
  assertEquals(parseText(buildReply(requestOf(ROWS), 200))?.toTag, undefined);
});

Deno.test("a malformed request is answered with what it has", () => {
  const lines = replied(requestOf(["Via: SIP/2.0/UDP a", "CSeq: x"]), 400, { toTag: "us" });
  assertEquals(lines, [
    "SIP/2.0 400 Bad Request",
    "Via: SIP/2.0/UDP a",
    "CSeq: x",
    "Content-Length: 0",
    "",
    "",
  ]);
});

Deno.test("a To that can be read gets the tag, whatever else is wrong; one that cannot goes back as it came", () => {
  const badVia = requestOf(ROWS.with(1, "Via: ?"));
  assert(buildReply(badVia, 400, { toTag: "us" }).includes("\r\nTo: <sip:b@example.com>;tag=us\r\n"));
  const badTo = withTo('To: "open <sip:b>');
  assert(buildReply(badTo, 400, { toTag: "us" }).includes('\r\nTo: "open <sip:b>\r\n'));
});

Deno.test("nothing that is not a row of its fields gets into a reply", () => {
  const usual = ["Via: SIP/2.0/UDP a", "From: <sip:a>;tag=1", "Call-ID: 1", "CSeq: 1 OPTIONS", "To: <sip:b>"];
  const start = "OPTIONS sip:b SIP/2.0";
  const table = [
    [start, ...usual, "Foobar roobar", " and more", "", "body"].join("\r\n"),
    [start, ...usual, "X: y\nEvil: 1", "", "body"].join("\r\n"),
    [start, ...usual, "cut off"].join("\r\n"),
    [start, ...usual, "", "body"].join("\r\n"),
  ];
  for (const text of table) {
    const lines = replied(asRequest(text), 400);
    assertEquals(lines, [
      "SIP/2.0 400 Bad Request",
      ...["Via: SIP/2.0/UDP a", "From: <sip:a>;tag=1", "To: <sip:b>", "Call-ID: 1", "CSeq: 1 OPTIONS"],
      "Content-Length: 0",
      "",
      "",
    ]);
  }
});
