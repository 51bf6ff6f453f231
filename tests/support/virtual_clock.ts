import type { Clock } from "../../src/lib/clock.ts";

interface Periodic {
  readonly period: number;
  readonly fn: () => void;
  next: number;
}

/** A clock that stands still until it is turned. */
export class VirtualClock implements Clock {
  readonly #periodics = new Set<Periodic>();
  #elapsed = 0;

  /** What `now` begins with. */
  static readonly EPOCH = Date.UTC(2026, 0, 1);

  monotonic(): number {
    return this.#elapsed;
  }

  now(): number {
    return VirtualClock.EPOCH + this.#elapsed;
  }

  every(period: number, fn: () => void): () => void {
    const periodic = { period, fn, next: this.#elapsed + period };
    this.#periodics.add(periodic);
    return () => {
      this.#periodics.delete(periodic);
    };
  }

  /** Lets `ms` go by, with everything that is due in them, in order. */
  advance(ms: number): void {
    const target = this.#elapsed + ms;
    for (;;) {
      const due = this.#earliest();
      if (due === undefined || due.next > target) break;
      this.#elapsed = due.next;
      due.next += due.period;
      due.fn();
    }
    this.#elapsed = target;
  }

  /** Turns to the next time at which anything is due, but no further than `limit` ms; returns how far that was. */
  step(limit: number): number {
    const due = this.#earliest()?.next ?? Infinity;
    const ms = Math.min(limit, due - this.#elapsed);
    this.advance(ms);
    return ms;
  }

  #earliest(): Periodic | undefined {
    let earliest: Periodic | undefined;
    for (const periodic of this.#periodics) {
      if (earliest === undefined || periodic.next < earliest.next) earliest = periodic;
    }
    return earliest;
  }
}
