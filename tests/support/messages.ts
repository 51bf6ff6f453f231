import { type HeaderList, parseText, SipRequest, SipResponse } from "../../src/sip/mod.ts";

/** What is different from the usual in a message; `vias` has the topmost first. */
export interface MessageParts {
  readonly uri?: string;
  readonly vias?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  /** The whole field; by default the number 1 and the method. */
  readonly cseq?: string;
  /** More fields, after the others. */
  readonly headers?: HeaderList;
  readonly body?: string;
}

/** A Via value of a peer at 192.0.2.9. */
export function viaOf(branch: string, sentBy = "192.0.2.9:5060"): string {
  return `SIP/2.0/UDP ${sentBy};branch=${branch}`;
}

/** The text of a request as a phone sends it. */
export function requestText(method: string, parts: MessageParts = {}): string {
  return messageText(`${method} ${parts.uri ?? "sip:bob@example.com"} SIP/2.0`, method, "", parts);
}

/** The text of a response to a request of that method. */
export function responseText(status: number, method: string, parts: MessageParts = {}): string {
  return messageText(`SIP/2.0 ${status} Any`, method, status > 100 ? ";tag=callee" : "", parts);
}

function messageText(startLine: string, method: string, toTag: string, parts: MessageParts): string {
  const { vias = [viaOf("z9hG4bKone")], headers = [], body = "" } = parts;
  const rows: HeaderList = [
    ...vias.map((via) => ["Via", via] as const),
    ["Max-Forwards", "70"],
    ["From", parts.from ?? "<sip:alice@example.com>;tag=caller"],
    ["To", parts.to ?? `<sip:bob@example.com>${toTag}`],
    ["Call-ID", parts.callId ?? "call-1"],
    ["CSeq", parts.cseq ?? `1 ${method}`],
    ...headers,
    ["Content-Length", String(body.length)],
  ];
  return `${startLine}\r\n${rows.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

/** The request in a text; throws if it is none. */
export function asRequest(text: string): SipRequest {
  const message = parseText(text);
  if (message instanceof SipRequest) return message;
  throw new Error(`No request: ${text}`);
}

/** The response in a text; throws if it is none. */
export function asResponse(text: string): SipResponse {
  const message = parseText(text);
  if (message instanceof SipResponse) return message;
  throw new Error(`No response: ${text}`);
}

/** A request as it was received. */
export function request(method: string, parts?: MessageParts): SipRequest {
  return asRequest(requestText(method, parts));
}

/** A response as it was received. */
export function response(status: number, method: string, parts?: MessageParts): SipResponse {
  return asResponse(responseText(status, method, parts));
}

/** The first line of a message without the version: `486 Busy Here`, `ACK sip:bob@example.com`. */
export function headline(text: string): string {
  return text.slice(0, text.indexOf("\r\n")).replace(/^SIP\/2\.0 | SIP\/2\.0$/, "");
}
