import type { SipRequest } from "../sip/mod.ts";
import type { InviteServer } from "./invite_server.ts";
import { identityOf, keyFits } from "./key.ts";
import type { OtherServer } from "./other_server.ts";

/** A server transaction of either kind. */
export type Server = InviteServer | OtherServer;

/** All server transactions, by branch; those few that share one, as a CANCEL and its INVITE do, are chained. */
export class ServerTable {
  readonly #chains = new Map<string, Server>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The transaction that takes the request, taken as one of `method`; an ACK belongs to its INVITE's. */
  find(request: SipRequest, method: string): Server | undefined {
    const wanted = method === "ACK" ? "INVITE" : method;
    let server = this.#chains.get(identityOf(request));
    while (server !== undefined && !keyFits(server.key, request, wanted)) server = server.nextWithBranch;
    return server;
  }

  add(server: Server): void {
    const { identity } = server.key;
    server.nextWithBranch = this.#chains.get(identity);
    this.#chains.set(identity, server);
    this.#size++;
  }

  delete(server: Server): void {
    const { identity } = server.key;
    const first = this.#chains.get(identity);
    this.#size--;
    if (first === server) {
      if (server.nextWithBranch === undefined) this.#chains.delete(identity);
      else this.#chains.set(identity, server.nextWithBranch);
      return;
    }
    let before = first;
    while (before !== undefined && before.nextWithBranch !== server) before = before.nextWithBranch;
    if (before !== undefined) before.nextWithBranch = server.nextWithBranch;
  }
}
