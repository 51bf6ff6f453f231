import { setImmediate } from "node:timers";
import { type BatchParts, BatchSocket } from "./batch_socket.ts";
import { FlowError } from "./flow.ts";
import { errorText, type Libc, pinned } from "./libc.ts";
import type { ListenAddress, UdpSocketOptions } from "./udp_options.ts";
import { ErrorArea } from "./udp_errors.ts";
import { ReceiveArea } from "./udp_rows.ts";

/**
 * UDP by the batch: one recvmmsg takes up to 64 datagrams, everything they cause is answered by one sendmmsg,
 * and one thread of the runtime's pool waits in poll for all sockets. Numbers are those of Linux.
 */

const POLLIN = 1;
const POLLERR = 8;
/** `struct pollfd`. */
const POLLED = 8;
const REVENTS = 6;
const EFD_NONBLOCK_CLOEXEC = 0o2004000;

/**
 * Waits for all batched sockets of the process at once, and lets each read a batch in turn. With its last
 * socket it gives back the C library, and opens no more.
 */
export class UdpReactor {
  readonly #parts: BatchParts;
  readonly #received: ReceiveArea;
  readonly #sockets: BatchSocket[] = [];
  readonly #retiring: { readonly socket: BatchSocket; readonly done: () => void }[] = [];
  /** An eventfd among the polled descriptors; -1 while nothing is polled. */
  #wakeUp = -1;
  #polled = pinned(0);
  /** What the poll in flight reads and writes: only this keeps it from being collected. */
  #inFlight = this.#polled;

  constructor(parts: Omit<BatchParts, "errors">) {
    this.#parts = { ...parts, errors: new ErrorArea(parts.libc) };
    this.#received = new ReceiveArea(parts.libc);
  }

  /** Opens a socket and starts reading it; throws FlowError. */
  listen(address: ListenAddress, options: UdpSocketOptions): BatchSocket {
    const socket: BatchSocket = new BatchSocket(this.#parts, address, options, () => this.#retire(socket));
    this.#sockets.push(socket);
    const isRunning = this.#wakeUp >= 0;
    if (!isRunning) this.#wakeUp = openWakeUp(this.#parts.libc);
    this.#watch();
    if (isRunning) this.#wake();
    else this.#run().catch(this.#parts.onError);
    return socket;
  }

  /** For when no socket could be opened: the others give the C library back when the last of them closes. */
  abandon(): void {
    if (this.#sockets.length === 0) this.#parts.libc.close();
  }

  #wake(): void {
    const one = pinned(8);
    one[0] = 1;
    this.#parts.libc.call.write(this.#wakeUp, one, 8n);
  }

  /** One `struct pollfd` a socket, the wake-up first. */
  #watch(): void {
    // New memory, not the old resized: a poll in flight still reads that.
    const polled = pinned((this.#sockets.length + 1) * POLLED);
    const view = new DataView(polled.buffer);
    [this.#wakeUp, ...this.#sockets.map(({ fd }) => fd)].forEach((fd, i) => {
      view.setInt32(i * POLLED, fd, true);
      view.setInt16(i * POLLED + 4, POLLIN, true);
    });
    this.#polled = polled;
  }

  async #run(): Promise<void> {
    const { libc } = this.#parts;
    const wakeUps = pinned(8);
    while (this.#sockets.length > 0) {
      await this.#poll(-1);
      libc.call.read(this.#wakeUp, wakeUps, 8n);
      this.#release();
      for (let turn = 1; this.#retiring.length === 0 && this.#readAll(); turn++) {
        // setImmediate lets timers run but starves the runtime's own sockets; a poll now and then does not.
        if (turn % 8 === 0) await this.#poll(0);
        else await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
    libc.call.close(this.#wakeUp);
    this.#wakeUp = -1;
    libc.close();
  }

  async #poll(timeout: number): Promise<void> {
    const polled = this.#inFlight = this.#polled;
    await this.#parts.libc.call.poll(polled, BigInt(this.#sockets.length + 1), timeout);
    // An error that nobody takes would end every poll at once. Reading alone need not meet it.
    this.#sockets.forEach((socket, i) => {
      if ((polled[(i + 1) * POLLED + REVENTS] & POLLERR) !== 0) socket.readErrors();
    });
  }

  /** Whether any socket had something to read. */
  #readAll(): boolean {
    let any = false;
    this.#parts.onTurn();
    for (const socket of this.#sockets) {
      try {
        if (socket.readBatch(this.#received)) any = true;
      } catch (error) {
        any = true;
        this.#parts.onError(error);
      }
    }
    return any;
  }

  #retire(socket: BatchSocket): Promise<void> {
    return new Promise((done) => {
      this.#retiring.push({ socket, done });
      this.#wake();
    });
  }

  /** Closes the sockets that are to go, now that no poll is in flight that could see their numbers reused. */
  #release(): void {
    if (this.#retiring.length === 0) return;
    for (const { socket, done } of this.#retiring.splice(0)) {
      this.#sockets.splice(this.#sockets.indexOf(socket), 1);
      socket.release();
      done();
    }
    this.#watch();
  }
}

function openWakeUp(libc: Libc): number {
  const fd = libc.call.eventfd(0, EFD_NONBLOCK_CLOEXEC);
  if (fd < 0) throw new FlowError(`Cannot make an eventfd: ${errorText(libc.errno())}`);
  return fd;
}
