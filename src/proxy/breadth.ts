import { MalformedError, type SipRequest } from "../sip/mod.ts";

/**
 * How many branches a request may have at a time, here and at all proxies behind (RFC 5393 §5.3.3): what came
 * with it is shared among its branches, and each gives its share back when it ends.
 */
export class Breadth {
  #free: number;

  private constructor(total: number) {
    this.#free = total;
  }

  /** As the request says, but never more than `max`; throws MalformedError if it says no number. */
  static of(request: SipRequest, max: number): Breadth {
    const value = request.get("Max-Breadth");
    if (value === undefined) return new Breadth(max);
    if (!/^[0-9]+$/.test(value)) throw new MalformedError("Malformed Max-Breadth");
    return new Breadth(Math.min(Number(value), max));
  }

  /** What nobody has yet. */
  get free(): number {
    return this.#free;
  }

  /** Shares for as many of `wanted` branches as there is breadth for, all of it given out as evenly as can be. */
  take(wanted: number): number[] {
    const count = Math.min(wanted, this.#free);
    const shares: number[] = [];
    for (let left = count; left > 0; left--) {
      const share = Math.floor(this.#free / left);
      shares.push(share);
      this.#free -= share;
    }
    return shares;
  }

  /** The share of a branch that ended. */
  giveBack(share: number): void {
    this.#free += share;
  }
}
