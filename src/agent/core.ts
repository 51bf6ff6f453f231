import type { TimerWheel } from "../lib/timer_wheel.ts";
import type { Tokens } from "../lib/token.ts";
import type { Dialog } from "./dialog.ts";
import type { Exchange } from "./exchange.ts";
import type { Patience } from "./inbox.ts";
import type { SipRequest } from "../sip/mod.ts";

/** A call that waits for the ACK to its success. */
export interface Acknowledgeable {
  acknowledge(ack: SipRequest): void;
}

/** What the calls of a user agent need of it. */
export interface AgentCore {
  /** The URI it is reached at. */
  readonly contact: string;
  readonly tokens: Tokens;
  readonly wheel: TimerWheel;
  /** Milliseconds, the T1 of RFC 3261. */
  readonly t1: number;
  readonly patience: Patience;
  /** Calls that were answered here, by Call-ID and our tag. */
  readonly dialogs: Map<string, Acknowledgeable>;
  sendInDialog(dialog: Dialog, method: string, body?: string): Exchange;
}
