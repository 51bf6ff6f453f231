import { Timer, type TimerWheel } from "../lib/timer_wheel.ts";
import type { SipRequest } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";
import { type ServerKey, serverKeyOf } from "./key.ts";
import type { Absorbed, ServerEntry } from "./server_table.ts";
import { type Timers, TRYING_DELAY } from "./timers.ts";
import type { ServerTransaction } from "./transaction.ts";

/** What a server transaction needs of the layer. */
export interface ServerHost {
  readonly wheel: TimerWheel;
  readonly timers: Timers;
  /** It is over: forget it. */
  serverEnded(server: ServerEntry): void;
  /** Its final response was given, or it was abandoned: it is no longer under way. */
  serverAnswered(): void;
  /** It sent a message again. */
  repeated(): void;
  /** The 100 to its request. */
  trying(request: SipRequest): string;
}

/**
 * An INVITE being answered (RFC 3261 §17.2.1, amended by RFC 6026 §7.1).
 *
 *     proceeding ──2xx──▶ accepted ─────────────────L──▶ terminated
 *          └────300–699──▶ completed ──ACK──▶ confirmed ──I──▶ terminated
 *                               └──────────────────H──▶ terminated
 *
 * A response that cannot be sent changes nothing (RFC 6026 §8.8): the peer may still ask again.
 */
export class InviteServer extends Timer implements ServerTransaction, ServerEntry {
  state: "proceeding" | "accepted" | "completed" | "confirmed" | "terminated" = "proceeding";
  nextWithBranch: ServerEntry | undefined = undefined;
  readonly key: ServerKey;

  readonly #host: ServerHost;
  /** Only as long as a 100 may have to be made from it. */
  #request: SipRequest | undefined;
  #last: string | undefined = undefined;
  #interval = 0;
  #deadline = 0;
  #onCancel: ((cancel: SipRequest) => void) | undefined = undefined;
  /** A CANCEL nobody wanted to know of yet: what answers the INVITE may still be finding out how. */
  #heldCancel: SipRequest | undefined = undefined;

  constructor(host: ServerHost, request: SipRequest, readonly flow: Flow) {
    super();
    this.#host = host;
    this.key = serverKeyOf(request);
    this.#request = request;
    host.wheel.arm(this, TRYING_DELAY);
  }

  get isAnswered(): boolean {
    return this.state !== "proceeding";
  }

  get onCancel(): ((cancel: SipRequest) => void) | undefined {
    return this.#onCancel;
  }

  set onCancel(listener: ((cancel: SipRequest) => void) | undefined) {
    this.#onCancel = listener;
    if (listener !== undefined && this.#heldCancel !== undefined) this.cancelled(this.#heldCancel);
  }

  respond(status: number, text: string): void {
    if (this.state === "accepted") {
      if (status >= 200 && status < 300) this.flow.send(text);
      return;
    }
    if (this.state !== "proceeding") return;
    this.flow.send(text);
    this.#request = undefined;
    if (status < 200) {
      this.#last = text;
      this.#host.wheel.disarm(this);
      return;
    }
    this.#onCancel = undefined;
    this.#heldCancel = undefined;
    if (status < 300) this.#accept();
    else this.#complete(text);
    this.#host.serverAnswered();
  }

  /** An INVITE is always answered; there is nothing to abandon. */
  abandon(): void {}

  /** Takes a copy of the INVITE, or an ACK with its branch. */
  receive(request: SipRequest): Absorbed {
    if (request.method === "ACK") return this.#acknowledged();
    if (this.#last !== undefined && this.state !== "confirmed") {
      this.flow.send(this.#last);
      this.#host.repeated();
    }
    return "absorbed";
  }

  /** Passes a CANCEL on to whoever answers the INVITE. */
  cancelled(cancel: SipRequest): void {
    if (this.state !== "proceeding") return;
    const listener = this.#onCancel;
    this.#onCancel = undefined;
    this.#heldCancel = listener === undefined ? cancel : undefined;
    listener?.(cancel);
  }

  override onTimer(): void {
    switch (this.state) {
      case "proceeding":
        this.respond(100, this.#host.trying(this.#request!));
        return;
      case "completed":
        this.#repeat();
        return;
      default:
        this.#terminate();
    }
  }

  #accept(): void {
    this.state = "accepted";
    this.#last = undefined;
    this.#host.wheel.arm(this, this.#host.timers.whole);
  }

  #complete(text: string): void {
    const { wheel, timers } = this.#host;
    this.state = "completed";
    this.#last = text;
    this.#deadline = wheel.now + timers.whole;
    this.#interval = timers.t1;
    wheel.arm(this, this.flow.protocol === "udp" ? timers.t1 : timers.whole);
  }

  /** Timer G until timer H. */
  #repeat(): void {
    const { wheel, timers } = this.#host;
    const left = this.#deadline - wheel.now;
    if (left <= 0) return this.#terminate();
    this.flow.send(this.#last!);
    this.#host.repeated();
    this.#interval = Math.min(this.#interval * 2, timers.t2);
    wheel.arm(this, Math.min(this.#interval, left));
  }

  #acknowledged(): Absorbed {
    // A client that reuses the branch for the ACK to a 2xx means it for the callee (RFC 6026 §7.1).
    if (this.state === "accepted") return "pass-up";
    if (this.state === "completed") {
      const { wheel, timers } = this.#host;
      this.state = "confirmed";
      this.#last = undefined;
      if (this.flow.protocol === "udp") wheel.arm(this, timers.t4);
      else this.#terminate();
    }
    return "absorbed";
  }

  #terminate(): void {
    this.state = "terminated";
    this.#host.wheel.disarm(this);
    this.#host.serverEnded(this);
  }
}
