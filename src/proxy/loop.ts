import { hashText, mixHash } from "../lib/hash.ts";
import { parseVia, type SipRequest } from "../sip/mod.ts";

/** What loop detection needs: a seed of this process, and to know its own Vias. */
export interface LoopParts {
  readonly seed: number;
  isOurs(host: string, port: number | undefined): boolean;
}

/**
 * The part of our branch that tells a loop from a spiral (RFC 5393 §4.2): the same only if the request came
 * with the same Request-URI, Route, Call-ID and CSeq, and so would be sent the same way again. The method does
 * not count, so that ACK and CANCEL have the INVITE's; nor do the tags, which nobody changes on the way.
 */
export function loopPart(request: SipRequest, seed: number): string {
  const { uriText, callId, cseq, routes } = request;
  let hash = hashText(callId, hashText(uriText, seed)) + cseq.number;
  for (let i = 0; i < routes.length; i++) hash = hashText(routes[i].uriText, hash);
  return mixHash(hash).toString(36);
}

/** Whether the request came by here before, just as it is: one of its Vias is ours and has the same loop part. */
export function isLoop(request: SipRequest, loop: string, isOurs: LoopParts["isOurs"]): boolean {
  // A request straight from its user agent has been nowhere yet.
  if (request.hasOneVia) return false;
  const suffix = `.${loop}`;
  return request.all("Via").some((value) => {
    if (!value.includes(suffix)) return false;
    try {
      const { host, port, branch } = parseVia(value);
      return branch !== undefined && branch.endsWith(suffix) && isOurs(host, port);
    } catch {
      // A Via below the top one is its maker's business (RFC 5393 §4.2.4).
      return false;
    }
  });
}
