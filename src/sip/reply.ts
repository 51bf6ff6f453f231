import type { HeaderList } from "./errors.ts";
import { CALL_ID, CSEQ, FROM, TIMESTAMP, TO } from "./header_names.ts";
import type { SipRequest } from "./message.ts";
import { trimSpace } from "./scan.ts";
import { reasonOf } from "./status.ts";

/** What a response of ours has beyond what it copies from the request. */
export interface ReplyOptions {
  /** The usual one if left out. */
  readonly reason?: string;
  /** The tag to put into To if the request has none there; left out for 100. */
  readonly toTag?: string;
  readonly headers?: HeaderList;
  /** More header rows, each with its CRLF. */
  readonly rows?: string;
  readonly body?: string;
}

/**
 * The response to a request (RFC 3261 §8.2.6.2): its Vias with the source noted, From, To, Call-ID and CSeq
 * as they came. Works on malformed requests as well: what is not there is left out.
 */
export function buildReply(request: SipRequest, status: number, options: ReplyOptions = {}): string {
  const { text, stamp } = request;
  let out = `SIP/2.0 ${status} ${options.reason ?? reasonOf(status)}\r\n`;
  let isFirst = true;
  request.eachRow("Via", (start, end) => {
    out += isFirst && stamp !== undefined
      ? text.slice(start, stamp.start) + stamp.text + text.slice(stamp.end, end)
      : text.slice(start, end);
    isFirst = false;
  });
  out += request.rowText(FROM) + toRow(request, status, options.toTag);
  out += request.rowText(CALL_ID) + request.rowText(CSEQ);
  // Only the 100 says when it was asked (§8.2.6.1).
  if (status === 100) out += request.rowText(TIMESTAMP);
  const { headers, rows = "", body = "" } = options;
  if (headers !== undefined) {
    for (let i = 0; i < headers.length; i++) out += `${headers[i][0]}: ${headers[i][1]}\r\n`;
  }
  return `${out}${rows}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function toRow(request: SipRequest, status: number, tag: string | undefined): string {
  const row = request.rowText(TO);
  // A To we could not read goes back as it came.
  if (tag === undefined || status === 100 || row === "" || !request.hasReadableTo || request.inDialog) {
    return row;
  }
  return `${trimSpace(row)};tag=${tag}\r\n`;
}
