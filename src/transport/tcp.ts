import { setImmediate } from "node:timers";
import { canonicalIp } from "../lib/ip_address.ts";
import { encodeLatin1 } from "../lib/latin1.ts";
import { Timer } from "../lib/timer_wheel.ts";
import type { Arrival } from "./arrival.ts";
import type { Wire } from "./connection.ts";
import { FlowError, type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { StreamFlow, type StreamHost } from "./stream_flow.ts";
import { reasonText, type StreamOptions, type StreamParts, StreamTransport } from "./stream_transport.ts";

/** How a TCP listener is set up. */
export interface TcpOptions extends StreamOptions {
  /** Host and port by which peers reach it, IPv6 in brackets; where it listens if left out. */
  readonly sentBy?: string;
  /** The most bytes of one message. */
  readonly messageBytes: number;
}

/** Bytes of the buffer in which an idle connection waits for more; most messages fit. */
const SMALL = 1024;

/** Full large buffers in a row after which a connection lets the others have their turn. */
const TURN = 8;

/** The most bytes that are handed to the runtime at once, unless a single message is longer. */
const PIECE = 65_536;

/** ms to wait when no connection can be accepted, as when there are no file descriptors left. */
const ACCEPT_PAUSE = 100;

/** Connections over TCP: those it accepts at one address, and those it opens (RFC 3261 §18). */
export class TcpTransport extends StreamTransport implements StreamHost {
  readonly protocol = "tcp";
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly arrival: Arrival;
  readonly messageBytes: number;

  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  readonly #dials = new Set<Dial>();
  readonly #buffers = new ReadBuffers();

  /** Opens it and starts accepting; throws FlowError. */
  constructor(parts: StreamParts, { address, port }: SocketAddress, options: TcpOptions) {
    super(parts, options);
    this.arrival = parts.arrival;
    this.messageBytes = options.messageBytes;
    try {
      this.#listener = Deno.listen({ transport: "tcp", hostname: address, port });
    } catch (cause) {
      const place = socketAddressText({ address, port });
      throw new FlowError(`Cannot listen on tcp:${place}: ${reasonText(cause)}`, { cause });
    }
    this.local = addressOf(this.#listener.addr);
    this.sentBy = options.sentBy ?? socketAddressText(this.local);
    this.#accepting = this.#accept();
  }

  protected async stopAccepting(): Promise<void> {
    for (const dial of this.#dials) dial.giveUp("the listener is closed");
    this.#listener.close();
    await this.#accepting;
  }

  protected async dial({ address, port }: Peer): Promise<StreamFlow> {
    const dial = new Dial();
    this.#dials.add(dial);
    this.wheel.arm(dial, this.options.connect);
    try {
      const { signal } = dial;
      const conn = await Deno.connect({ transport: "tcp", hostname: address, port, signal });
      return this.#start(conn, { address, port }, true);
    } finally {
      this.wheel.disarm(dial);
      this.#dials.delete(dial);
    }
  }

  /** Goes on until the listener is closed, whatever keeps it from accepting. */
  async #accept(): Promise<void> {
    let isFailing = false;
    while (!this.isClosing) {
      try {
        this.#welcome(await this.#listener.accept());
        isFailing = false;
      } catch (error) {
        if (this.isClosing) return;
        if (!isFailing) {
          const at = `tcp:${socketAddressText(this.local)}`;
          this.parts.log.warn("cannot accept connections", { at, reason: reasonText(error) });
        }
        isFailing = true;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }

  #welcome(conn: Deno.TcpConn): void {
    const remote = addressOf(conn.remoteAddr);
    if (this.admit(remote.address)) this.#start(conn, remote, false);
    else conn.close();
  }

  #start(conn: Deno.TcpConn, remote: SocketAddress, isDialed: boolean): StreamFlow {
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // It is gone already, as reading will tell.
    }
    const flow = new StreamFlow(this, new TcpWire(conn), remote, this.parts.flowIds.next(), isDialed);
    this.opened(flow, socketAddressText(remote));
    this.#read(conn, flow);
    return flow;
  }

  async #read(conn: Deno.TcpConn, flow: StreamFlow): Promise<void> {
    const small = new Uint8Array(SMALL);
    let large: Uint8Array<ArrayBuffer> | undefined;
    let full = 0;
    try {
      for (;;) {
        const buffer = large ?? small;
        const count = await conn.read(buffer);
        // The peer may still listen.
        if (count === null) return flow.closeWhenWritten("peer");
        flow.read(buffer.subarray(0, count));
        if (count < buffer.length) {
          if (large !== undefined) this.#buffers.giveBack(large);
          large = undefined;
          full = 0;
        } else {
          large ??= this.#buffers.lend();
          if (++full % TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
        }
        const caughtUp = flow.caughtUp();
        if (caughtUp !== undefined) await caughtUp;
      }
    } catch {
      // It was reset, or we have closed it.
      flow.close("peer");
    } finally {
      if (large !== undefined) this.#buffers.giveBack(large);
    }
  }
}

/** One connection that is being opened, and its deadline. */
class Dial extends Timer {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  giveUp(reason: string): void {
    this.#controller.abort(new Error(reason));
  }

  override onTimer(): void {
    this.giveUp("no answer in time");
  }
}

/** Writes to a connection of the runtime. */
class TcpWire implements Wire {
  readonly #conn: Deno.TcpConn;
  #isClosed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async write(texts: readonly string[]): Promise<void> {
    for (let next = 0; next < texts.length;) {
      const first = next;
      let length = 0;
      do length += texts[next++].length; while (next < texts.length && length + texts[next].length <= PIECE);
      const piece = new Uint8Array(length);
      let at = 0;
      for (let i = first; i < next; i++) at += encodeLatin1(texts[i], piece, at);
      for (let written = 0; written < length;) {
        written += await this.#conn.write(written === 0 ? piece : piece.subarray(written));
      }
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }
}

/** An address as it is compared: an IPv4 peer of an IPv6 socket is shown as what it is. */
function addressOf(addr: Deno.Addr): SocketAddress {
  const { hostname, port } = addr as Deno.NetAddr;
  return { address: canonicalIp(hostname) ?? hostname, port };
}
