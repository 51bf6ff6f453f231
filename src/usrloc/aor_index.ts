import { hashOf, isRecordOf } from "./record.ts";
import type { Page, Slab } from "./slab.ts";

const EMPTY = 0;
const FIRST_SIZE = 64;

/** Where the records of AoRs are, by the hash of the AoR: open addressing over addresses in a slab. */
export class AorIndex {
  readonly #slab: Slab;
  /** Addresses plus one; a power of two of them, never more than three quarters in use. */
  #slots = new Uint32Array(FIRST_SIZE);
  #count = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** The address of the record of `aor`; -1 if there is none. */
  find(aor: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let i = hash & mask; slots[i] !== EMPTY; i = (i + 1) & mask) {
      const address = slots[i] - 1;
      const page = this.#slab.page(address);
      if (hashOf(page, address) === hash && isRecordOf(page, address, aor)) return address;
    }
    return -1;
  }

  add(address: number, hash: number): void {
    if (++this.#count * 4 > this.#slots.length * 3) this.#grow();
    this.#insert(this.#slots, address, hash);
  }

  /** The record at `from` is now at `to`. */
  replace(from: number, to: number, hash: number): void {
    this.#slots[this.#slotOf(from, hash)] = to + 1;
  }

  remove(address: number, hash: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#slotOf(address, hash);
    this.#count--;
    // What was pushed past the hole moves back into it, so that every search still ends at the first empty slot.
    for (let i = (hole + 1) & mask; slots[i] !== EMPTY; i = (i + 1) & mask) {
      const home = hashOf(this.#slab.page(slots[i] - 1), slots[i] - 1) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        slots[hole] = slots[i];
        hole = i;
      }
    }
    slots[hole] = EMPTY;
  }

  /** Address and hash of the records that `test` accepts. */
  select(
    test: (page: Page, address: number) => boolean,
  ): { readonly address: number; readonly hash: number }[] {
    const selected: { address: number; hash: number }[] = [];
    for (const slot of this.#slots) {
      if (slot === EMPTY) continue;
      const address = slot - 1;
      const page = this.#slab.page(address);
      if (test(page, address)) selected.push({ address, hash: hashOf(page, address) });
    }
    return selected;
  }

  #slotOf(address: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let i = hash & mask;
    while (slots[i] !== address + 1) i = (i + 1) & mask;
    return i;
  }

  #insert(slots: Uint32Array, address: number, hash: number): void {
    const mask = slots.length - 1;
    let i = hash & mask;
    while (slots[i] !== EMPTY) i = (i + 1) & mask;
    slots[i] = address + 1;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (const slot of this.#slots) {
      if (slot !== EMPTY) this.#insert(slots, slot - 1, hashOf(this.#slab.page(slot - 1), slot - 1));
    }
    this.#slots = slots;
  }
}
