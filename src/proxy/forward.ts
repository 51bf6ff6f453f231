import { asRequestUri, parseUri, type RequestDraft, viaName } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";
import type { Target } from "./context.ts";

/** An edit of a branch's draft that depends on the flow it leaves by. */
export type ForwardEdit = (draft: RequestDraft, out: Flow) => void;

/** Gives a branch's draft its target (RFC 3261 §16.6 steps 2 and 6); throws MalformedError if that is no URI. */
export function aim(draft: RequestDraft, target: Target): void {
  if (target.uri !== draft.uri.toString()) draft.uri = asRequestUri(parseUri(target.uri));
  if (target.path.length > 0) draft.setAll("Route", [...target.path, ...draft.all("Route")]);
}

/** Counts one hop, or starts counting at `initial` (RFC 3261 §16.6 step 3). */
export function countHop(draft: RequestDraft, initial: number): void {
  const hops = draft.request.maxForwards;
  draft.set("Max-Forwards", String(hops === undefined ? initial : hops - 1));
}

/** The text that goes over `flow`, with our Via on top (RFC 3261 §16.6 step 8). */
export function finish(
  draft: RequestDraft,
  edits: readonly ForwardEdit[],
  flow: Flow,
  branch: string,
): string {
  const { transport } = flow;
  for (let i = 0; i < edits.length; i++) edits[i](draft, flow);
  draft.prepend("Via", `SIP/2.0/${viaName(transport.protocol)} ${transport.sentBy};branch=${branch}`);
  return draft.toString();
}
