import type { Protocol } from "../sip/mod.ts";

/** One place a message may go to next (RFC 3263): an IP address, a port, and how to get there. */
export interface Hop {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /**
   * The name the peer must prove to have, where the protocol has proofs: the host of the URI that led there, and
   * never a name that only DNS gave (RFC 5922 §4).
   */
  readonly host?: string;
}
