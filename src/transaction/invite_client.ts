import { Timer, type TimerWheel } from "../lib/timer_wheel.ts";
import { buildAck, parseText, type SipRequest, type SipResponse } from "../sip/mod.ts";
import type { Flow, FlowWatcher } from "../transport/mod.ts";
import { TIMER_D, type Timers } from "./timers.ts";
import type { ClientListener, ClientTransaction } from "./transaction.ts";

/** What a client transaction needs of the layer. */
export interface ClientHost {
  readonly wheel: TimerWheel;
  readonly timers: Timers;
  /** It is over: forget it. */
  clientEnded(key: string): void;
  /** It sent a message again. */
  repeated(): void;
  /** Nobody answered it in time. */
  timedOut(): void;
  /** Sends the CANCEL for a request that was sent over `flow`, as a transaction of its own. */
  cancel(sent: SipRequest, flow: Flow, reason: string | undefined): void;
}

/** A request as it goes out. */
export interface Sending {
  readonly method: string;
  /** The branch of its top Via. */
  readonly branch: string;
  readonly text: string;
  readonly flow: Flow;
}

/**
 * An INVITE of ours (RFC 3261 §17.1.1, amended by RFC 6026 §7.2).
 *
 *     calling ──1xx──▶ proceeding
 *        ├──2xx──────────┴──2xx──▶ accepted ──M──▶ terminated
 *        ├──300–699──────┴──300–699, ACK──▶ completed ──D──▶ terminated
 *        ├──B──▶ timeout      └──C──▶ CANCEL, and a timeout if even that brings no final response
 *        └──flow closed──▶ flow-failed, from proceeding as well
 */
export class InviteClient extends Timer implements ClientTransaction, FlowWatcher {
  state: "calling" | "proceeding" | "accepted" | "completed" | "terminated" = "calling";
  readonly method = "INVITE";
  readonly branch: string;
  readonly flow: Flow;

  readonly #host: ClientHost;
  readonly #listener: ClientListener;
  /** The request; after a failure the ACK, for copies of the response. */
  #text: string;
  #interval: number;
  #deadline: number;
  #cancel: "no" | "wanted" | "sent" = "no";
  #reason: string | undefined = undefined;

  constructor(host: ClientHost, { branch, flow, text }: Sending, listener: ClientListener) {
    super();
    const { wheel, timers } = host;
    this.branch = branch;
    this.flow = flow;
    this.#host = host;
    this.#listener = listener;
    this.#text = text;
    this.#interval = timers.t1;
    this.#deadline = wheel.now + timers.whole;
    flow.watch(this);
    wheel.arm(this, flow.protocol === "udp" ? timers.t1 : timers.whole);
  }

  /** Takes a response whose branch and method are those of the request. */
  receive(response: SipResponse): void {
    switch (this.state) {
      case "calling":
      case "proceeding":
        if (response.isProvisional) this.#provisional(response);
        else if (response.isSuccess) this.#success(response);
        else this.#failure(response);
        return;
      case "accepted":
        if (response.isSuccess) this.#listener.onFurtherSuccess(response);
        return;
      case "completed":
        // The peer has not seen our ACK.
        if (response.status >= 300) this.flow.send(this.#text);
    }
  }

  cancel(reason?: string): void {
    if (this.#cancel !== "no" || (this.state !== "calling" && this.state !== "proceeding")) return;
    this.#reason = reason;
    this.#cancel = "wanted";
    if (this.state === "proceeding") this.#sendCancel();
  }

  flowClosed(): void {
    if (this.state !== "calling" && this.state !== "proceeding") return;
    this.#terminate();
    this.#listener.onOutcome({ kind: "flow-failed" });
  }

  override onTimer(): void {
    const { wheel } = this.#host;
    switch (this.state) {
      case "calling": {
        const left = this.#deadline - wheel.now;
        if (left <= 0) return this.#timeOut(false);
        this.#interval *= 2;
        wheel.arm(this, Math.min(this.#interval, left));
        if (this.flow.send(this.#text)) this.#host.repeated();
        else this.flowClosed();
        return;
      }
      case "proceeding":
        if (this.#cancel === "sent") return this.#timeOut(true);
        // Timer C: it has rung long enough (RFC 3261 §16.8).
        this.#sendCancel();
        return;
      default:
        this.#terminate();
    }
  }

  #provisional(response: SipResponse): void {
    const { wheel, timers } = this.#host;
    const isFirst = this.state === "calling";
    this.state = "proceeding";
    // Only news beyond "trying" keeps it ringing (RFC 3261 §16.7 step 2); a CANCEL is not to be outlived.
    if (this.#cancel !== "sent" && (isFirst || response.status > 100)) wheel.arm(this, timers.c);
    if (this.#cancel === "wanted") this.#sendCancel();
    this.#listener.onProvisional(response);
  }

  #success(response: SipResponse): void {
    this.state = "accepted";
    this.#text = "";
    this.flow.unwatch(this);
    this.#host.wheel.arm(this, this.#host.timers.whole);
    this.#listener.onOutcome({ kind: "response", response });
  }

  #failure(response: SipResponse): void {
    this.state = "completed";
    this.flow.unwatch(this);
    this.#text = buildAck(this.#sent(), response);
    this.flow.send(this.#text);
    if (this.flow.protocol === "udp") this.#host.wheel.arm(this, TIMER_D);
    else this.#terminate();
    this.#listener.onOutcome({ kind: "response", response });
  }

  #sendCancel(): void {
    this.#cancel = "sent";
    // Without a final response by then it counts as cancelled (RFC 3261 §9.1).
    this.#host.wheel.arm(this, this.#host.timers.whole);
    this.#host.cancel(this.#sent(), this.flow, this.#reason);
  }

  /** What was sent, read again: rare enough not to be kept. */
  #sent(): SipRequest {
    return parseText(this.#text) as SipRequest;
  }

  #timeOut(answered: boolean): void {
    this.#terminate();
    this.#host.timedOut();
    this.#listener.onOutcome({ kind: "timeout", answered });
  }

  #terminate(): void {
    this.state = "terminated";
    this.#text = "";
    this.#host.wheel.disarm(this);
    this.flow.unwatch(this);
    this.#host.clientEnded(this.branch);
  }
}
