/** An address of record in its one canonical form, `sip:user@domain` (RFC 3261 §10.3 step 5). */
export type Aor = string & { readonly __brand: "Aor" };

/** One contact of an AoR, and how long it is good for. */
export interface Binding {
  /** The contact URI as it was registered. */
  readonly contact: string;
  /** The other parameters of its Contact, as they were registered, each with its semicolon. */
  readonly params: string;
  /** 0 to 1, higher first. */
  readonly q: number;
  /** Of the REGISTER that made or last refreshed it. */
  readonly callId: string;
  readonly cseq: number;
  /** When that was, in ms since the epoch. */
  readonly updatedAt: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** Route values on the way to it, top first (RFC 3327). */
  readonly path: readonly string[];
  /** The methods it takes, as a set of method bits. */
  readonly methods: number;
  /** The connection of this process it was registered over, straight from its user agent; 0 if there is none. */
  readonly flowId: number;
}

/** What an update makes of the bindings there are; pure, as it may be called again when another came in between. */
export type Change = (live: readonly Binding[]) => readonly Binding[];

/**
 * Who is registered where. What can be told at once is told at once, without a promise: a store in memory
 * costs no turn of the event loop. Expired bindings are never shown.
 */
export interface LocationStore {
  lookup(aor: Aor): readonly Binding[] | Promise<readonly Binding[]>;
  /**
   * All or nothing (RFC 3261 §10.3), and one after the other for one AoR: what `change` returns is kept, or,
   * if it throws, everything stays as it was. Returns what is kept; throws StoreFullError.
   */
  update(aor: Aor, change: Change): readonly Binding[] | Promise<readonly Binding[]>;
  close(): Promise<void>;
}

/** The store has no room for one more binding. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}
