import { type ByteArea, byteArea } from "../lib/latin1.ts";

/** Bytes of the unit that memory is given out in. */
export const UNIT = 32;

const PAGE_BYTES = 256 * 1024;
/** Units of a page, as a power of two: an address is page number and unit in one integer. */
const PAGE_SHIFT = 13;
const UNIT_MASK = (1 << PAGE_SHIFT) - 1;

/** The largest block there can be. */
export const MAX_BLOCK = PAGE_BYTES;

/** One page of memory, seen in the ways records need; all offsets are within the page. */
export interface Page {
  readonly bytes: ByteArea;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
}

/** Where in its page a block starts, in bytes. */
export function offsetOf(address: number): number {
  return (address & UNIT_MASK) * UNIT;
}

/**
 * Memory in blocks of 32 bytes and multiples, outside the heap of the engine: a million records in it cost
 * the garbage collector nothing. A block that was given back is used again for one of the same size.
 */
export class Slab {
  readonly #pages: Page[] = [];
  /** Addresses given back, by size in units. */
  readonly #free: number[][] = [];
  /** The first unit of the last page that was never given out. */
  #next = PAGE_BYTES / UNIT;

  /** Bytes taken from the system. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES;
  }

  /** How many units `bytes` take. */
  static units(bytes: number): number {
    return Math.ceil(bytes / UNIT);
  }

  /** The address of a block of `units`; its old contents are still in it. */
  allocate(units: number): number {
    const free = this.#free[units];
    if (free !== undefined && free.length > 0) return free.pop()!;
    if (this.#next + units > PAGE_BYTES / UNIT) this.#addPage();
    const address = ((this.#pages.length - 1) << PAGE_SHIFT) | this.#next;
    this.#next += units;
    return address;
  }

  /** Gives a block of `units` back. */
  release(address: number, units: number): void {
    (this.#free[units] ??= []).push(address);
  }

  page(address: number): Page {
    return this.#pages[address >>> PAGE_SHIFT];
  }

  #addPage(): void {
    // The one thing here that may fail comes first.
    const buffer = new ArrayBuffer(PAGE_BYTES);
    // What is left of the last page is too small for this block, but not for others.
    const left = PAGE_BYTES / UNIT - this.#next;
    if (left > 0) this.release(((this.#pages.length - 1) << PAGE_SHIFT) | this.#next, left);
    this.#pages.push({
      bytes: byteArea(new Uint8Array(buffer)),
      u16: new Uint16Array(buffer),
      u32: new Uint32Array(buffer),
      f64: new Float64Array(buffer),
    });
    this.#next = 0;
  }
}
