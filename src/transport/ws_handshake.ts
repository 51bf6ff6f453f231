import { latin1Bytes } from "../lib/latin1.ts";
import { Timer } from "../lib/timer_wheel.ts";
import {
  acceptance,
  answerText,
  BAD_REQUEST,
  HttpHeadReader,
  refusalOf,
  requestOf,
  TOO_MANY,
  UPGRADE_REQUIRED,
  type WsPolicy,
} from "../websocket/mod.ts";
import type { Carrier, CarrierSink } from "./carrier.ts";
import { PASSED_OVER } from "./ws_wire.ts";

/** Who wants to know what becomes of a handshake. */
export interface HandshakeHost {
  readonly policy: WsPolicy;
  /** It has led to a WebSocket, which begins when `answer` is sent; `rest` came behind the request. */
  upgraded(handshake: WsHandshake, answer: Uint8Array, rest: Uint8Array): void;
  /** It is over, and its connection closed, and there is no WebSocket. */
  failed(handshake: WsHandshake): void;
}

/** A connection on its way to be a WebSocket; armed, it is closed when its time is over. */
export class WsHandshake extends Timer implements CarrierSink {
  readonly carrier: Carrier;
  /** Whether there is room for it. */
  readonly isAdmitted: boolean;
  /** Whether it gets what it asks for, and that is a page. */
  isAnswered = false;

  readonly #host: HandshakeHost;
  /** Undefined once the request has its answer. */
  #head: HttpHeadReader | undefined = new HttpHeadReader();
  #passedOver = 0;
  #isOver = false;

  constructor(host: HandshakeHost, carrier: Carrier, isAdmitted: boolean) {
    super();
    this.#host = host;
    this.carrier = carrier;
    this.isAdmitted = isAdmitted;
  }

  /** Takes the request, or more of it. */
  read(bytes: Uint8Array): void {
    if (this.#head === undefined) return this.#passOver(bytes.length);
    const head = this.#head.push(bytes);
    if (head === undefined) return;
    this.#head = undefined;
    const request = head === "bad" ? undefined : requestOf(head);
    if (head === "bad" || request === undefined) return this.#answer(answerText(BAD_REQUEST));
    const refusal = this.isAdmitted ? refusalOf(request, this.#host.policy) : TOO_MANY;
    if (refusal !== undefined) {
      this.isAnswered = refusal === UPGRADE_REQUIRED;
      return this.#answer(answerText(refusal, request.method !== "HEAD"));
    }
    this.#isOver = true;
    this.#host.upgraded(this, latin1Bytes(acceptance(request)), bytes.subarray(head.end));
  }

  caughtUp(): undefined {
    return undefined;
  }

  ended(): void {
    this.close();
  }

  gone(): void {
    this.close();
  }

  /** Ends it now, unless it has led to a WebSocket. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.carrier.close();
    this.#host.failed(this);
  }

  /** It has had its time. */
  override onTimer(): void {
    this.close();
  }

  #answer(text: string): void {
    // What is unread when a connection is closed takes the answer with it: so the peer is to close first.
    this.carrier.write(latin1Bytes(text)).then(() => this.carrier.endWriting(), () => this.close());
  }

  #passOver(count: number): void {
    this.#passedOver += count;
    if (this.#passedOver > PASSED_OVER) this.close();
  }
}
