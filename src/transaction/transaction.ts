import type { SipRequest, SipResponse } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";

/** A request being answered (RFC 3261 §17.2). */
export interface ServerTransaction {
  /** Where the answers go. */
  readonly flow: Flow;
  /** Whether a final response was given. */
  readonly isAnswered: boolean;
  /** Sends a response, and keeps it for copies of the request; after a final one only more 2xx to INVITE pass. */
  respond(status: number, text: string): void;
  /** Ends it without a final response: the request was not an INVITE and the time for an answer is over (RFC 4320 §4.2). */
  abandon(): void;
  /**
   * Who is told of a CANCEL, at most once and only while no final response was given; of one that came before,
   * at once.
   */
  onCancel: ((cancel: SipRequest) => void) | undefined;
}

/** A request of ours that waits for its answer (RFC 3261 §17.1). */
export interface ClientTransaction {
  readonly branch: string;
  readonly flow: Flow;
  /**
   * Sends a CANCEL, at once or as soon as a provisional response has come (RFC 3261 §9.1), with `reason` as
   * its Reason header; nothing if a final response has come, or it is not an INVITE.
   */
  cancel(reason?: string): void;
}

/** How a request of ours ended. */
export type Outcome =
  | { readonly kind: "response"; readonly response: SipResponse }
  /** `answered`: a provisional response had come. */
  | { readonly kind: "timeout"; readonly answered: boolean }
  | { readonly kind: "flow-failed" };

/** Who waits for the answers to a request of ours. */
export interface ClientListener {
  /** Any number of times, before the outcome; 100 as well. */
  onProvisional(response: SipResponse): void;
  /** Once. */
  onOutcome(outcome: Outcome): void;
  /** A 2xx to INVITE after the first, the same again or another's (RFC 6026 §7.2). */
  onFurtherSuccess(response: SipResponse): void;
}
