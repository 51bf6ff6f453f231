import { type ByteArea, byteArea } from "../lib/latin1.ts";
import { type Libc, pinned } from "./libc.ts";
import { SOCKADDR_ROW } from "./sockaddr.ts";

/** Datagrams of one system call, either way. */
export const BATCH = 64;

/** Bytes of the longest datagram. */
const MAX_DATAGRAM = 65_535;

/**
 * Bytes from one receive slot to the next: not a power of two, or the slots would all compete for the same few
 * lines of the processor's caches.
 */
export const RECEIVE_STRIDE = MAX_DATAGRAM + 1 + 640;

/** `struct mmsghdr` as Linux lays it out, in bytes, and the places of its 32-bit words. */
export const HEADER = 64;
export const HEADER_WORDS = HEADER / 4;
export const NAME_LENGTH_WORD = 2;
export const RECEIVED_LENGTH_WORD = 14;

/** `struct iovec`. */
const IOVEC = 16;

/** Rows of mmsghdr with an address and a stretch of memory each, as recvmmsg and sendmmsg want them. */
export class HeaderRows {
  readonly headers = pinned(BATCH * HEADER);
  readonly headerWords = new Uint32Array(this.headers.buffer);
  readonly names = pinned(BATCH * SOCKADDR_ROW);
  readonly nameWords = new Uint32Array(this.names.buffer);
  readonly #vectors = pinned(BATCH * IOVEC);
  readonly #vectorWords = new Uint32Array(this.#vectors.buffer);
  readonly #vectorBases = new BigUint64Array(this.#vectors.buffer);

  constructor(libc: Libc) {
    const headers = new BigUint64Array(this.headers.buffer);
    const names = libc.addressOf(this.names);
    const vectors = libc.addressOf(this.#vectors);
    for (let i = 0; i < BATCH; i++) {
      const row = i * HEADER / 8;
      headers[row] = names + BigInt(i * SOCKADDR_ROW);
      headers[row + 2] = vectors + BigInt(i * IOVEC);
      headers[row + 3] = 1n;
      this.headerWords[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_ROW;
    }
  }

  /** Points row `i` at `length` bytes of memory. */
  setVector(i: number, base: bigint, length: number): void {
    this.#vectorBases[i * 2] = base;
    this.setLength(i, length);
  }

  setLength(i: number, length: number): void {
    this.#vectorWords[i * 4 + 2] = length;
  }
}

/** Memory for one batch of datagrams of any size; sockets take turns with it. */
export class ReceiveArea {
  readonly rows: HeaderRows;
  readonly bytes: ByteArea;

  constructor(libc: Libc) {
    const memory = pinned(BATCH * RECEIVE_STRIDE);
    this.bytes = byteArea(memory);
    this.rows = new HeaderRows(libc);
    const base = libc.addressOf(memory);
    for (let i = 0; i < BATCH; i++) {
      this.rows.setVector(i, base + BigInt(i * RECEIVE_STRIDE), MAX_DATAGRAM);
    }
  }
}
