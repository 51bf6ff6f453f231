import { Timer } from "../lib/timer_wheel.ts";
import type { SipResponse } from "../sip/mod.ts";
import type { Flow, FlowWatcher } from "../transport/mod.ts";
import type { ClientHost, Sending } from "./invite_client.ts";
import type { ClientListener, ClientTransaction } from "./transaction.ts";

/**
 * A request of ours other than INVITE (RFC 3261 §17.1.2).
 *
 *     trying ──1xx──▶ proceeding
 *        ├──200–699──────┴──200–699──▶ completed ──K──▶ terminated
 *        ├──F────────────┴──F──▶ timeout
 *        └──flow closed──┴──▶ flow-failed
 */
export class OtherClient extends Timer implements ClientTransaction, FlowWatcher {
  state: "trying" | "proceeding" | "completed" | "terminated" = "trying";
  readonly method: string;
  readonly branch: string;
  readonly flow: Flow;

  readonly #host: ClientHost;
  readonly #key: string;
  readonly #listener: ClientListener;
  #text: string;
  #interval: number;
  readonly #deadline: number;

  /** `key` is what the layer knows it by. */
  constructor(
    host: ClientHost,
    key: string,
    { method, branch, flow, text }: Sending,
    listener: ClientListener,
  ) {
    super();
    const { wheel, timers } = host;
    this.method = method;
    this.branch = branch;
    this.flow = flow;
    this.#host = host;
    this.#key = key;
    this.#listener = listener;
    this.#text = text;
    this.#interval = timers.t1;
    this.#deadline = wheel.now + timers.whole;
    flow.watch(this);
    wheel.arm(this, flow.protocol === "udp" ? timers.t1 : timers.whole);
  }

  /** Takes a response whose branch and method are those of the request. */
  receive(response: SipResponse): void {
    if (this.state !== "trying" && this.state !== "proceeding") return;
    if (response.isProvisional) {
      this.state = "proceeding";
      this.#listener.onProvisional(response);
      return;
    }
    this.state = "completed";
    this.#text = "";
    this.flow.unwatch(this);
    if (this.flow.protocol === "udp") this.#host.wheel.arm(this, this.#host.timers.t4);
    else this.#terminate();
    this.#listener.onOutcome({ kind: "response", response });
  }

  /** Only an INVITE can be cancelled (RFC 3261 §9.1). */
  cancel(): void {}

  flowClosed(): void {
    if (this.state !== "trying" && this.state !== "proceeding") return;
    this.#terminate();
    this.#listener.onOutcome({ kind: "flow-failed" });
  }

  override onTimer(): void {
    if (this.state === "completed") return this.#terminate();
    const { wheel, timers } = this.#host;
    const left = this.#deadline - wheel.now;
    if (left <= 0) {
      const answered = this.state === "proceeding";
      this.#terminate();
      this.#host.timedOut();
      this.#listener.onOutcome({ kind: "timeout", answered });
      return;
    }
    this.#interval = this.state === "proceeding" ? timers.t2 : Math.min(this.#interval * 2, timers.t2);
    wheel.arm(this, Math.min(this.#interval, left));
    if (this.flow.send(this.#text)) this.#host.repeated();
    else this.flowClosed();
  }

  #terminate(): void {
    this.state = "terminated";
    this.#text = "";
    this.#host.wheel.disarm(this);
    this.flow.unwatch(this);
    this.#host.clientEnded(this.#key);
  }
}
