import { SipResponse } from "../sip/mod.ts";
import type { ClientListener, ClientTransaction, Outcome } from "../transaction/mod.ts";
import { Inbox, type Patience } from "./inbox.ts";

/** A request of ours and what comes back. */
export class Exchange implements ClientListener {
  readonly #method: string;
  readonly #arrived: Inbox<SipResponse | Exclude<Outcome, { kind: "response" }>>;
  transaction: ClientTransaction | undefined = undefined;
  /** Called with each response as it comes. */
  onResponse: ((response: SipResponse) => void) | undefined = undefined;

  constructor(method: string, patience: Patience) {
    this.#method = method;
    this.#arrived = new Inbox(patience);
  }

  /** The next response of this status; throws if a final response of another comes first, or none at all. */
  async receives(status: number): Promise<SipResponse> {
    const what = `${status} to ${this.#method}`;
    const isTold = (item: SipResponse | Outcome) =>
      !(item instanceof SipResponse) || item.status === status || item.status >= 200;
    const item = await this.#arrived.take(isTold, what);
    if (!(item instanceof SipResponse)) throw new Error(`Instead of ${what}: ${item.kind}`);
    if (item.status !== status) throw new Error(`Instead of ${what}: ${item.status} ${item.reason}`);
    return item;
  }

  /** The next final response, whatever it is; throws if there is none. */
  async final(): Promise<SipResponse> {
    const what = `a final response to ${this.#method}`;
    const item = await this.#arrived.take(
      (item) => !(item instanceof SipResponse) || item.status >= 200,
      what,
    );
    if (item instanceof SipResponse) return item;
    throw new Error(`Instead of ${what}: ${item.kind}`);
  }

  /** How it ended if not by a response. */
  async failure(): Promise<"timeout" | "flow-failed"> {
    const item = await this.#arrived.take((item) => !(item instanceof SipResponse), "a failure");
    return (item as Exclude<Outcome, { kind: "response" }>).kind;
  }

  /** Statuses that came and were not taken. */
  get untaken(): number[] {
    return this.#arrived.items.map((item) => item instanceof SipResponse ? item.status : 0);
  }

  onProvisional(response: SipResponse): void {
    this.onResponse?.(response);
    this.#arrived.put(response);
  }

  onFurtherSuccess(response: SipResponse): void {
    this.onProvisional(response);
  }

  onOutcome(outcome: Outcome): void {
    if (outcome.kind === "response") this.onProvisional(outcome.response);
    else this.#arrived.put(outcome);
  }
}
