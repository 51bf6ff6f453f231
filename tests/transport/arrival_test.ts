import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { buildReply, SipRequest, type SipResponse } from "../../src/sip/mod.ts";
import { Arrival } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { RecordingTransport } from "../support/flows.ts";
import { requestText, responseText } from "../support/messages.ts";
import { parseStunResponse, stunRequest } from "../support/stun.ts";

const FLOW = new RecordingTransport("udp").connect({ address: "203.0.113.5", port: 40_000 });

/** What comes of one datagram. */
function arrive(
  text: string,
  { forceRport = false, maxBytes = 65_535, stunSoftware = "", flow = FLOW } = {},
) {
  const metrics = new Metrics();
  const received: (SipRequest | SipResponse)[] = [];
  const limits = { bytes: maxBytes, headers: 20 };
  const arrival = new Arrival({
    receive: (message) => received.push(message),
    metrics,
    limits,
    forceRport,
    stunSoftware,
  });
  // Amid other bytes, as in the memory of a batch.
  const bytes = latin1Bytes(`BYE ${text}\r\n\r\nBYE`);
  arrival.datagram(byteArea(bytes), 4, 4 + text.length, flow);
  return { metrics: metrics.snapshot(), received };
}

for (const [what, text] of [["nothing", ""], ["CRLFs", "\r\n\r\n"], ["an LF", "\n"], ["NULs", "\0\0\0\0"]]) {
  Deno.test(`a datagram of ${what} is a keep-alive that wants no answer`, () => {
    assertEquals(arrive(text), { metrics: { keepAlivesReceived: 1 }, received: [] });
  });
}

for (
  const text of ["garbage", "\r\n\r\ngarbage\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\x80\x00\xff", "hello\r\n"]
) {
  Deno.test(`${JSON.stringify(text)} is not SIP, and only counted`, () => {
    assertEquals(arrive(text), { metrics: { notSip: 1 }, received: [] });
  });
}

/** Bytes as text, one char each. */
function textOf(bytes: Uint8Array): string {
  return byteArea(bytes).latin1Slice(0, bytes.length);
}

/** What comes of one datagram, and what is sent back by the flow it came by. */
function askStun(text: string, stunSoftware?: string) {
  const flow = new RecordingTransport("udp").connect({ address: "203.0.113.5", port: 40_000 });
  return { ...arrive(text, { stunSoftware, flow }), flow };
}

Deno.test("a STUN request is answered by the flow it came by, and goes no further", () => {
  const { metrics, received, flow } = askStun(textOf(stunRequest({ fingerprint: true })), "sluice");
  assertEquals([metrics, received, flow.sent.length], [{ stunAnswered: 1 }, [], 1]);
  const { mapped, software, hasFingerprint } = parseStunResponse(latin1Bytes(flow.sent[0]));
  assertEquals([mapped, software, hasFingerprint], [flow.remote, "sluice", true]);
});

Deno.test("a STUN request that asks for too much is refused, which is an answer too", () => {
  const { metrics, flow } = askStun(textOf(stunRequest({ attributes: [[0x0003, [0, 0, 0, 6]]] })));
  assertEquals(metrics, { stunAnswered: 1 });
  assertEquals(parseStunResponse(latin1Bytes(flow.sent[0])).unknown, [0x0003]);
});

Deno.test("an answer that the flow does not take is not counted as one", () => {
  const flow = new RecordingTransport("udp").connect({ address: "203.0.113.5", port: 40_000 });
  flow.goDead();
  assertEquals(arrive(textOf(stunRequest()), { flow }).metrics, {});
});

for (
  const [what, text] of [
    ["a STUN indication", textOf(stunRequest({ type: 0x0011 }))],
    ["a STUN response", textOf(stunRequest({ type: 0x0101 }))],
    ["a STUN request without a cookie, as of RFC 3489,", textOf(stunRequest().fill(0x55, 4, 20))],
    ["half a STUN request", textOf(stunRequest()).slice(0, 10)],
    ["a SIP request behind a NUL", `\0${requestText("OPTIONS")}`],
    ["a byte of 3", "\x03"],
  ]
) {
  Deno.test(`${what} is dropped without a word, and counted`, () => {
    const { metrics, received, flow } = askStun(text);
    assertEquals([metrics, received, flow.sent], [{ stunDropped: 1 }, [], []]);
  });
}

Deno.test("requests and responses go up and are counted, whatever else is in the memory around them", () => {
  const asked = arrive(requestText("OPTIONS", { body: "\xe9\x00\xff" }));
  assertEquals(asked.metrics, { requestsReceived: 1 });
  assertEquals([asked.received[0].text, asked.received[0].body.length], [
    requestText("OPTIONS", { body: "\xe9\x00\xff" }),
    3,
  ]);
  const answered = arrive(responseText(200, "OPTIONS"));
  assertEquals(answered.metrics, { responsesReceived: 1 });
  assertEquals(answered.received[0].text, responseText(200, "OPTIONS"));
});

Deno.test("empty lines before a message are ignored", () => {
  const { received } = arrive(`\r\n\r\n${requestText("OPTIONS")}`);
  assertEquals(received[0].text, requestText("OPTIONS"));
});

Deno.test("what has a fault goes up all the same, with the fault", () => {
  const { received } = arrive(requestText("OPTIONS", { cseq: "x" }));
  assertEquals(received[0].fault, "Malformed CSeq");
  const { received: [large] } = arrive(requestText("OPTIONS"), { maxBytes: 100 });
  assert(large.isTooLarge);
});

/** The top Via of an answer to a request with this Via. */
function answeredVia(via: string, forceRport = false): string {
  const { received } = arrive(requestText("OPTIONS", { vias: [`SIP/2.0/UDP ${via}`] }), { forceRport });
  assert(received[0] instanceof SipRequest);
  return /^Via: SIP\/2\.0\/UDP (.*)\r$/m.exec(buildReply(received[0], 200))![1];
}

for (
  const [what, via, answered] of [
    ["names another host", "h:5070;branch=z9hG4bKa", "h:5070;received=203.0.113.5;branch=z9hG4bKa"],
    ["names the source itself", "203.0.113.5;branch=z9hG4bKa", "203.0.113.5;branch=z9hG4bKa"],
    ["asks for its port", "h;rport;branch=z9hG4bKa", "h;rport=40000;received=203.0.113.5;branch=z9hG4bKa"],
    ["asks and names the source", "203.0.113.5;rport", "203.0.113.5;rport=40000;received=203.0.113.5"],
  ]
) {
  Deno.test(`where a request came from is noted when its Via ${what}`, () => {
    assertEquals(answeredVia(via), answered);
  });
}

Deno.test("what the sender says itself of where it is, is replaced", () => {
  for (const via of ["h;received=198.51.100.9;branch=z9hG4bKa", "h;rport=9;received=198.51.100.9"]) {
    const answered = answeredVia(via);
    assertStringIncludes(answered, "received=203.0.113.5");
    assert(!answered.includes("198.51.100.9") && !answered.includes("rport=9"));
  }
});

Deno.test("the port is noted for every request when that is forced", () => {
  assertEquals(answeredVia("203.0.113.5", true), "203.0.113.5;rport=40000;received=203.0.113.5");
});

Deno.test("a request without a readable Via goes up with its fault and nothing noted", () => {
  const { received } = arrive(requestText("OPTIONS", { vias: ["nonsense"] }));
  assert(received[0] instanceof SipRequest);
  assertEquals([received[0].stamp, received[0].fault], [undefined, "Malformed Via"]);
});
