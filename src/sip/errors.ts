/** Header fields to add to a message we make: name and value, in order. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * The request is to be answered with this status. Thrown at any depth above transactions, caught by the proxy
 * core alone, which replies; never answered to an ACK.
 */
export class SipError extends Error {
  override readonly name: string = "SipError";

  constructor(readonly status: number, readonly reason: string, readonly headers: HeaderList = []) {
    super(`${status} ${reason}`);
  }
}

/** The message breaks the grammar, or a rule of RFC 3261 that every message must keep: 400. */
export class MalformedError extends SipError {
  override readonly name: string = "MalformedError";

  /** `what` says which part is wrong; it becomes the reason phrase of the 400. */
  constructor(what: string) {
    super(400, what);
  }
}
