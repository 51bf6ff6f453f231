import type { ByteArea } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import { type MessageLimits, parseMessage, SipRequest } from "../sip/mod.ts";
import type { Flow, Receive } from "./flow.ts";

/** What packets need to become messages. */
export interface ArrivalParts {
  readonly receive: Receive;
  readonly metrics: Metrics;
  readonly limits: MessageLimits;
  /** Whether to answer to the port a request came from even when it does not ask for that (RFC 3581). */
  readonly forceRport: boolean;
}

/** Decides what a packet is, and hands SIP up with its source noted. */
export class Arrival {
  readonly #parts: ArrivalParts;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
  }

  /** Takes the datagram in `bytes` from `start` to `end`; keeps nothing of the bytes. */
  datagram(bytes: ByteArea, start: number, end: number, flow: Flow): void {
    const { metrics, limits, receive, forceRport } = this.#parts;
    if (isKeepAlive(bytes, start, end)) {
      metrics.keepAlivesReceived++;
      return;
    }
    const message = parseMessage(bytes, start, end, limits);
    if (message === undefined) {
      metrics.notSip++;
    } else if (message instanceof SipRequest) {
      metrics.requestsReceived++;
      if (message.hasReadableVia) message.stampSource(flow.remote.address, flow.remote.port, forceRport);
      receive(message, flow);
    } else {
      metrics.responsesReceived++;
      receive(message, flow);
    }
  }
}

/** Phones open their NAT with empty packets, CRLFs or NULs; over UDP nobody expects an answer (RFC 5626 §4.4). */
function isKeepAlive(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if (code !== 0x0d && code !== 0x0a && code !== 0) return false;
  }
  return true;
}
