import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import { type RequestDraft, ResponseDraft, type SipRequest, type SipResponse } from "../sip/mod.ts";
import type { LocalReplies, ServerTransaction } from "../transaction/mod.ts";
import type { Transport } from "../transport/mod.ts";
import { bestOf, draftOf, type Failure } from "./best_failure.ts";
import { Branch, type BranchFailure, type BranchOwner, type BranchParts } from "./branch.ts";
import { Breadth } from "./breadth.ts";
import type { Calls } from "./calls.ts";
import type { ForkOptions, Target } from "./context.ts";
import type { ForwardEdit } from "./forward.ts";

/** What a fork needs. */
export interface ForkParts extends BranchParts {
  readonly replies: LocalReplies;
  readonly metrics: Metrics;
  readonly calls: Calls;
  readonly log: Logger;
  /** The most branches a request may have, all groups together. */
  readonly maxTargets: number;
  /** The most branches that may be alive at a time over all proxies (RFC 5393 §5). */
  readonly maxBreadth: number;
}

/** What a fork starts from. */
export interface ForkStart {
  readonly request: SipRequest;
  /** What every branch starts from; the fork may use it up. */
  readonly draft: RequestDraft;
  readonly edits: readonly ForwardEdit[];
  readonly near: Transport;
  readonly loop: string;
  readonly targets: readonly Target[];
  readonly script: Script;
}

/** Who is told when something of the script's, or of ours, breaks: answers the request and notes the error. */
export interface Script {
  fail(error: unknown): void;
}

/** The Reason of a CANCEL to phones that keep ringing (RFC 3326). */
const ANSWERED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';

/**
 * The response context of a request (RFC 3261 §16.7): sends it to its targets, those of equal q at a time,
 * and decides which of their answers goes back.
 */
export class Fork implements BranchOwner {
  readonly #parts: ForkParts;
  readonly #server: ServerTransaction;
  readonly #options: ForkOptions;
  /** Undefined once a final response went back, so that the request can be forgotten. */
  #start: ForkStart | undefined;
  readonly #isInvite: boolean;
  readonly #method: string;
  /** Groups of equal q still to be tried, highest first. */
  #groups: Target[][];
  /** Targets of the group at hand that wait for breadth. */
  #waiting: Target[] = [];
  readonly #breadth: Breadth;
  /** Branches that may still answer, and their shares of the breadth. */
  readonly #running = new Map<Branch, number>();
  #failures: Failure[] = [];
  #isCancelled = false;
  /** Whether no more branches are to be started. */
  #isStopped = false;
  #isAnswered = false;

  constructor(parts: ForkParts, server: ServerTransaction, start: ForkStart, options: ForkOptions) {
    const { request, targets } = start;
    this.#parts = parts;
    this.#server = server;
    this.#options = options;
    this.#start = start;
    this.#method = request.method;
    this.#isInvite = request.method === "INVITE";
    this.#breadth = Breadth.of(request, parts.maxBreadth);
    this.#groups = groupByQ(targets, parts.maxTargets);
    parts.metrics.targetsShed += Math.max(0, targets.length - parts.maxTargets);
  }

  start(): void {
    this.#server.onCancel = (cancel) => this.#cancelled(cancel);
    if (this.#breadth.free === 0) {
      this.#failures.push({ status: 440, response: undefined });
      return this.#conclude();
    }
    this.#nextGroup();
  }

  provisional(_branch: Branch, response: SipResponse): void {
    // 100 is for this hop only (RFC 3261 §16.7 step 5), and no other news of a non-INVITE is passed (RFC 4320 §4.1).
    if (response.status === 100 || !this.#isInvite || this.#isAnswered) return;
    try {
      this.#forward(response);
    } catch (error) {
      this.broke(error);
    }
  }

  succeeded(branch: Branch, response: SipResponse): void {
    try {
      this.#succeeded(branch, response);
    } catch (error) {
      this.broke(error);
    }
  }

  failed(branch: Branch, failure: BranchFailure): void {
    try {
      this.#failed(branch, failure);
    } catch (error) {
      this.broke(error);
    }
  }

  /** Answers as the error wants it, and gives up what is under way. */
  broke(error: unknown): void {
    const start = this.#start;
    // The request is answered and forgotten: whoever is below makes a note of it.
    if (start === undefined) throw error;
    this.#finish();
    this.#cancelRunning(undefined);
    start.script.fail(error);
  }

  #succeeded(branch: Branch, response: SipResponse): void {
    this.#release(branch);
    if (!this.#isAnswered) {
      this.#forward(response);
      this.#answered();
      this.#cancelRunning(ANSWERED_ELSEWHERE);
    } else if (this.#isInvite) {
      // Each 2xx to INVITE makes a dialog that the caller must know of (RFC 3261 §16.7 step 5).
      this.#forward(response);
    }
  }

  #failed(branch: Branch, failure: BranchFailure): void {
    this.#release(branch);
    if (this.#isAnswered) return;
    const response = failure.kind === "response" ? failure.response : undefined;
    const flowFailed = isFlowFailure(failure);
    this.#failures.push({ status: statusOf(failure), response });
    const { log } = this.#parts;
    if (log.debugs) {
      const { uri } = branch.target;
      log.debug("branch failed", {
        callId: this.#start!.request.callId,
        uri,
        kind: failure.kind,
        status: response?.status,
      });
    }
    const isGone = failure.kind === "unreachable" && failure.isGone;
    this.#options.onBranchFailure?.({ target: branch.target, response, flowFailed, isGone });
    if (response !== undefined && response.status >= 600) {
      // Nobody else is to be asked any more (RFC 3261 §16.7 step 5).
      this.#stop(`SIP;cause=${response.status}`);
    } else if (failure.kind === "timeout" && !this.#isInvite) {
      // The client has waited as long as we did, and has given up (RFC 4321 §1.5).
      this.#stop(undefined);
    } else if (flowFailed && !this.#isStopped) {
      this.#tryAlternate(branch.target);
    }
    this.#goOn();
  }

