import type { SipRequest } from "../sip/mod.ts";
import { identityOf, keyFits, type ServerKey } from "./key.ts";

/** What becomes of a request that matched a server transaction. */
export type Absorbed = "absorbed" | "pass-up";

/** A server transaction as the table knows it. */
export interface ServerEntry {
  readonly key: ServerKey;
  /** The next one with the same branch; the table's own. */
  nextWithBranch: ServerEntry | undefined;
  /** Takes a request that matched: a copy of its own, or an ACK. */
  receive(request: SipRequest): Absorbed;
}

/** Transactions of one branch at a time: only somebody who means harm sends more than a few. */
const MAX_SHARING = 64;

/** All server transactions, by branch; those few that share one, as a CANCEL and its INVITE do, are chained. */
export class ServerTable {
  readonly #chains = new Map<string, ServerEntry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The transaction that takes the request, taken as one of `method`; an ACK belongs to its INVITE's. */
  find(request: SipRequest, method: string): ServerEntry | undefined {
    const wanted = method === "ACK" ? "INVITE" : method;
    let entry = this.#chains.get(identityOf(request));
    while (entry !== undefined && !keyFits(entry.key, request, wanted)) entry = entry.nextWithBranch;
    return entry;
  }

  /** Whether there is a transaction the CANCEL names, be it of an INVITE or not (RFC 3261 §9.2). */
  hasNamedBy(cancel: SipRequest): boolean {
    let entry = this.#chains.get(identityOf(cancel));
    while (
      entry !== undefined && (entry.key.method === "CANCEL" || !keyFits(entry.key, cancel, entry.key.method))
    ) {
      entry = entry.nextWithBranch;
    }
    return entry !== undefined;
  }

  /** Whether so many have the branch already that a look-up of one more would take too long. */
  isCrowded(request: SipRequest): boolean {
    let entry = this.#chains.get(identityOf(request));
    let count = 0;
    for (; entry !== undefined && count < MAX_SHARING; entry = entry.nextWithBranch) count++;
    return count === MAX_SHARING;
  }

  add(entry: ServerEntry): void {
    const { identity } = entry.key;
    entry.nextWithBranch = this.#chains.get(identity);
    this.#chains.set(identity, entry);
    this.#size++;
  }

  delete(entry: ServerEntry): void {
    const { identity } = entry.key;
    const first = this.#chains.get(identity);
    this.#size--;
    if (first === entry) {
      if (entry.nextWithBranch === undefined) this.#chains.delete(identity);
      else this.#chains.set(identity, entry.nextWithBranch);
      return;
    }
    let before = first;
    while (before !== undefined && before.nextWithBranch !== entry) before = before.nextWithBranch;
    if (before !== undefined) before.nextWithBranch = entry.nextWithBranch;
  }
}
