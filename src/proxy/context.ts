import type { HeaderList, RequestDraft, ResponseDraft, SipRequest, SipResponse, Uri } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";

/** A request as a module sees it: what came, over which flow, and the draft of what leaves. */
export interface Received {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** What every branch starts from. */
  readonly draft: RequestDraft;
  /** Has `edit` work on each branch's draft once it is known which flow it leaves by. */
  onForward(edit: (draft: RequestDraft, out: Flow) => void): void;
}

/** A request as a role sees it: a module's view, and the ways out. A route takes exactly one of them. */
export interface RouteContext extends Received {
  /** Answers it; nothing for an ACK. */
  reply(status: number, headers?: HeaderList, reason?: string): void;
  /** Sends it on: where its Route or else its Request-URI leads, unless the options say otherwise. */
  relay(options?: RelayOptions): void;
  /** Sends it to several targets: those of equal q together, then those of the next lower q. */
  fork(targets: readonly Target[], options?: ForkOptions): void;
}

/** What decides what becomes of a request; one that waits for something returns a promise. */
export type Route = (ctx: RouteContext) => void | Promise<void>;

/** What a routing script calls reply route and failure route. */
export interface RelayOptions {
  /** Where it goes, whatever its Route and Request-URI say. */
  readonly to?: Uri;
  /** The flow it goes over, whatever its Route and Request-URI say. */
  readonly via?: Flow;
  /** Edits a response before it goes back; not called for 100. */
  onResponse?(response: SipResponse, draft: ResponseDraft): void;
  /** Chooses another status for the final failure; undefined leaves it. */
  onFailure?(best: BestFailure): number | undefined;
}

/** The same, for a request with several targets. */
export interface ForkOptions extends RelayOptions {
  /** Told of each branch that ended without success, before an alternate is tried. */
  onBranchFailure?(branch: FailedBranch): void;
}

/** Where one branch goes. */
export interface Target {
  /** The Request-URI it gets. */
  readonly uri: string;
  /** Route values to go through on the way, top first. */
  readonly path: readonly string[];
  /** 0 to 1, higher first. */
  readonly q: number;
  /** A flow of this very process. */
  readonly via?: Flow;
  /** The same user agent's other flows, should this one fail. */
  readonly alternates: readonly Target[];
}

/** A branch that ended without success. */
export interface FailedBranch {
  readonly target: Target;
  /** Undefined after silence or a dead flow. */
  readonly response: SipResponse | undefined;
  /** Whether it was the flow: 403 or 430 from an edge (RFC 5626 §7), a closed flow, or nothing at all. */
  readonly flowFailed: boolean;
  /** Whether the target is known to be there no more. */
  readonly isGone: boolean;
}

/** The failure that is about to be told. */
export interface BestFailure {
  readonly status: number;
  /** Undefined if it was made here: nobody answered, or the flow is dead. */
  readonly response: SipResponse | undefined;
}
