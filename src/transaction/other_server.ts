import { Timer } from "../lib/timer_wheel.ts";
import type { SipRequest } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";
import type { ServerHost } from "./invite_server.ts";
import { type ServerKey, serverKeyOf } from "./key.ts";
import type { Absorbed, ServerEntry } from "./server_table.ts";
import type { ServerTransaction } from "./transaction.ts";

/**
 * A request other than INVITE being answered (RFC 3261 §17.2.2, amended by RFC 4320).
 *
 *     trying ──100──▶ proceeding
 *        └──200–699──────┴──200–699──▶ completed ──J──▶ terminated
 */
export class OtherServer extends Timer implements ServerTransaction, ServerEntry {
  state: "trying" | "proceeding" | "completed" | "terminated" = "trying";
  /** Never called: a CANCEL does nothing to such a request (RFC 3261 §9.2). */
  onCancel: ((cancel: SipRequest) => void) | undefined = undefined;

  nextWithBranch: ServerEntry | undefined = undefined;
  readonly key: ServerKey;

  readonly #host: ServerHost;
  /** Only as long as a 100 may have to be made from it. */
  #request: SipRequest | undefined;
  #last: string | undefined = undefined;

  constructor(host: ServerHost, request: SipRequest, readonly flow: Flow) {
    super();
    this.#host = host;
    this.key = serverKeyOf(request);
    this.#request = request;
    host.wheel.arm(this, host.timers.slow);
  }

  get isAnswered(): boolean {
    return this.state === "completed" || this.state === "terminated";
  }

  respond(status: number, text: string): void {
    if (this.isAnswered) return;
    const { wheel, timers } = this.#host;
    this.flow.send(text);
    this.#last = text;
    this.#request = undefined;
    if (status < 200) {
      this.state = "proceeding";
      wheel.disarm(this);
      return;
    }
    this.state = "completed";
    this.#host.serverAnswered();
    if (this.flow.protocol === "udp") wheel.arm(this, timers.whole);
    else this.#terminate();
  }

  abandon(): void {
    if (this.isAnswered) return;
    this.state = "completed";
    this.#request = undefined;
    this.#host.serverAnswered();
    // Copies that still come are not to begin it all again.
    if (this.flow.protocol === "udp") this.#host.wheel.arm(this, this.#host.timers.whole);
    else this.#terminate();
  }

  /** Takes a copy of the request. */
  receive(_copy: SipRequest): Absorbed {
    if (this.#last !== undefined) {
      this.flow.send(this.#last);
      this.#host.repeated();
    }
    return "absorbed";
  }

  override onTimer(): void {
    // Still nothing to say: let the client know that it was heard (RFC 4320 §4.1).
    if (this.state === "trying") this.respond(100, this.#host.trying(this.#request!));
    else this.#terminate();
  }

  #terminate(): void {
    this.state = "terminated";
    this.#host.wheel.disarm(this);
    this.#host.serverEnded(this);
  }
}
