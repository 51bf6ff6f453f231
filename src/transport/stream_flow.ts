import type { ByteArea } from "../lib/latin1.ts";
import { Framer, type FrameSink, type StreamFault } from "../sip/mod.ts";
import type { Arrival } from "./arrival.ts";
import type { CarrierSink } from "./carrier.ts";
import { Connection, type ConnectionHost, type Wire } from "./connection.ts";
import type { SocketAddress } from "./flow.ts";

/** What a connection that carries a stream of bytes needs of its listener. */
export interface StreamHost extends ConnectionHost {
  readonly arrival: Arrival;
  /** The most bytes of one message. */
  readonly messageBytes: number;
}

/** A connection whose bytes are cut into messages by their Content-Length, over TCP or TLS (RFC 3261 §18.3). */
export class StreamFlow extends Connection implements FrameSink, CarrierSink {
  readonly #host: StreamHost;
  readonly #framer: Framer;
  /** Whether anything was complete in what is being read. */
  #isNews = false;

  /** `isDialed`: we opened it, so that the peer owes us nothing yet. */
  constructor(host: StreamHost, wire: Wire, remote: SocketAddress, id: number, isDialed: boolean) {
    super(host, wire, remote, id, isDialed);
    this.#host = host;
    this.#framer = new Framer(host.messageBytes);
  }

  /** Takes bytes as they were read; keeps nothing of them. */
  read(bytes: Uint8Array): void {
    if (this.isGone || this.isEnding) return;
    // What is armed now is to count from now, also after a pause.
    this.#host.wheel.turn();
    if (this.isGone) return;
    this.#isNews = false;
    this.#framer.push(bytes, this);
    const { isPartial } = this.#framer;
    // What is unfinished after something whole has only just begun.
    if (this.#isNews || !isPartial) this.heard(true);
    if (isPartial) this.heard(false);
  }

  /** The peer sends no more, but may still listen. */
  ended(): void {
    this.closeWhenWritten("peer");
  }

  /** The connection was reset, or we have closed it. */
  gone(): void {
    this.close("peer");
  }

  /** @internal */
  message(bytes: ByteArea, start: number, end: number): void {
    this.#isNews = true;
    try {
      this.#host.arrival.message(bytes, start, end, this);
    } catch (error) {
      this.#host.onError(error);
    }
    if (this.isGone) this.#framer.stop();
  }

  /** @internal */
  ping(): void {
    this.#isNews = true;
    this.pong("\r\n");
  }

  /** @internal A request is still answered; what comes behind it is not looked at. */
  broken(fault: StreamFault, bytes: ByteArea, start: number, end: number): void {
    try {
      this.#host.arrival.broken(fault, bytes, start, end, this);
    } catch (error) {
      this.#host.onError(error);
    }
    this.closeWhenWritten("broken stream");
  }
}
