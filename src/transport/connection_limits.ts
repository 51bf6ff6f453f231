/** How many connections there may be. */
export interface ConnectionBounds {
  readonly total: number;
  /** From, or to, one IP address. */
  readonly perAddress: number;
}

/** Counts the connections of all listeners together. */
export class ConnectionLimits {
  readonly #bounds: ConnectionBounds;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
  }

  get total(): number {
    return this.#total;
  }

  /** Whether one more is allowed; if so, it is counted until it is released. */
  admit(address: string): boolean {
    const known = this.#byAddress.get(address) ?? 0;
    if (this.#total >= this.#bounds.total || known >= this.#bounds.perAddress) return false;
    this.#total++;
    this.#byAddress.set(address, known + 1);
    return true;
  }

  release(address: string): void {
    const known = this.#byAddress.get(address);
    if (known === undefined) return;
    this.#total--;
    if (known === 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, known - 1);
  }
}
