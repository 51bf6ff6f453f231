import { hashText, mixHash } from "../lib/hash.ts";
import { after } from "../lib/after.ts";
import type { Random } from "../resolve/mod.ts";
import { MAGIC_COOKIE, type RequestDraft, type SipRequest, type Uri } from "../sip/mod.ts";
import type { Flow, Transport } from "../transport/mod.ts";
import type { BranchParts } from "./branch.ts";
import type { Target } from "./context.ts";
import { aim, finish, type ForwardEdit } from "./forward.ts";
import { nextHop } from "./next_hop.ts";

/** A request to be sent on without a transaction: an ACK to a 2xx, or a CANCEL of which nothing is known. */
export interface StatelessStart {
  readonly target: Target;
  readonly draft: RequestDraft;
  readonly edits: readonly ForwardEdit[];
  readonly near: Transport;
  readonly to: Uri | undefined;
  readonly seed: number;
}

/**
 * Sends a request on and forgets it (RFC 3261 §16.11): to the first hop its URI leads to, and with a branch
 * worked out from the one it came with, so that a copy of it gets the same: the hop and the branch. It stays on
 * UDP however long it is: without a transaction nobody would learn that TCP fails (RFC 3261 §18.1.1), and an ACK
 * or CANCEL is short. Throws MalformedError.
 */
export function forwardStateless(parts: BranchParts, start: StatelessStart): void | Promise<void> {
  const { target, draft, edits, near, to, seed } = start;
  aim(draft, target);
  const next = to ?? nextHop(draft);
  const branch = statelessBranch(draft.request, seed);
  if (target.via !== undefined) return send(target.via);
  return after(parts.resolver.resolve(next, drawsFrom(branch)), (hops) => {
    const flow = hops.length === 0 ? undefined : parts.transports.flowTo(hops[0], near);
    if (flow === undefined) return;
    // There is nobody to be told that it cannot be sent.
    if (flow instanceof Promise) return flow.then(send, () => {});
    send(flow);
  });

  function send(flow: Flow): void {
    flow.send(finish(draft, edits, flow, branch));
  }
}

function statelessBranch(request: SipRequest, seed: number): string {
  const { via, callId, cseq } = request;
  const first = hashText(via.branch ?? via.host, seed);
  const second = hashText(callId, first) + cseq.number;
  return `${MAGIC_COOKIE}${mixHash(first).toString(36)}${mixHash(second).toString(36)}.`;
}

/** Draws that come out the same for copies of a request (RFC 3263 §4.4). */
function drawsFrom(branch: string): Random {
  let state: number | undefined;
  return () => {
    state = mixHash((state ?? hashText(branch, 0)) + 1);
    return state / 2 ** 32;
  };
}
