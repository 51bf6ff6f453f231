import type { Aor, Binding, LocationStore } from "../../src/usrloc/mod.ts";

/** A store that takes a turn for everything, and breaks if it is told to. */
export class SlowStore implements LocationStore {
  isBroken = false;
  readonly #kept = new Map<Aor, readonly Binding[]>();

  async lookup(aor: Aor): Promise<readonly Binding[]> {
    await Promise.resolve();
    if (this.isBroken) throw new Error("store is gone");
    return this.#kept.get(aor) ?? [];
  }

  async update(
    aor: Aor,
    change: (live: readonly Binding[]) => readonly Binding[],
  ): Promise<readonly Binding[]> {
    const next = change(await this.lookup(aor));
    this.#kept.set(aor, next);
    return next;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
