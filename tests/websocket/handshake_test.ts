import fc from "fast-check";
import { latin1Bytes } from "../../src/lib/latin1.ts";
import {
  acceptance,
  answerText,
  BAD_REQUEST,
  type HttpHead,
  HttpHeadReader,
  refusalOf,
  requestOf,
  TOO_MANY,
  upgradeFault,
  upgradeRequest,
  type WsPolicy,
} from "../../src/websocket/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ANYONE: WsPolicy = { path: "/", origins: [] };

function headOf(text: string): HttpHead | "bad" | undefined {
  return new HttpHeadReader().push(latin1Bytes(text));
}

/** An upgrade with these fields instead of the usual ones; undefined leaves one out. */
function upgrade(fields: Record<string, string | undefined> = {}, line = "GET / HTTP/1.1"): string {
  const all = {
    Host: "a",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Protocol": "sip",
    ...fields,
  };
  const rows = Object.entries(all).filter(([, value]) => value !== undefined);
  return `${line}\r\n${rows.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** The status with which a request is answered. */
function statusOf(text: string, policy = ANYONE): number {
  const head = headOf(text);
  if (head === undefined) throw new Error("The head is not whole");
  const request = head === "bad" ? undefined : requestOf(head);
  if (request === undefined) return BAD_REQUEST.status;
  return refusalOf(request, policy)?.status ?? 101;
}

for (
  const [status, sentence, text, policy] of [
    [101, "an upgrade to SIP", upgrade()],
    [101, "one in other letters", upgrade({ Connection: "keep-alive, UPGRADE", Upgrade: "WebSocket" })],
    [101, "one with SIP among others", upgrade({ "Sec-WebSocket-Protocol": "chat , SIP" })],
    [101, "one with a query", upgrade({}, "GET /?a=b HTTP/1.1")],
    [101, "one with its whole URL", upgrade({}, "GET http://a:80/sip?x HTTP/1.1"), {
      path: "/sip",
      origins: [],
    }],
    [101, "one with a URL without path", upgrade({}, "GET https://a HTTP/1.1")],
    [101, "one with an extension", upgrade({ "Sec-WebSocket-Extensions": "permessage-deflate" })],
    [101, "one behind an empty line", `\r\n${upgrade()}`],
    [101, "a page of an origin that may", upgrade({ Origin: "https://A" }), {
      path: "/",
      origins: ["https://a"],
    }],
    [403, "a page of one that may not", upgrade({ Origin: "null" }), { path: "/", origins: ["https://a"] }],
    [404, "another path", upgrade({}, "GET /sip HTTP/1.1")],
    [400, "no subprotocol", upgrade({ "Sec-WebSocket-Protocol": undefined })],
    [400, "another subprotocol", upgrade({ "Sec-WebSocket-Protocol": "sips, xsip" })],
    [400, "no key", upgrade({ "Sec-WebSocket-Key": undefined })],
    [400, "a short key", upgrade({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ==" })],
    [400, "another method", upgrade({}, "POST / HTTP/1.1")],
    [400, "an upgrade with a body", upgrade({ "Content-Length": "3" })],
    [400, "one with chunks", upgrade({ "Transfer-Encoding": "chunked" })],
    [400, "no Host", upgrade({ Host: undefined })],
    [400, "two Hosts", upgrade({ host: "b" })],
    [400, "a folded row", upgrade({ "X": "a\r\n b" })],
    [400, "a blank before a colon", upgrade({ "X ": "a" })],
    [400, "a row without a colon", upgrade().replace("Host: a", "Host: a\r\nHost")],
    [400, "a row without a name", upgrade({ "": "a" })],
    [400, "a lone LF", upgrade({ "X": "a\nY: b" })],
    [400, "a lone CR", upgrade({ "X": "a\rb" })],
    [400, "a NUL", upgrade({ "X": "a\0b" })],
    [400, "HTTP/2", upgrade({}, "GET / HTTP/2.0")],
    [400, "HTTP/0.9", upgrade({}, "GET /")],
    [400, "two blanks", upgrade({}, "GET  / HTTP/1.1")],
    [400, "SIP", upgrade({}, "OPTIONS sip:a SIP/2.0")],
    [426, "another version", upgrade({ "Sec-WebSocket-Version": "8" })],
    [426, "no version", upgrade({ "Sec-WebSocket-Version": undefined })],
    [426, "no Connection", upgrade({ Connection: "keep-alive" })],
    [426, "another upgrade", upgrade({ Upgrade: "h2c" })],
    [426, "a page", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    [426, "a page by HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    [426, "an upgrade by HTTP/1.0", upgrade({}, "GET / HTTP/1.0")],
  ] as readonly [number, string, string, WsPolicy?][]
) {
  Deno.test(`handshake: ${sentence} is answered ${status}`, () =>
    assertEquals(statusOf(text, policy), status));
}

for (
  const text of ["\x16\x03\x01\x02", "\x80", "GET \0", "GET / HTTP/1.1\r\nA: \x07", " GET", "{", "\r\n\x01"]
) {
  Deno.test(`handshake: ${JSON.stringify(text)} is known to be no request before it ends`, () => {
    assertEquals(headOf(text), "bad");
  });
}

Deno.test("handshake: a head may have 16 KiB and no more", () => {
  const long = (bytes: number) => upgrade({ X: "x".repeat(bytes - upgrade({ X: "" }).length) });
  assertEquals(statusOf(long(16_384)), 101);
  assertEquals(headOf(long(16_386)), "bad");
  assertEquals(headOf(`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`), "bad");
});

Deno.test("handshake: a head is read however it is split, and what follows it is left", () => {
  const text = `${upgrade()}\x81\x00\r\n\r\n`;
  for (let first = 1; first < upgrade().length; first++) {
    const reader = new HttpHeadReader();
    assertEquals(reader.push(latin1Bytes(text.slice(0, first))), undefined);
    const head = reader.push(latin1Bytes(text.slice(first)));
    assert(head !== undefined && head !== "bad");
    assertEquals(head.end, upgrade().length - first);
    assertEquals(head.fields.get("sec-websocket-key"), KEY);
  }
});

Deno.test("handshake: no bytes make it throw", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array()), (chunks) => {
    const reader = new HttpHeadReader();
    for (const chunk of chunks) if (reader.push(chunk) !== undefined) return;
  }));
});

Deno.test("handshake: it is accepted as in RFC 6455 §1.3, with the subprotocol as it was spelled", () => {
  const head = headOf(upgrade({ "Sec-WebSocket-Protocol": "chat, SiP" }));
  assert(head !== undefined && head !== "bad");
  assertEquals(
    acceptance(requestOf(head)!),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: SiP\r\n\r\n",
  );
});

Deno.test("handshake: who has another version is told which there is", () => {
  const head = headOf(upgrade({ "Sec-WebSocket-Version": "8" }));
  assert(head !== undefined && head !== "bad");
  assertStringIncludes(answerText(refusalOf(requestOf(head)!, ANYONE)!), "\r\nSec-WebSocket-Version: 13\r\n");
});

Deno.test("handshake: a refusal says how long it is, and that the connection ends", () => {
  const [head, body] = answerText(TOO_MANY).split("\r\n\r\n");
  assertStringIncludes(head, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n");
  assertStringIncludes(head, `\r\nContent-Length: ${body.length}`);
  assert(answerText(TOO_MANY, false).endsWith("\r\n\r\n"));
});

Deno.test("handshake: what a client of ours asks for is granted, and it knows that", () => {
  const head = headOf(upgradeRequest("example.com:5062", "/", KEY));
  assert(head !== undefined && head !== "bad");
  const request = requestOf(head)!;
  assertEquals([request.fields.get("host"), refusalOf(request, ANYONE)], ["example.com:5062", undefined]);
  const answer = headOf(acceptance(request));
  assert(answer !== undefined && answer !== "bad");
  assertEquals(upgradeFault(answer, KEY), undefined);
});

for (
  const [from, to, fault] of [
    ["101 Switching Protocols", "404 Not Found", 'the server answered "HTTP/1.1 404 Not Found"'],
    ["HTTP/1.1 101", "SIP/2.0 101", 'the server answered "SIP/2.0 101 Switching Protocols"'],
    ["Upgrade: websocket", "Upgrade: h2c", "the server did not understand what was asked for"],
    ["Connection: Upgrade", "Connection: close", "the server did not understand what was asked for"],
    ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "aaaa", "the server did not understand what was asked for"],
    ["Protocol: sip", "Protocol: chat", "the server does not speak SIP"],
    ["Upgrade: w", "Sec-WebSocket-Extensions: x\r\nUpgrade: w", "the server wants extensions nobody offered"],
  ]
) {
  Deno.test(`handshake: with ${JSON.stringify(to)} an answer begins no WebSocket`, () => {
    const request = headOf(upgrade());
    assert(request !== undefined && request !== "bad");
    const answer = headOf(acceptance(requestOf(request)!).replace(from, to));
    assert(answer !== undefined && answer !== "bad");
    assertEquals(upgradeFault(answer, KEY), fault);
  });
}
