import { type ByteArea, byteArea } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import {
  type MessageLimits,
  parseMessage,
  SipRequest,
  type SipResponse,
  type StreamFault,
} from "../sip/mod.ts";
import { BindingResponder } from "../stun/mod.ts";
import type { Flow, Receive } from "./flow.ts";

/** The first byte of a STUN message is below this (RFC 7983 §7); that of a SIP message never is. */
const FIRST_BYTE_NOT_STUN = 4;

/** What packets need to become messages. */
export interface ArrivalParts {
  readonly receive: Receive;
  readonly metrics: Metrics;
  readonly limits: MessageLimits;
  /** Whether to answer to the port a request came from even when it does not ask for that (RFC 3581). */
  readonly forceRport: boolean;
  /** What STUN responses name as their maker, below 128 characters; nothing if left out or empty. */
  readonly stunSoftware?: string;
}

/** Decides what a packet is, answers STUN, and hands SIP up with its source noted. */
export class Arrival {
  readonly #parts: ArrivalParts;
  readonly #stun: BindingResponder;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
    this.#stun = new BindingResponder(parts.stunSoftware);
  }

  /** Takes the datagram in `bytes` from `start` to `end`; keeps nothing of the bytes. */
  datagram(bytes: ByteArea, start: number, end: number, flow: Flow): void {
    if (isKeepAlive(bytes, start, end)) {
      this.#parts.metrics.keepAlivesReceived++;
      return;
    }
    if (bytes[start] < FIRST_BYTE_NOT_STUN) this.#answerStun(bytes, start, end, flow);
    else this.message(bytes, start, end, flow);
  }

  /** Takes the one message in `bytes` from `start` to `end`; keeps nothing of the bytes. */
  message(bytes: ByteArea, start: number, end: number, flow: Flow): void {
    this.#take(parseMessage(bytes, start, end, this.#parts.limits), flow);
  }

  /**
   * Takes what there is of a message behind which its stream cannot be followed: a request goes up with that as its
   * fault, so that it is answered 513 when it is too long, else 400 (RFC 3261 §18.3, §21.5.7).
   */
  broken(fault: StreamFault, bytes: ByteArea, start: number, end: number, flow: Flow): void {
    const { limits } = this.#parts;
    const bound = fault === "too long" ? { ...limits, bytes: 0 } : limits;
    this.#take(parseMessage(bytes, start, end, bound, FAULTS[fault]), flow);
  }

  #take(message: SipRequest | SipResponse | undefined, flow: Flow): void {
    const { metrics, receive, forceRport } = this.#parts;
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

  /** Every UDP port that takes SIP answers STUN as well (RFC 5626 §8). */
  #answerStun(bytes: ByteArea, start: number, end: number, flow: Flow): void {
    const { metrics } = this.#parts;
    const response = this.#stun.answer(bytes, start, end, flow.remote);
    if (response === undefined) metrics.stunDropped++;
    else if (flow.send(byteArea(response).latin1Slice(0, response.length))) metrics.stunAnswered++;
  }
}

/** What those are told whose stream cannot be followed. */
const FAULTS: Readonly<Record<StreamFault, string>> = {
  "too long": "Message too large",
  "bad length": "Malformed Content-Length",
  "no length": "No Content-Length",
  "not sip": "Malformed method",
};

/** Phones open their NAT with empty packets, CRLFs or NULs; over UDP nobody expects an answer (RFC 5626 §4.4). */
function isKeepAlive(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if (code !== 0x0d && code !== 0x0a && code !== 0) return false;
  }
  return true;
}
