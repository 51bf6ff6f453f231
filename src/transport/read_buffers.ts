/** Bytes of a buffer that is lent. */
export const LARGE = 16_384;

/** Buffers that may be lent at a time: 1 MiB in all. */
const MOST = 64;

/** Large buffers for connections by which much comes at once; most of the time most of them need none. */
export class ReadBuffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #made = 0;

  /** A buffer to be given back; undefined if all are lent, so that a small one must do. */
  lend(): Uint8Array<ArrayBuffer> | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#made === MOST) return free;
    this.#made++;
    return new Uint8Array(LARGE);
  }

  /** Takes back what was lent; nobody writes into it any more. */
  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}
