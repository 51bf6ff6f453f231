import type { Hop, Resolver } from "../resolve/mod.ts";
import { MalformedError, type RequestDraft, type SipResponse, type Uri } from "../sip/mod.ts";
import type { ClientListener, ClientTransaction, Outcome, TransactionLayer } from "../transaction/mod.ts";
import type { Flow, Transport, Transports } from "../transport/mod.ts";
import type { Target } from "./context.ts";
import { aim, finish, type ForwardEdit } from "./forward.ts";
import { nextHop } from "./next_hop.ts";

/** What sending a branch needs. */
export interface BranchParts {
  readonly layer: TransactionLayer;
  readonly resolver: Resolver;
  readonly transports: Transports;
}

/** What a branch starts from. */
export interface BranchStart {
  readonly target: Target;
  /** Its own; it will be edited. */
  readonly draft: RequestDraft;
  readonly edits: readonly ForwardEdit[];
  /** The listener the request came in by. */
  readonly near: Transport;
  /** Where it goes whatever its Route says. */
  readonly to: Uri | undefined;
  /** The loop part of its Via's branch. */
  readonly loop: string;
}

/** How a branch ended that did not succeed. */
export type BranchFailure =
  | { readonly kind: "response"; readonly response: SipResponse }
  /** `answered`: a provisional response had come. */
  | { readonly kind: "timeout"; readonly answered: boolean }
  /** It could not be sent anywhere; `isGone`: the peer it was sent to last is known to be there no more. */
  | { readonly kind: "unreachable"; readonly isGone: boolean }
  /** It was given up before it was sent. */
  | { readonly kind: "cancelled" };

/** Who waits for the branches; each ends once, with a success or a failure, and after a success may succeed again. */
export interface BranchOwner {
  provisional(branch: Branch, response: SipResponse): void;
  succeeded(branch: Branch, response: SipResponse): void;
  failed(branch: Branch, failure: BranchFailure): void;
  /** Something broke that is no peer's fault. */
  broke(error: unknown): void;
}

/**
 * One target's way: through the hops its URI leads to, each tried with a branch of its own until one has
 * something to say: more than that it is trying, or is too busy (RFC 3261 §16.6 step 7, RFC 3263 §4.3).
 */
export class Branch implements ClientListener {
  readonly target: Target;
  readonly #parts: BranchParts;
  readonly #owner: BranchOwner;
  /** Undefined when it is over, so that what it was made from can be forgotten. */
  #start: BranchStart | undefined;
  #hops: readonly Hop[] = [];
  #nextHop = 0;
  #attempt = 0;
  /** Whether a hop has said more than that it is trying. */
  #isHeard = false;
  /** The one it was sent over last. */
  #flow: Flow | undefined = undefined;
  #client: ClientTransaction | undefined = undefined;
  #cancel: { readonly reason: string | undefined } | undefined = undefined;

  constructor(parts: BranchParts, owner: BranchOwner, start: BranchStart) {
    this.target = start.target;
    this.#parts = parts;
    this.#owner = owner;
    this.#start = start;
  }

  /** Sends it; may end at once. */
  start(): void {
    const { target, draft, to } = this.#start!;
    let next: Uri;
    try {
      aim(draft, target);
      next = to ?? nextHop(draft);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return this.#unreachable();
    }
    if (target.via !== undefined) return this.#sendOver(target.via);
    const hops = this.#parts.resolver.resolve(next);
    if (hops instanceof Promise) {
      hops.then((hops) => this.#walk(hops), () => this.#walk([])).catch((error) => this.#owner.broke(error));
    } else this.#walk(hops);
  }

  /** Gives it up: it ends when its peer says so, or at once if nothing was sent yet. */
  cancel(reason?: string): void {
    this.#cancel ??= { reason };
    if (this.#client !== undefined) this.#client.cancel(reason);
    else this.#fail({ kind: "cancelled" });
  }

  onProvisional(response: SipResponse): void {
    if (response.status > 100) this.#isHeard = true;
    this.#owner.provisional(this, response);
  }

  onFurtherSuccess(response: SipResponse): void {
    this.#owner.succeeded(this, response);
  }

  onOutcome(outcome: Outcome): void {
    this.#client = undefined;
    this.#attempt++;
    switch (outcome.kind) {
      case "response":
        if (outcome.response.isSuccess) {
          this.#start = undefined;
          this.#owner.succeeded(this, outcome.response);
        } else if (outcome.response.status === 503 && this.#canGoOn) this.#tryNext();
        else this.#fail(outcome);
        return;
      case "timeout":
        if (!outcome.answered && this.#canGoOn) this.#tryNext();
        else this.#fail(outcome);
        return;
      case "flow-failed":
        this.#tryNext();
    }
  }

  get #canGoOn(): boolean {
    return this.#nextHop < this.#hops.length && !this.#isHeard && this.#cancel === undefined;
  }

  #walk(hops: readonly Hop[]): void {
    this.#hops = hops;
    this.#tryNext();
  }

  #tryNext(): void {
    while (this.#start !== undefined && this.#canGoOn) {
      const hop = this.#hops[this.#nextHop++];
      const flow = this.#parts.transports.flowTo(hop, this.#start.near);
      if (flow === undefined) continue;
      if (flow instanceof Promise) {
        flow.then((flow) => this.#sendOver(flow), () => this.#tryNext())
          .catch((error) => this.#owner.broke(error));
      } else this.#sendOver(flow);
      return;
    }
    this.#unreachable();
  }

  #sendOver(flow: Flow): void {
    // It may have been cancelled while the flow was being opened.
    if (this.#start === undefined) return;
    const { draft, edits, loop } = this.#start;
    const { layer } = this.#parts;
    this.#flow = flow;
    const branch = layer.newBranch(loop);
    const text = finish(this.#canGoOn ? draft.fork() : draft, edits, flow, branch);
    const attempt = ++this.#attempt;
    const client = layer.openClient({ method: draft.request.method, branch, text, flow }, this);
    // A flow that would not take it has told us already, and another may have been tried since.
    if (this.#attempt === attempt) this.#client = client;
  }

  #unreachable(): void {
    this.#fail({ kind: "unreachable", isGone: this.#flow?.isGone ?? false });
  }

  #fail(failure: BranchFailure): void {
    if (this.#start === undefined) return;
    this.#start = undefined;
    this.#owner.failed(this, failure);
  }
}
