import { Timer } from "../lib/timer_wheel.ts";

/** How long a connection may take to be opened: aborts its signal when armed for too long. */
export class DialDeadline extends Timer {
  readonly #controller = new AbortController();
  readonly #lateReason: string;

  /** `lateReason`: what is said when its time is over. */
  constructor(lateReason: string) {
    super();
    this.#lateReason = lateReason;
  }

  /** Aborted with an Error that says why. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the attempt now. */
  giveUp(reason: string): void {
    this.#controller.abort(new Error(reason));
  }

  override onTimer(): void {
    this.giveUp(this.#lateReason);
  }
}
