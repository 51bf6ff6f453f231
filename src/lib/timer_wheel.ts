import type { Clock } from "./clock.ts";

/** Milliseconds between two turns of the wheel: no timer is more exact than this. */
export const TICK = 10;

/** Slots are powers of two per level: 2.56 s, 164 s, 2.9 h and 7.8 days ahead at 10 ms a tick. */
const LEVEL_BITS = [8, 6, 6, 6] as const;
const LEVEL_SHIFTS = [0, 8, 14, 20] as const;
/** How far ahead the wheel reaches. */
const MAX_TICKS = 2 ** 26 - 1;

/**
 * Something that wants to be called at a time: extend it, and hand it to a wheel. A timer is in at most one
 * place of one wheel; it carries its own links, so arming and disarming allocate nothing.
 */
export abstract class Timer {
  /** @internal */ next: Timer | undefined = undefined;
  /** @internal */ previous: Timer | undefined = undefined;
  /** @internal */ dueTick = 0;

  /** Whether it waits in a wheel. */
  get isArmed(): boolean {
    return this.next !== undefined;
  }

  /** Called once when the time has come; it may arm itself again. */
  abstract onTimer(): void;
}

class Slot extends Timer {
  constructor() {
    super();
    this.next = this;
    this.previous = this;
  }

  override onTimer(): void {}
}

/** What a wheel needs to know of its surroundings. */
export interface TimerWheelParts {
  readonly clock: Clock;
  /** Told of what a timer throws; the wheel itself goes on. */
  readonly onError: (error: unknown) => void;
}

/**
 * All of a server's timers on one interval (hierarchical timing wheel): arming and disarming cost the same
 * however many there are.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #levels: Slot[][];
  readonly #start: number;
  readonly #stop: () => void;
  #tick = 0;
  #size = 0;

  constructor({ clock, onError }: TimerWheelParts) {
    this.#clock = clock;
    this.#onError = onError;
    this.#levels = LEVEL_BITS.map((bits) => Array.from({ length: 1 << bits }, () => new Slot()));
    this.#start = clock.monotonic();
    this.#stop = clock.every(TICK, () => this.turn());
  }

  /** How many timers wait. */
  get size(): number {
    return this.#size;
  }

  /** The wheel's own time in ms, which goes by ticks; what timers are measured by. */
  get now(): number {
    return this.#tick * TICK;
  }

  /** Has `timer` called once `delay` ms from now, to a tick's precision and never in this very turn. */
  arm(timer: Timer, delay: number): void {
    if (timer.next !== undefined) this.disarm(timer);
    const ticks = Math.ceil(delay / TICK);
    timer.dueTick = this.#tick + (ticks < 1 ? 1 : ticks);
    this.#insert(timer);
    this.#size++;
  }

  /** Takes `timer` out again; nothing happens if it does not wait. */
  disarm(timer: Timer): void {
    const { next, previous } = timer;
    if (next === undefined) return;
    previous!.next = next;
    next.previous = previous;
    timer.next = undefined;
    timer.previous = undefined;
    this.#size--;
  }

  /** Stops turning; what still waits is never called. */
  close(): void {
    this.#stop();
  }

  #insert(timer: Timer): void {
    const due = timer.dueTick;
    const distance = due - this.#tick;
    const level = distance < 1 << 8 ? 0 : distance < 1 << 14 ? 1 : distance < 1 << 20 ? 2 : 3;
    // What is further off than the wheel reaches waits at its far end, and is looked at again from there.
    const near = distance > MAX_TICKS ? this.#tick + MAX_TICKS : due;
    const index = (near >>> LEVEL_SHIFTS[level]) & ((1 << LEVEL_BITS[level]) - 1);
    const slot = this.#levels[level][index];
    const last = slot.previous!;
    timer.next = slot;
    timer.previous = last;
    last.next = timer;
    slot.previous = timer;
  }

  /**
   * Does everything that is due by now. The interval sees to it; whoever comes to work after a pause calls it
   * first, or timers armed then would be measured from before the pause.
   */
  turn(): void {
    const target = Math.floor((this.#clock.monotonic() - this.#start) / TICK);
    while (this.#tick < target) {
      this.#tick++;
      this.#cascade(1);
      this.#fire(this.#levels[0][this.#tick & 255]);
    }
  }

  /** At the start of a level's turn, what waits one level up for this stretch of time comes down. */
  #cascade(level: number): void {
    if (level === this.#levels.length) return;
    if ((this.#tick & ((1 << LEVEL_SHIFTS[level]) - 1)) !== 0) return;
    this.#cascade(level + 1);
    const slot = this.#levels[level][(this.#tick >>> LEVEL_SHIFTS[level]) & ((1 << LEVEL_BITS[level]) - 1)];
    let timer = slot.next!;
    slot.next = slot;
    slot.previous = slot;
    while (timer !== slot) {
      const following = timer.next!;
      this.#insert(timer);
      timer = following;
    }
  }

  #fire(slot: Slot): void {
    // One at a time from the front: a timer may disarm any other, also one that is due in this very tick.
    for (let timer = slot.next!; timer !== slot; timer = slot.next!) {
      this.disarm(timer);
      try {
        timer.onTimer();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
