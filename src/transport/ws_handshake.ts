import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Timer } from "../lib/timer_wheel.ts";

/** Who may open a WebSocket, and where. */
export interface WsPolicy {
  /** The path of the URL; a query may follow. */
  readonly path: string;
  /** The pages that may connect, as browsers name them in Origin; none: all. */
  readonly origins: readonly string[];
}

/** An HTTP response that ends the connection. */
export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
}

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

function refusal(status: number, reason: string, sentence: string): HttpAnswer {
  const headers = ["Connection: close", "Content-Type: text/plain; charset=utf-8"];
  return { status, reason, headers, body: `${sentence}\n` };
}

/**
 * Why a request to upgrade is refused; undefined if it is not. One without Origin is not from a web page, and free
 * to name any: it is let in.
 */
export function refusalOf({ url = "", headers }: IncomingMessage, policy: WsPolicy): HttpAnswer | undefined {
  if (headers.upgrade?.toLowerCase() !== "websocket") return UPGRADE_REQUIRED;
  if (url.split("?", 1)[0] !== policy.path) return WRONG_PATH;
  const { origin } = headers;
  if (origin !== undefined && policy.origins.length > 0 && !policy.origins.includes(origin.toLowerCase())) {
    return WRONG_ORIGIN;
  }
  const offered = headers["sec-websocket-protocol"]?.split(",") ?? [];
  return sipAmong(offered.map((name) => name.trim())) === undefined ? NOT_SIP : undefined;
}

/** The subprotocol of SIP as the client spells it (RFC 7118 §4.1): only its own spelling will it take for an answer. */
export function sipAmong(offered: Iterable<string>): string | undefined {
  for (const name of offered) if (name.toLowerCase() === "sip") return name;
  return undefined;
}

/** Sends an answer by itself, without the HTTP server, and nothing after it. */
export function sendAnswer(socket: Duplex, answer: HttpAnswer, withBody = true): void {
  const { status, reason, headers, body } = answer;
  const head = [`HTTP/1.1 ${status} ${reason}`, ...headers, `Content-Length: ${body.length}`];
  // Who has gone needs no answer.
  socket.on("error", () => {});
  socket.end(`${head.join("\r\n")}\r\n\r\n${withBody ? body : ""}`);
  // What was not read when a socket closes takes the answer with it.
  socket.resume();
}

/** A connection on its way to be a WebSocket. */
export class WsHandshake extends Timer {
  /** Whether it gets what it asks for, and that is a page. */
  isAnswered = false;
  /** Called when it ends. */
  onClose: () => void = () => {};

  /** `isAdmitted`: there is room for it. */
  constructor(readonly socket: Socket, readonly address: string, readonly isAdmitted: boolean) {
    super();
  }

  /** It has had its time. */
  override onTimer(): void {
    this.socket.destroy();
  }
}
