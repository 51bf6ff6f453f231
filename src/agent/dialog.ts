import type { HeaderList, SipMessage, SipRequest, SipResponse } from "../sip/mod.ts";

/** What the two sides of a dialog have agreed on, as one of them sees it (RFC 3261 §12). */
export class Dialog {
  /** Sequence number of the last request sent in it. */
  localSeq: number;

  private constructor(
    readonly callId: string,
    /** From and To of the requests sent in it. */
    readonly local: string,
    readonly remote: string,
    readonly remoteTag: string | undefined,
    /** The Request-URI of the requests sent in it. */
    readonly target: string,
    /** Their Route, top first. */
    readonly routes: readonly string[],
    localSeq: number,
  ) {
    this.localSeq = localSeq;
  }

  /** As its caller sees it, from a response to the INVITE that has a To tag (§12.1.2). */
  static ofCaller(response: SipResponse): Dialog {
    return new Dialog(
      response.callId,
      response.get("From")!,
      response.get("To")!,
      response.toTag,
      targetOf(response),
      response.all("Record-Route").reverse(),
      response.cseq.number,
    );
  }

  /** As its callee sees it, from the INVITE it answered with `tag` (§12.1.1). */
  static ofCallee(request: SipRequest, tag: string): Dialog {
    return new Dialog(
      request.callId,
      `${request.get("To")};tag=${tag}`,
      request.get("From")!,
      request.fromTag,
      targetOf(request),
      request.all("Record-Route"),
      0,
    );
  }

  /** The fields that a request in this dialog has; an ACK goes by the number of its INVITE. */
  headers(method: string, seq: number): HeaderList {
    return [
      ["Max-Forwards", "70"],
      ...this.routes.map((route) => ["Route", route] as const),
      ["From", this.local],
      ["To", this.remote],
      ["Call-ID", this.callId],
      ["CSeq", `${seq} ${method}`],
    ];
  }

  /** Where its next request is sent: the first Route, else the target. */
  get nextHop(): string {
    const [first] = this.routes;
    return first === undefined ? this.target : first.slice(first.indexOf("<") + 1, first.indexOf(">"));
  }
}

function targetOf(message: SipMessage): string {
  const { contacts } = message;
  return contacts === "*" || contacts.length === 0 ? "" : contacts[0].uriText;
}
