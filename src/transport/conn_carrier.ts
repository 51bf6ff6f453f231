import { setImmediate } from "node:timers";
import type { Carrier, CarrierOwner, CarrierSink } from "./carrier.ts";
import type { SocketAddress } from "./flow.ts";
import type { ReadBuffers } from "./read_buffers.ts";

/** Bytes of the buffer in which an idle connection waits for more; most messages fit. */
const SMALL = 1024;

/** Full large buffers in a row after which a connection lets the others have their turn. */
const TURN = 8;

/** A TCP connection of the runtime. */
export class ConnCarrier implements Carrier {
  readonly remote: SocketAddress;
  readonly #conn: Deno.TcpConn;
  readonly #buffers: ReadBuffers;
  readonly #owner: CarrierOwner | undefined;
  #sink: CarrierSink | undefined = undefined;
  #writing: Promise<void> | undefined = undefined;
  #isClosed = false;

  constructor(conn: Deno.TcpConn, remote: SocketAddress, buffers: ReadBuffers, owner?: CarrierOwner) {
    this.remote = remote;
    this.#conn = conn;
    this.#buffers = buffers;
    this.#owner = owner;
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // It is gone already, as reading will tell.
    }
  }

  start(sink: CarrierSink): void {
    this.#sink = sink;
    this.#read();
  }

  passTo(sink: CarrierSink): void {
    this.#sink = sink;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Of two at a time the bytes could mix.
    while (this.#writing !== undefined) await this.#writing;
    const writing = this.#writing = this.#writeAll(bytes);
    try {
      await writing;
    } finally {
      this.#writing = undefined;
    }
  }

  endWriting(): void {
    // Who has gone needs not be told.
    if (!this.#isClosed) this.#conn.closeWrite().catch(() => {});
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#owner?.carrierClosed(this);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let written = await this.#conn.write(bytes);
    while (written < bytes.length) written += await this.#conn.write(bytes.subarray(written));
  }

  async #read(): Promise<void> {
    const small = new Uint8Array(SMALL);
    let large: Uint8Array<ArrayBuffer> | undefined;
    let full = 0;
    try {
      for (;;) {
        const buffer = large ?? small;
        const count = await this.#conn.read(buffer);
        if (count === null) return this.#sink!.ended();
        this.#sink!.read(buffer.subarray(0, count));
        if (count < buffer.length) {
          if (large !== undefined) this.#buffers.giveBack(large);
          large = undefined;
          full = 0;
        } else {
          large ??= this.#buffers.lend();
          if (++full % TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
        }
        const caughtUp = this.#sink!.caughtUp();
        if (caughtUp !== undefined) await caughtUp;
      }
    } catch {
      // It was reset, or we have closed it.
      this.#sink!.gone();
    } finally {
      if (large !== undefined) this.#buffers.giveBack(large);
    }
  }
}
