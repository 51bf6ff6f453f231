import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { buildReply, SipRequest, type SipResponse } from "../../src/sip/mod.ts";
import { Arrival } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { RecordingTransport } from "../support/flows.ts";
import { requestText, responseText } from "../support/messages.ts";

const FLOW = new RecordingTransport("udp").connect({ address: "203.0.113.5", port: 40_000 });

/** What comes of one datagram. */
function arrive(text: string, { forceRport = false, maxBytes = 65_535 } = {}) {
  const metrics = new Metrics();
  const received: (SipRequest | SipResponse)[] = [];
  const limits = { bytes: maxBytes, headers: 20 };
  const arrival = new Arrival({
    receive: (message) => received.push(message),
    metrics,
    limits,
    forceRport,
  });
  // Amid other bytes, as in the memory of a batch.
  const bytes = latin1Bytes(`BYE ${text}\r\n\r\nBYE`);
  arrival.datagram(byteArea(bytes), 4, 4 + text.length, FLOW);
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
