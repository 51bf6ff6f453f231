/** Waits for a promise as its surroundings do: with a limit on real time, or by turning a virtual clock. */
export type Patience = <T>(promise: Promise<T>, what: string) => Promise<T>;

interface Waiting<T> {
  readonly wants: (item: T) => boolean;
  readonly take: (item: T) => void;
}

/** What has arrived and was not asked for yet, and who waits for what has not arrived yet. */
export class Inbox<T> {
  readonly #patience: Patience;
  readonly #items: T[] = [];
  readonly #waiting: Waiting<T>[] = [];

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** What has arrived and nobody has taken. */
  get items(): readonly T[] {
    return this.#items;
  }

  put(item: T): void {
    const at = this.#waiting.findIndex(({ wants }) => wants(item));
    if (at < 0) this.#items.push(item);
    else this.#waiting.splice(at, 1)[0].take(item);
  }

  /** The first item that `wants` accepts, there already or yet to come; `what` names it if it never comes. */
  take(wants: (item: T) => boolean, what: string): Promise<T> {
    const at = this.#items.findIndex(wants);
    if (at >= 0) return Promise.resolve(this.#items.splice(at, 1)[0]);
    const { promise, resolve } = Promise.withResolvers<T>();
    const waiting = { wants, take: resolve };
    this.#waiting.push(waiting);
    return this.#patience(promise, what).catch((error) => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      throw error;
    });
  }
}

/** Patience in real time: `limit` ms, then an error that says what was waited for. */
export function patientFor(limit: number): Patience {
  return async (promise, what) => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`Waited ${limit} ms in vain for ${what}`)), limit);
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
