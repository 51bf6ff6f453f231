import { createHash } from "node:crypto";
import { type HttpHead, listed } from "./http_head.ts";

/** Who may open a WebSocket, and where. */
export interface WsPolicy {
  /** The path of the URL; a query may follow. */
  readonly path: string;
  /** The pages that may connect, as browsers name them in Origin, in lower case; none: all. */
  readonly origins: readonly string[];
}

/** An HTTP request without its body. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** An HTTP response that ends the connection. */
export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** The version of the protocol there is (RFC 6455 §4.1). */
const VERSION = "13";

/** What is added to the key, so that no other server can give the answer by accident (RFC 6455 §1.3). */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/1\.([01])$/;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>SIP over WebSocket</title>
<p>This port speaks SIP over WebSocket (RFC 7118) to browsers and other SIP user agents. There are no pages here.</p>
</html>
`;

/** What any request gets that does not ask for a WebSocket. */
export const UPGRADE_REQUIRED: HttpAnswer = {
  status: 426,
  reason: "Upgrade Required",
  headers: ["Upgrade: websocket", "Connection: Upgrade, close", "Content-Type: text/html; charset=utf-8"],
  body: PAGE,
};

/** What those get who come when there are too many. */
export const TOO_MANY = refusal(
  503,
  "Service Unavailable",
  "There are too many connections; try again later.",
);

/** What those get whose bytes are no HTTP. */
export const BAD_REQUEST = refusal(400, "Bad Request", "This is not HTTP as this port understands it.");

const NOT_SIP = refusal(
  400,
  "Bad Request",
  'This port speaks SIP over WebSocket: offer the subprotocol "sip" (RFC 7118).',
);
const WRONG_PATH = refusal(404, "Not Found", "There is no WebSocket at this path.");
const WRONG_ORIGIN = refusal(403, "Forbidden", "Pages of this origin may not connect.");
const WRONG_VERSION = refusal(426, "Upgrade Required", "This port speaks version 13 of WebSocket.", [
  "Upgrade: websocket",
  "Connection: Upgrade, close",
  `Sec-WebSocket-Version: ${VERSION}`,
]);

function refusal(
  status: number,
  reason: string,
  sentence: string,
  more: readonly string[] = ["Connection: close"],
): HttpAnswer {
  const headers = [...more, "Content-Type: text/plain; charset=utf-8"];
  return { status, reason, headers, body: `${sentence}\n` };
}

/** A head as a request; undefined if it is none, or none of HTTP/1 (RFC 9112 §3). */
export function requestOf({ startLine, fields }: HttpHead): HttpRequest | undefined {
  const found = REQUEST_LINE.exec(startLine);
  if (found === null) return undefined;
  const [, method, target, minor] = found;
  const host = fields.get("host");
  // Two of them are joined by a comma, which no host has in it.
  if (host === undefined ? minor === "1" : host.includes(",")) return undefined;
  // In HTTP/1.0 nothing can be upgraded (RFC 9110 §7.8).
  return { method, target, fields: minor === "1" ? fields : new Map() };
}

/**
 * Why a request is refused; undefined if a WebSocket may begin (RFC 6455 §4.2.1, RFC 7118 §4.1). One without Origin
 * is not from a web page, and free to name any: it is let in.
 */
export function refusalOf({ method, target, fields }: HttpRequest, policy: WsPolicy): HttpAnswer | undefined {
  if (!names(fields, "connection", "upgrade") || !names(fields, "upgrade", "websocket")) {
    return UPGRADE_REQUIRED;
  }
  if (pathOf(target) !== policy.path) return WRONG_PATH;
  const origin = fields.get("origin");
  if (origin !== undefined && policy.origins.length > 0 && !policy.origins.includes(origin.toLowerCase())) {
    return WRONG_ORIGIN;
  }
  if (sipAmong(fields) === undefined) return NOT_SIP;
  if (fields.get("sec-websocket-version") !== VERSION) return WRONG_VERSION;
  const hasBody = (fields.get("content-length") ?? "0") !== "0" || fields.has("transfer-encoding");
  const isComplete = method === "GET" && !hasBody && KEY.test(fields.get("sec-websocket-key") ?? "");
  return isComplete ? undefined : BAD_REQUEST;
}

/** The answer to a request that is not refused; what follows it are frames (RFC 6455 §4.2.2). */
export function acceptance({ fields }: HttpRequest): string {
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(fields.get("sec-websocket-key")!)}`,
    `Sec-WebSocket-Protocol: ${sipAmong(fields)}`,
    "\r\n",
  ].join("\r\n");
}

/** A refusal as it is sent. */
export function answerText({ status, reason, headers, body }: HttpAnswer, withBody = true): string {
  const head = [`HTTP/1.1 ${status} ${reason}`, ...headers, `Content-Length: ${body.length}`];
  return `${head.join("\r\n")}\r\n\r\n${withBody ? body : ""}`;
}

/** What proves that a server has understood a client's key (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
}

/** The subprotocol of SIP as the client spells it: only its own spelling will it take for an answer. */
function sipAmong(fields: ReadonlyMap<string, string>): string | undefined {
  return listed(fields.get("sec-websocket-protocol")).find((name) => name.toLowerCase() === "sip");
}

function names(fields: ReadonlyMap<string, string>, field: string, member: string): boolean {
  return listed(fields.get(field)).some((each) => each.toLowerCase() === member);
}

/** The path of a target, which may also have the scheme and the host before it (RFC 9112 §3.2.2). */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0];
  return path === "" ? "/" : path;
}
