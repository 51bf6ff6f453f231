import { ownCopy } from "../lib/latin1.ts";
import { defaultPort, MAGIC_COOKIE, type SipRequest } from "../sip/mod.ts";

/**
 * What names a server transaction (RFC 3261 §17.2.3): branch, sent-by and method, where an ACK stands for its
 * INVITE. Its texts are copies, as it outlives the request.
 */
export interface ServerKey {
  /** The branch, or what stands for it; see identityOf. */
  readonly identity: string;
  readonly method: string;
  readonly host: string;
  readonly port: number;
}

/**
 * The branch of a request; for peers that make no proper one it is what RFC 2543 compared, without the To
 * tag: the INVITE lacks the one its ACK has, and nothing else tells two such requests apart.
 */
export function identityOf(request: SipRequest): string {
  const { via } = request;
  if (via.hasCookie) return via.branch!;
  const { uriText, fromTag = "", callId, cseq } = request;
  return `${uriText} ${fromTag} ${callId} ${cseq.number} ${via.branch ?? ""}`;
}

/** The key of the transaction that answers a request. */
export function serverKeyOf(request: SipRequest): ServerKey {
  const { method, via } = request;
  return {
    identity: ownCopy(identityOf(request)),
    method: ownCopy(method),
    host: ownCopy(via.host),
    port: via.port ?? defaultPort("udp"),
  };
}

/** Whether the request is one that the transaction of `key` takes, if it were of `method`; identities are equal. */
export function keyFits(key: ServerKey, { via }: SipRequest, method: string): boolean {
  return key.method === method && key.host === via.host && key.port === (via.port ?? defaultPort("udp"));
}

/** A branch for a request of ours, from random text (RFC 3261 §8.1.1.7) and what it says of loops (RFC 5393). */
export function branchOf(random: string, loop: string): string {
  return `${MAGIC_COOKIE}${random}.${loop}`;
}
