import type { Clock } from "../lib/clock.ts";
import type { Hop } from "./hop.ts";

/** How long hops are remembered, and how many. */
export interface DeadHopsOptions {
  /** Milliseconds a hop counts as dead that gave no reason for another time; 0: none ever does. */
  readonly time: number;
  /** Hops remembered; the one that was noted first is forgotten first. */
  readonly capacity: number;
}

/** What a proxy without settings of its own remembers. */
export const DEFAULT_DEAD_HOPS: DeadHopsOptions = { time: 30_000, capacity: 1_024 };

/** Hops that were found silent, closed or busy, for a while (RFC 3263 §4.3). */
export class DeadHops {
  readonly #clock: Clock;
  readonly #options: DeadHopsOptions;
  /** Until when each is dead, on the monotonic clock. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, options: Partial<DeadHopsOptions> = {}) {
    this.#clock = clock;
    this.#options = { ...DEFAULT_DEAD_HOPS, ...options };
  }

  /** How many are remembered. */
  get size(): number {
    return this.#until.size;
  }

  /** Whether it is better passed over. */
  has(hop: Hop): boolean {
    if (this.#until.size === 0) return false;
    const key = keyOf(hop);
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.monotonic()) return true;
    this.#until.delete(key);
    return false;
  }

  /** Notes that it is dead, for so many ms. */
  add(hop: Hop, time: number = this.#options.time): void {
    if (this.#options.time === 0 || time <= 0) return;
    const key = keyOf(hop);
    this.#until.delete(key);
    this.#until.set(key, this.#clock.monotonic() + time);
    if (this.#until.size > this.#options.capacity) this.#until.delete(this.#until.keys().next().value!);
  }

  /** It has said something. */
  remove(hop: Hop): void {
    if (this.#until.size > 0) this.#until.delete(keyOf(hop));
  }

  /** The same hops, the dead ones after the others: when nobody else is left, they are tried as well. */
  lastOf(hops: readonly Hop[]): readonly Hop[] {
    if (this.#until.size === 0 || hops.length < 2) return hops;
    const dead = hops.filter((hop) => this.has(hop));
    if (dead.length === 0) return hops;
    return [...hops.filter((hop) => !dead.includes(hop)), ...dead];
  }
}

function keyOf({ protocol, address, port }: Hop): string {
  return `${protocol} ${address} ${port}`;
}
