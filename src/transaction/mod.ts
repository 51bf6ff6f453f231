/** The transactions of RFC 3261 §17 with RFC 6026: timers, retransmissions, CANCEL, and who answers what. */
export { TransactionLayer, type TransactionLayerParts } from "./layer.ts";
export { LocalReplies } from "./local_replies.ts";
export { DEFAULT_TIMERS, type TimerOptions } from "./timers.ts";
export type { ClientListener, ClientTransaction, Outcome, ServerTransaction } from "./transaction.ts";
