import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Tokens } from "../../src/lib/token.ts";
import type { Protocol, SipRequest, SipResponse } from "../../src/sip/mod.ts";
import {
  type ClientListener,
  type ClientTransaction,
  DEFAULT_TIMERS,
  LocalReplies,
  type Outcome,
  type ServerTransaction,
  TransactionLayer,
} from "../../src/transaction/mod.ts";
import type { Flow } from "../../src/transport/mod.ts";
import { PEER, type RecordingFlow, RecordingTransport } from "./flows.ts";
import { type MessageParts, request, requestText, response } from "./messages.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** What is different from the usual in one layer. */
export interface LoneLayerOptions {
  readonly protocol?: Protocol;
  readonly maxTransactions?: number;
  readonly responseFlow?: (request: SipRequest, flow: Flow) => Flow;
}

/** A transaction layer with one peer, nothing above it, and time that is turned by hand. */
export class LoneLayer {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly replies: LocalReplies;
  readonly layer: TransactionLayer;
  /** The way to the peer. */
  readonly flow: RecordingFlow;
  /** What nobody below took care of, and over which flow it came. */
  readonly passedUp: { readonly request: SipRequest; readonly flow: Flow }[] = [];
  /** What a timer threw. */
  readonly errors: unknown[] = [];
  readonly #wheel: TimerWheel;

  constructor({ protocol, maxTransactions = 100, responseFlow = (_, flow) => flow }: LoneLayerOptions = {}) {
    const { clock, metrics } = this;
    const tokens = new Tokens();
    this.#wheel = new TimerWheel({ clock, onError: (error) => this.errors.push(error) });
    this.replies = new LocalReplies(tokens, "");
    this.flow = new RecordingTransport(protocol, "192.0.2.1", clock).connect(PEER);
    this.layer = new TransactionLayer({
      wheel: this.#wheel,
      tokens,
      replies: this.replies,
      metrics,
      log: silentLogger,
      timers: DEFAULT_TIMERS,
      maxTransactions,
      responseFlow,
      onRequest: (request, flow) => this.passedUp.push({ request, flow }),
    });
  }

  /** The peer sends a request. */
  receives(method: string, parts?: MessageParts): void {
    this.layer.receive(request(method, parts), this.flow);
  }

  /** The peer answers; the parts are those of the request it answers. */
  receivesResponse(status: number, method: string, parts?: MessageParts): void {
    this.layer.receive(response(status, method, parts), this.flow);
  }

  /** A request has come and is being answered. */
  answers(method: string, parts?: MessageParts): ServerTransaction {
    return this.layer.openServer(request(method, parts), this.flow);
  }

  /** A request of ours, sent to the peer. */
  asks(method: string, listener: ClientListener, parts?: MessageParts): ClientTransaction {
    const text = requestText(method, parts);
    const branch = request(method, parts).via.branch!;
    return this.layer.openClient({ method, branch, text, flow: this.flow }, listener);
  }

  /** What is left: transactions in the tables, timers in the wheel, and watchers of the flow. */
  get left(): readonly [transactions: number, timers: number, watchers: number] {
    return [this.layer.size, this.#wheel.size, this.flow.watchers];
  }
}

/** Nothing is left of any transaction. */
export const NOTHING = [0, 0, 0] as const;

/** Keeps what a client transaction tells. */
export class RecordingListener implements ClientListener {
  /** Statuses of provisional responses. */
  readonly provisionals: number[] = [];
  readonly outcomes: Outcome[] = [];
  /** The To tags of successes after the first. */
  readonly furtherTags: (string | undefined)[] = [];

  onProvisional(response: SipResponse): void {
    this.provisionals.push(response.status);
  }

  onOutcome(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }

  onFurtherSuccess(response: SipResponse): void {
    this.furtherTags.push(response.toTag);
  }

  /** How it ended, in short: a status, or a failure; what was told more than once is there more than once. */
  get told(): (number | string)[] {
    return this.outcomes.map((outcome) => {
      if (outcome.kind === "response") return outcome.response.status;
      if (outcome.kind === "timeout") return outcome.answered ? "timeout after an answer" : "timeout";
      return outcome.kind;
    });
  }
}
