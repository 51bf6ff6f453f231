import type { Flow, FlowWatcher } from "../transport/mod.ts";
import type { Aor } from "../usrloc/mod.ts";

/**
 * AoRs noted, of all connections together. Beyond, a connection that notes one more forgets its oldest, which then
 * merely stays in the store when that connection ends, and leads nowhere.
 */
const CAPACITY = 4_194_304;

/** Knows what was registered over which connection, and tells when one ends (RFC 5626 §7). */
export class FlowBindings implements FlowWatcher {
  readonly #aors = new Map<number, Set<Aor>>();
  readonly #capacity: number;
  #noted = 0;
  readonly #onLost: (aor: Aor, flow: Flow) => void;

  /** `onLost` is called in the turn a connection ends, with each AoR that was registered over it. */
  constructor(onLost: (aor: Aor, flow: Flow) => void, capacity = CAPACITY) {
    this.#onLost = onLost;
    this.#capacity = capacity;
  }

  /** The AoR has a binding over this connection, which may have ended while that was stored. */
  note(aor: Aor, flow: Flow): void {
    if (flow.isGone) return this.#onLost(aor, flow);
    let known = this.#aors.get(flow.id);
    if (known === undefined) {
      known = new Set();
      this.#aors.set(flow.id, known);
      flow.watch(this);
    }
    if (known.has(aor)) return;
    known.add(aor);
    if (this.#noted < this.#capacity || known.size === 1) this.#noted++;
    else known.delete(known.values().next().value!);
  }

  flowClosed(flow: Flow): void {
    const aors = this.#aors.get(flow.id);
    if (aors === undefined) return;
    this.#aors.delete(flow.id);
    this.#noted -= aors.size;
    for (const aor of aors) this.#onLost(aor, flow);
  }
}
