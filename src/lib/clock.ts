/** Where time comes from; handed in everywhere, so that tests can turn it. */
export interface Clock {
  /** Milliseconds that only ever go forward; their zero means nothing. */
  monotonic(): number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fn` every `period` ms until the returned function is called. */
  every(period: number, fn: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  now: () => Date.now(),
  every(period, fn) {
    const id = setInterval(fn, period);
    return () => clearInterval(id);
  },
};
