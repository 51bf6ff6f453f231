import type { Clock } from "../lib/clock.ts";
import { hashText, mixHash } from "../lib/hash.ts";
import { AorIndex } from "./aor_index.ts";
import {
  countOf,
  lastExpiryOf,
  readRecord,
  sameTexts,
  textsOf,
  unitsFor,
  unitsOf,
  writeNumbers,
  writeRecord,
} from "./record.ts";
import { Slab } from "./slab.ts";
import { type Aor, type Binding, type Change, type LocationStore, StoreFullError } from "./store.ts";

/** Parts the index is in: each grows and is swept by itself, so that neither ever takes long. */
const PARTS = 64;
const PART_SHIFT = 26;

/** Milliseconds between the sweeps of two parts. */
const SWEEP_PERIOD = 500;

/** What a store in memory needs. */
export interface MemoryStoreParts {
  readonly clock: Clock;
  /** For the hash of AoRs, so that nobody can choose names that collide. */
  readonly seed: number;
  /** Bindings it holds at most. */
  readonly maxBindings: number;
}

/**
 * Bindings in the memory of this process, gone with it. They lie in a slab and not on the engine's heap: a
 * quarter of a kilobyte each, and nothing for the garbage collector to look at.
 */
export class MemoryStore implements LocationStore {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #maxBindings: number;
  readonly #slab = new Slab();
  readonly #parts: AorIndex[];
  readonly #stopSweeping: () => void;
  #bindings = 0;
  #swept = 0;

  constructor({ clock, seed, maxBindings }: MemoryStoreParts) {
    this.#clock = clock;
    this.#seed = seed;
    this.#maxBindings = maxBindings;
    this.#parts = Array.from({ length: PARTS }, () => new AorIndex(this.#slab));
    this.#stopSweeping = clock.every(SWEEP_PERIOD, () => this.#sweep());
  }

  /** Bindings held, expired ones that were not swept yet included. */
  get size(): number {
    return this.#bindings;
  }

  lookup(aor: Aor): readonly Binding[] {
    const hash = this.#hash(aor);
    const address = this.#partOf(hash).find(aor, hash);
    return address < 0 ? [] : readRecord(this.#slab.page(address), address, this.#clock.now());
  }

  update(aor: Aor, change: Change): readonly Binding[] {
    const hash = this.#hash(aor);
    const part = this.#partOf(hash);
    const address = part.find(aor, hash);
    const live = address < 0 ? [] : readRecord(this.#slab.page(address), address, this.#clock.now());
    const wanted = change(live);
    if (wanted === live) return live;
    const held = address < 0 ? 0 : countOf(this.#slab.page(address), address);
    // A refresh changes nothing but numbers; expired ones among what is held would be in between.
    if (held === live.length && held > 0 && sameTexts(live, wanted)) {
      writeNumbers(this.#slab.page(address), address, wanted);
      return wanted;
    }
    if (wanted.length > held && this.#bindings + wanted.length - held > this.#maxBindings) {
      throw new StoreFullError("Too many bindings");
    }
    if (wanted.length === 0) this.#remove(part, address, hash);
    else this.#write(part, address, hash, aor, wanted);
    this.#bindings += wanted.length - held;
    return wanted;
  }

  close(): Promise<void> {
    this.#stopSweeping();
    return Promise.resolve();
  }

  #hash(aor: Aor): number {
    return mixHash(hashText(aor, this.#seed));
  }

  #partOf(hash: number): AorIndex {
    return this.#parts[hash >>> PART_SHIFT];
  }

  #write(part: AorIndex, address: number, hash: number, aor: Aor, bindings: readonly Binding[]): void {
    const texts = textsOf(aor, bindings);
    const units = unitsFor(texts, bindings.length);
    const held = address < 0 ? 0 : unitsOf(this.#slab.page(address), address);
    // A block that is a little too large stays: the next refresh may need the room.
    const fits = held >= units && held <= units + 2;
    const target = fits ? address : this.#slab.allocate(units);
    writeRecord(this.#slab.page(target), target, fits ? held : units, hash, aor, bindings, texts);
    if (fits) return;
    if (address < 0) {
      part.add(target, hash);
    } else {
      part.replace(address, target, hash);
      this.#slab.release(address, held);
    }
  }

  #remove(part: AorIndex, address: number, hash: number): void {
    if (address < 0) return;
    part.remove(address, hash);
    this.#slab.release(address, unitsOf(this.#slab.page(address), address));
  }

  /** Forgets the AoRs of one part that have nothing left but expired bindings. */
  #sweep(): void {
    const part = this.#parts[this.#swept];
    this.#swept = (this.#swept + 1) % PARTS;
    const now = this.#clock.now();
    for (const { address, hash } of part.select((page, address) => lastExpiryOf(page, address) <= now)) {
      this.#bindings -= countOf(this.#slab.page(address), address);
      this.#remove(part, address, hash);
    }
  }
}
