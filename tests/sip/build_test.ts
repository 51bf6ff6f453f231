import { buildAck, buildCancel, buildRequest } from "../../src/sip/build.ts";
import { assertEquals } from "../support/assert.ts";
import { asRequest, asResponse } from "../support/messages.ts";

/** An INVITE as a proxy sent it: several Vias, a preloaded route set, credentials, extensions, a body. */
const INVITE = asRequest([
  "INVITE sip:bob@example.com;transport=udp SIP/2.0",
  'Via: SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKours;x="1,2", SIP/2.0/TCP caller.example;branch=z9hG4bKtheirs',
  "Via: SIP/2.0/UDP older.example",
  "Max-Forwards: 12",
  "Route: <sip:p1.example;lr>,<sip:p2.example;lr>",
  "Route: <sip:p3.example;lr>",
  'From: "Alice" <sip:alice@example.com>',
  " ;tag=a1",
  "To: <sip:bob@example.com>",
  "Call-ID: call-1",
  "CSeq: 0042 INVITE",
  "Contact: <sip:alice@192.0.2.9>",
  "Require: 100rel",
  "Proxy-Require: x",
  'Proxy-Authorization: Digest username="alice"',
  "Content-Length: 4",
  "",
  "v=0\n",
].join("\r\n"));

const BUSY = asResponse([
  "SIP/2.0 486 Busy Here",
  "Via: SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKours;received=192.0.2.1",
  'From: "Alice" <sip:alice@example.com>;tag=a1',
  "t: <sip:bob@example.com>;tag=b1",
  "Call-ID: call-1",
  "CSeq: 42 INVITE",
  "Contact: <sip:bob@192.0.2.4>",
  "Record-Route: <sip:other;lr>",
  "",
  "",
].join("\r\n"));

Deno.test("the ACK to a failure is the INVITE's in all that names it, with the To of the response", () => {
  assertEquals(buildAck(INVITE, BUSY).split("\r\n"), [
    "ACK sip:bob@example.com;transport=udp SIP/2.0",
    'Via: SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKours;x="1,2"',
    "Max-Forwards: 70",
    "Route: <sip:p1.example;lr>",
    "Route: <sip:p2.example;lr>",
    "Route: <sip:p3.example;lr>",
    'From: "Alice" <sip:alice@example.com> ;tag=a1',
    "To: <sip:bob@example.com>;tag=b1",
    "Call-ID: call-1",
    "CSeq: 42 ACK",
    "Content-Length: 0",
    "",
    "",
  ]);
});

Deno.test("a CANCEL is the request's in all that names it, with the request's own To", () => {
  assertEquals(buildCancel(INVITE, [["Reason", "SIP;cause=200"]]).split("\r\n"), [
    "CANCEL sip:bob@example.com;transport=udp SIP/2.0",
    'Via: SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKours;x="1,2"',
    "Max-Forwards: 70",
    "Route: <sip:p1.example;lr>",
    "Route: <sip:p2.example;lr>",
    "Route: <sip:p3.example;lr>",
    'From: "Alice" <sip:alice@example.com> ;tag=a1',
    "To: <sip:bob@example.com>",
    "Call-ID: call-1",
    "CSeq: 42 CANCEL",
    "Reason: SIP;cause=200",
    "Content-Length: 0",
    "",
    "",
  ]);
});

Deno.test("a CANCEL within a dialog keeps the tag in To, and an INVITE without Route makes none", () => {
  const text = "INVITE sip:b SIP/2.0\r\nv:SIP/2.0/UDP a;branch=z9hG4bK1\r\nf:<sip:a>;tag=1\r\n" +
    "t:<sip:b>;tag=2\r\ni:1\r\nCSeq: 9 INVITE\r\n\r\n";
  const cancel = asRequest(buildCancel(asRequest(text)));
  assertEquals([cancel.fault, cancel.toTag, cancel.has("Route")], [undefined, "2", false]);
  assertEquals(cancel.all("Via"), ["SIP/2.0/UDP a;branch=z9hG4bK1"]);
});

Deno.test("a request is built of its parts, with the length of its body", () => {
  const text = buildRequest("MESSAGE", "sip:b@c", [["Via", "SIP/2.0/UDP a"], ["X-Odd", ""]], "h\u00c3\u00ab");
  assertEquals(
    text,
    "MESSAGE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nX-Odd: \r\nContent-Length: 3\r\n\r\nh\u00c3\u00ab",
  );
  assertEquals(buildRequest("OPTIONS", "sip:b", []), "OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n");
});
