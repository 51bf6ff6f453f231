import { MalformedError } from "../../src/sip/errors.ts";
import { requestFault } from "../../src/sip/validity.ts";
import { SipRequest } from "../../src/sip/message.ts";
import { parseText } from "../../src/sip/parse.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { asRequest, request } from "../support/messages.ts";

/** The answer a request of this start line deserves. */
function faultOf(startLine: string): [number, string] | undefined {
  const text =
    `${startLine}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n` +
    "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
  const fault = requestFault(asRequest(text));
  return fault === undefined ? undefined : [fault.status, fault.reason];
}

Deno.test("a sound request has no fault, however odd its other fields are", () => {
  for (const method of ["INVITE", "ACK", "CANCEL", "X-!%*_+`'~.", "sip"]) {
    assertEquals(requestFault(request(method)), undefined);
  }
  const headers = [["Date", "yesterday"], ["Contact", "?"], ["Expires", "soon"], ["X", ";;,,"], [
    "Route",
    "<",
  ]];
  assertEquals(requestFault(request("INVITE", { headers: headers.map(([n, v]) => [n, v]) })), undefined);
});

Deno.test("the version must be ours, in any case", () => {
  assertEquals(faultOf("OPTIONS sip:b SIP/2.0"), undefined);
  assertEquals(faultOf("OPTIONS sip:b sip/2.0"), undefined);
  for (const version of ["SIP/7.0", "SIP/1.0", "SIP/2.1", "SIP/2.00", "SIP/20.0", "sip/3.0"]) {
    assertEquals(faultOf(`OPTIONS sip:b ${version}`), [505, "Version Not Supported"], version);
  }
  assertEquals(faultOf("OPTIONS sip:b SIP/two"), [400, "Malformed request line"]);
});

Deno.test("the CSeq must be of the request's method", () => {
  const fault = requestFault(request("OPTIONS", { cseq: "1 INVITE" }));
  assert(fault instanceof MalformedError);
  assertEquals(fault.reason, "CSeq method is not the request's");
  assertEquals(requestFault(request("OPTIONS", { cseq: "1 options" }))?.status, 400);
});

Deno.test("the Request-URI must be a URI, and without headers", () => {
  assertEquals(faultOf("OPTIONS tel:+1 SIP/2.0"), undefined);
  assertEquals(faultOf("OPTIONS nobodyknows:this SIP/2.0"), undefined);
  assertEquals(faultOf("OPTIONS <sip:b> SIP/2.0"), [400, "Malformed URI"]);
  assertEquals(faultOf("OPTIONS b SIP/2.0"), [400, "Malformed URI"]);
  assertEquals(faultOf("OPTIONS sip:b:0 SIP/2.0"), [400, "Malformed port in URI"]);
  assertEquals(faultOf("OPTIONS sip:b?Route=x SIP/2.0"), [400, "Request-URI with headers"]);
});

Deno.test("Max-Forwards must be a number, if it is there", () => {
  const fault = (value: string) => {
    const text =
      `OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\nCall-ID: 1\r\n` +
      `CSeq: 1 OPTIONS\r\n${value}\r\n`;
    return requestFault(asRequest(text))?.reason;
  };
  assertEquals(fault(""), undefined);
  assertEquals(fault("Max-Forwards: 0\r\n"), undefined);
  assertEquals(fault("Max-Forwards: 256\r\n"), "Malformed Max-Forwards");
  assertEquals(fault("Max-Forwards: many\r\n"), "Malformed Max-Forwards");
});

Deno.test("a request too large is told so", () => {
  const message = parseText(`OPTIONS sip:b SIP/2.0\r\n\r\n${"x".repeat(100)}`, { bytes: 100, headers: 10 });
  assert(message instanceof SipRequest);
  assertEquals(requestFault(message)?.status, 513);
});

Deno.test("any fault of the message is a 400 with the fault as its reason", () => {
  const fault = requestFault(asRequest("OPTIONS sip:b SIP/2.0\r\n\r\n"));
  assert(fault instanceof MalformedError);
  assertEquals([fault.status, fault.reason, fault.headers], [400, "No Via", []]);
});
