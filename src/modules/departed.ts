import type { Aor, Binding } from "../usrloc/mod.ts";

/** AoRs remembered; of those forgotten, one merely hears that nobody is registered. */
const CAPACITY = 65_536;

/**
 * Who was registered and would still be, had the flow not failed: somebody who is there and cannot be reached just
 * now (480), which is not to be nobody (404).
 */
export class Departed {
  /** Until when, in ms since the epoch. */
  readonly #until = new Map<Aor, number>();

  /** The last bindings of the AoR have gone with their flow. */
  add(aor: Aor, bindings: readonly Binding[]): void {
    this.#until.delete(aor);
    this.#until.set(aor, bindings.reduce((last, { expiresAt }) => Math.max(last, expiresAt), 0));
    if (this.#until.size > CAPACITY) this.#until.delete(this.#until.keys().next().value!);
  }

  has(aor: Aor, now: number): boolean {
    const until = this.#until.get(aor);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(aor);
    return false;
  }

  /** The AoR has said for itself what is to be. */
  delete(aor: Aor): void {
    if (this.#until.size > 0) this.#until.delete(aor);
  }
}
