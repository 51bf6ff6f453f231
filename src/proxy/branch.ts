import type { DeadHops, Hop, Resolver } from "../resolve/mod.ts";
import { MalformedError, type RequestDraft, type SipResponse, type Uri } from "../sip/mod.ts";
import type { ClientListener, ClientTransaction, Outcome, TransactionLayer } from "../transaction/mod.ts";
import type { Flow, Transport, Transports } from "../transport/mod.ts";
import type { Target } from "./context.ts";
import { aim, finish, type ForwardEdit } from "./forward.ts";
import { nextHop } from "./next_hop.ts";
import { retryAfterOf } from "./retry_after.ts";

/** Bytes a request may have over UDP where nobody knows what the path can carry (RFC 3261 §18.1.1). */
export const MAX_UDP_BYTES = 1_300;

/** What sending a branch needs. */
export interface BranchParts {
  readonly layer: TransactionLayer;
  readonly resolver: Resolver;
  readonly transports: Transports;
  /** Hops that were of no use lately; left out, none are remembered. */
  readonly deadHops?: DeadHops;
  /** Hops that could not be connected to when a request was too long for UDP; left out, none are remembered. */
  readonly udpOnly?: DeadHops;
  /** Bytes beyond which a request goes over TCP instead of UDP; 0: never. Left out, it is MAX_UDP_BYTES. */
  readonly maxUdpBytes?: number;
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
 * something to say: more than that it is trying, or is too busy (RFC 3261 §16.6 step 7, RFC 3263 §4.3). What is
 * too long for UDP goes to the same hop over TCP if that is to be had (RFC 3261 §18.1.1).
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
  /** Whether TCP was chosen for the hop at hand in place of UDP, or was found not to be there. */
  #isSwitched = false;
  /** What the hop at hand is sent over should TCP fail. */
  #udpFlow: Flow | undefined = undefined;
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
    this.#hopIsAlive();
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
        if (outcome.response.status === 503) this.#hopIsBusy(outcome.response);
        else this.#hopIsAlive();
        if (outcome.response.isSuccess) {
          this.#start = undefined;
          this.#owner.succeeded(this, outcome.response);
        } else if (outcome.response.status === 503 && this.#canGoOn) this.#tryNext();
        else this.#fail(outcome);
        return;
      case "timeout":
        if (!outcome.answered) this.#hopIsDead();
        if (!outcome.answered && this.#canGoOn) this.#tryNext();
        else this.#fail(outcome);
        return;
      case "flow-failed":
        if (this.#udpFlow !== undefined && !this.#isHeard && this.#cancel === undefined) {
          return this.#backToUdp();
        }
        // A lost connection says nothing: only opening the next one will.
        if (this.#flow?.protocol === "udp") this.#hopIsDead();
        this.#tryNext();
    }
  }

  get #canGoOn(): boolean {
    return this.#nextHop < this.#hops.length && !this.#isHeard && this.#cancel === undefined;
  }

  /** The one at hand; undefined while a flow of ours is the target. */
  get #hop(): Hop | undefined {
    return this.#hops[this.#nextHop - 1];
  }

  #walk(hops: readonly Hop[]): void {
    this.#hops = this.#parts.deadHops?.lastOf(hops) ?? hops;
    this.#tryNext();
  }

  #tryNext(): void {
    this.#isSwitched = false;
    this.#udpFlow = undefined;
    while (this.#start !== undefined && this.#canGoOn) {
      const hop = this.#hops[this.#nextHop++];
      const flow = this.#parts.transports.flowTo(hop, this.#start.near);
      if (flow === undefined) continue;
      if (flow instanceof Promise) {
        flow.then((flow) => this.#sendOver(flow), () => this.#refused())
          .catch((error) => this.#owner.broke(error));
      } else this.#sendOver(flow);
      return;
    }
    this.#unreachable();
  }

  #refused(): void {
    this.#hopIsDead();
    this.#tryNext();
  }

  #sendOver(flow: Flow): void {
    // It may have been cancelled while the flow was being opened.
    if (this.#start === undefined) return;
    const { draft, edits, loop } = this.#start;
    const { layer, maxUdpBytes = MAX_UDP_BYTES } = this.#parts;
    this.#flow = flow;
    const branch = layer.newBranch(loop);
    const maySwitch = flow.protocol === "udp" && !this.#isSwitched && this.#mayBeLong(maxUdpBytes);
    const isNeededAgain = maySwitch || this.#udpFlow !== undefined || this.#canGoOn;
    const text = finish(isNeededAgain ? draft.fork() : draft, edits, flow, branch);
    if (maySwitch && text.length > maxUdpBytes && this.#switchToTcp(flow)) return;
    const attempt = ++this.#attempt;
    const client = layer.openClient({ method: draft.request.method, branch, text, flow }, this);
    // A flow that would not take it has told us already, and another may have been tried since.
    if (this.#attempt === attempt) this.#client = client;
  }

  /** Whether what leaves may be longer than `max`: nothing that we add by ourselves doubles a request. */
  #mayBeLong(max: number): boolean {
    if (max === 0 || this.#hop === undefined) return false;
    return this.target.path.length > 0 || this.#start!.draft.request.text.length > max / 2;
  }

  /** Sends it to the hop at hand over TCP; false if there is none, here or there. */
  #switchToTcp(udpFlow: Flow): boolean {
    const { transports, udpOnly } = this.#parts;
    this.#isSwitched = true;
    const hop = overTcp(this.#hop!);
    if (udpOnly?.has(hop)) return false;
    const flow = transports.flowTo(hop, this.#start!.near);
    if (flow === undefined) return false;
    this.#udpFlow = udpFlow;
    if (flow instanceof Promise) {
      flow.then((flow) => this.#sendOver(flow), () => this.#backToUdp())
        .catch((error) => this.#owner.broke(error));
    } else this.#sendOver(flow);
    return true;
  }

  /** TCP was not to be had: better in pieces, or not at all, than not even tried. */
  #backToUdp(): void {
    const flow = this.#udpFlow!;
    this.#udpFlow = undefined;
    this.#parts.udpOnly?.add(overTcp(this.#hop!));
    this.#sendOver(flow);
  }

  /** Only where others can be asked in its place: whoever has one address is always tried. */
  #hopIsDead(time?: number): void {
    if (this.#hops.length > 1) this.#parts.deadHops?.add(this.#hop!, time);
  }

  #hopIsAlive(): void {
    if (this.#hops.length > 1) this.#parts.deadHops?.remove(this.#hop!);
  }

  /** Who does not say for how long is asked again with the next request (RFC 3261 §21.5.4). */
  #hopIsBusy(response: SipResponse): void {
    const time = retryAfterOf(response);
    if (time !== undefined) this.#hopIsDead(time);
  }

  #unreachable(): void {
    this.#fail({ kind: "unreachable", isGone: this.#flow !== undefined && isGoneForGood(this.#flow) });
  }

  #fail(failure: BranchFailure): void {
    if (this.#start === undefined) return;
    this.#start = undefined;
    this.#owner.failed(this, failure);
  }
}

function overTcp(hop: Hop): Hop {
  return { ...hop, protocol: "tcp" };
}

/** A connection that we opened can be opened again. */
function isGoneForGood({ isGone, isAccepted, protocol }: Flow): boolean {
  return isGone && (isAccepted || protocol === "udp");
}
