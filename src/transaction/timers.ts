/** The three times all others of RFC 3261 §17 come from, in ms, and Timer C (§16.6 step 11). */
export interface TimerOptions {
  /** Estimate of a round trip. */
  readonly t1: number;
  /** The longest pause between two copies of a non-INVITE request or an INVITE response. */
  readonly t2: number;
  /** How long a message may stay in the network. */
  readonly t4: number;
  /** How long an INVITE may ring without any news. */
  readonly timerC: number;
}

/** RFC 3261 §17.1.1.1 and §16.6 step 11, which wants more than three minutes. */
export const DEFAULT_TIMERS: TimerOptions = { t1: 500, t2: 4_000, t4: 5_000, timerC: 185_000 };

/** An INVITE is answered 100 after this long unless something better was said (RFC 3261 §17.2.1). */
export const TRYING_DELAY = 200;

/** How long copies of a final response to our INVITE may still come over UDP (RFC 3261 §17.1.1.2). */
export const TIMER_D = 32_000;

/** The timers of RFC 3261 appendix A and RFC 6026, in ms. */
export class Timers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  readonly c: number;
  /** B, F, H, J, L and M: how long the whole may take. */
  readonly whole: number;
  /** When a non-INVITE request has been asked often enough to be told 100 (RFC 4320 §4.1): as E reaches T2. */
  readonly slow: number;

  constructor({ t1, t2, t4, timerC }: TimerOptions) {
    this.t1 = t1;
    this.t2 = t2;
    this.t4 = t4;
    this.c = timerC;
    this.whole = 64 * t1;
    let slow = 0;
    for (let interval = t1; interval < t2; interval *= 2) slow += interval;
    this.slow = slow;
  }
}
