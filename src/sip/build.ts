import type { HeaderList } from "./errors.ts";
import type { SipMessage, SipRequest, SipResponse } from "./message.ts";

/** The text of a request from its parts; Content-Length is added. */
export function buildRequest(method: string, uri: string, headers: HeaderList, body = ""): string {
  let out = `${method} ${uri} SIP/2.0\r\n`;
  for (const [name, value] of headers) out += `${name}: ${value}\r\n`;
  return `${out}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/**
 * The ACK to a final response of 300 or more, made by the client transaction that sent `sent`: same Via,
 * Request-URI, From, Call-ID and Route; the To of the response (RFC 3261 §17.1.1.3).
 */
export function buildAck(sent: SipRequest, response: SipResponse): string {
  return buildHopRequest("ACK", sent, response.get("To") ?? "");
}

/** The CANCEL for a request that was sent: everything that names the transaction is the same (RFC 3261 §9.1). */
export function buildCancel(sent: SipRequest, extra: HeaderList = []): string {
  return buildHopRequest("CANCEL", sent, sent.get("To") ?? "", extra);
}

function buildHopRequest(method: string, sent: SipRequest, to: string, extra: HeaderList = []): string {
  return buildRequest(method, sent.uriText, [
    ["Via", topVia(sent)],
    ["Max-Forwards", "70"],
    ...sent.all("Route").map((route) => ["Route", route] as const),
    ["From", sent.get("From") ?? ""],
    ["To", to],
    ["Call-ID", sent.callId],
    ["CSeq", `${sent.cseq.number} ${method}`],
    ...extra,
  ]);
}

function topVia(message: SipMessage): string {
  return message.all("Via")[0];
}
