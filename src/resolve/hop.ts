import type { Protocol } from "../sip/mod.ts";

/** One place a message may go to next (RFC 3263): an IP address, a port, and how to get there. */
export interface Hop {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}