  /** Another flow of the same user agent takes the failed one's place (RFC 5626 §7). */
  #tryAlternate({ alternates }: Target): void {
    if (alternates.length === 0) return;
    const [next, ...rest] = alternates;
    this.#waiting.push({ ...next, alternates: rest });
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#launch();
    else if (this.#running.size === 0) this.#nextGroup();
  }

  #nextGroup(): void {
    const group = this.#groups.shift();
    if (group === undefined) return this.#conclude();
    this.#waiting = group;
    this.#launch();
  }

  /** Starts as many of the waiting targets as breadth allows. */
  #launch(): void {
    const shares = this.#breadth.take(this.#waiting.length);
    const batch = this.#waiting.splice(0, shares.length);
    const isLast = batch.length === 1 && this.#groups.length === 0 && this.#waiting.length === 0 &&
      this.#running.size === 0 && batch[0].alternates.length === 0;
    const branches = batch.map((target, i) => this.#makeBranch(target, shares[i], isLast));
    // All are known before the first is sent: one that fails at once must not end the whole.
    try {
      for (const branch of branches) branch.start();
    } catch (error) {
      this.broke(error);
    }
  }

  /** `isLast`: no other branch will need the draft. */
  #makeBranch(target: Target, share: number, isLast: boolean): Branch {
    const { draft, edits, near, loop } = this.#start!;
    const own = isLast ? draft : draft.fork();
    own.set("Max-Breadth", String(share));
    const to = this.#options.to;
    const branch = new Branch(this.#parts, this, { target, draft: own, edits, near, to, loop });
    this.#running.set(branch, share);
    return branch;
  }

  #release(branch: Branch): void {
    const share = this.#running.get(branch);
    if (share === undefined) return;
    this.#running.delete(branch);
    this.#breadth.giveBack(share);
  }

  #cancelled(cancel: SipRequest): void {
    this.#isCancelled = true;
    this.#stop(cancel.has("Reason") ? cancel.all("Reason").join(", ") : undefined);
  }

  /** Starts nothing more, and gives up what is under way: the answers to that are still waited for. */
  #stop(reason: string | undefined): void {
    this.#isStopped = true;
    this.#groups = [];
    this.#waiting = [];
    this.#cancelRunning(reason);
  }

  #cancelRunning(reason: string | undefined): void {
    for (const branch of [...this.#running.keys()]) branch.cancel(reason);
  }

  #answered(): void {
    const { request } = this.#start!;
    if (this.#isInvite && !request.inDialog) this.#parts.calls.answered();
    this.#finish();
  }

  #finish(): void {
    if (this.#method === "BYE") this.#parts.calls.ended();
    this.#isAnswered = true;
    this.#start = undefined;
    this.#groups = [];
    this.#waiting = [];
    this.#failures = [];
    this.#server.onCancel = undefined;
  }

  #forward(response: SipResponse, draft = new ResponseDraft(response).removeTopVia()): void {
    this.#options.onResponse?.(response, draft);
    this.#server.respond(response.status, draft.toString());
  }

  /** All branches have failed: tells the best of their failures. */
  #conclude(): void {
    if (this.#isAnswered) return;
    const { request } = this.#start!;
    const best = this.#best();
    const chosen = this.#options.onFailure?.(best) ?? best.status;
    // A 503 would make the caller shun this proxy for what another did (RFC 3261 §16.7 step 6).
    const status = chosen === 503 ? 500 : chosen;
    if (status === 408 && !this.#isInvite) {
      // Too late to say so, and nobody would know what to do with it (RFC 4320 §4.2).
      this.#server.abandon();
    } else if (status === best.status && best.response !== undefined) {
      this.#forward(best.response, draftOf(best.response, this.#failures));
    } else {
      this.#server.respond(status, this.#parts.replies.build(request, status));
    }
    this.#finish();
  }

  #best(): Failure {
    const best = bestOf(this.#failures) ?? { status: 480, response: undefined };
    if (this.#isCancelled && best.response === undefined) return { status: 487, response: undefined };
    return best;
  }
}

function statusOf(failure: BranchFailure): number {
  switch (failure.kind) {
    case "response":
      return failure.response.status;
    case "timeout":
      return 408;
    case "unreachable":
      // As if it had said so itself (RFC 3261 §16.9).
      return 503;
    case "cancelled":
      return 487;
  }
}

/** What an edge says of a flow it cannot use, or will not; or that nothing was heard at all (RFC 5626 §7, §5.3). */
function isFlowFailure(failure: BranchFailure): boolean {
  switch (failure.kind) {
    case "response":
      return failure.response.status === 430 || failure.response.status === 403;
    case "timeout":
      return !failure.answered;
    case "unreachable":
      return true;
    case "cancelled":
      return false;
  }
}

/** Groups of equal q, the highest first, of at most `max` targets; within a group the order stays. */
function groupByQ(targets: readonly Target[], max: number): Target[][] {
  if (targets.length === 1) return [[targets[0]]];
  const best = targets.toSorted((a, b) => b.q - a.q).slice(0, max);
  return [...Map.groupBy(best, ({ q }) => q).values()];
}
