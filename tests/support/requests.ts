/** What is different from the usual in a request that goes over a connection. */
export interface StreamRequest {
  /** Where the sender says it is, host and port. */
  readonly sentBy: string;
  /** What tells it from all others: its branch, tag and Call-ID. */
  readonly id: string;
  readonly uri?: string;
  readonly to?: string;
  readonly protocol?: "TCP" | "TLS" | "WS";
  /** Header rows after the usual ones, each with its line end. */
  readonly rows?: string;
  readonly body?: string;
}

/** The text of a request over a connection. */
export function streamRequest(method: string, request: StreamRequest): string {
  const { sentBy, id, uri = "sip:example.com", to = uri, protocol = "TCP", rows = "", body = "" } = request;
  return `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/${protocol} ${sentBy};branch=z9hG4bK${id}\r\n` +
    `Max-Forwards: 70\r\nFrom: <sip:probe@example.com>;tag=${id}\r\nTo: <${to}>\r\nCall-ID: ${id}\r\n` +
    `CSeq: 1 ${method}\r\n${rows}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The text of a REGISTER of a contact for a user over a connection that takes requests for it. */
export function streamRegister(user: string, contact: string, request: StreamRequest): string {
  return streamRequest("REGISTER", {
    to: `sip:${user}@example.com`,
    rows: `Contact: <${contact}>\r\n`,
    ...request,
  });
}
