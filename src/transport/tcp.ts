import { encodeLatin1 } from "../lib/latin1.ts";
import type { Arrival } from "./arrival.ts";
import { type Carrier, pieceEnd } from "./carrier.ts";
import { ConnCarrier } from "./conn_carrier.ts";
import type { Wire } from "./connection.ts";
import { DialDeadline } from "./dial_deadline.ts";
import { type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { StreamFlow, type StreamHost } from "./stream_flow.ts";
import { type StreamOptions, type StreamParts, StreamTransport } from "./stream_transport.ts";
import { TcpListener } from "./tcp_listener.ts";

/** How a TCP listener is set up. */
export interface TcpOptions extends StreamOptions {
  /** Host and port by which peers reach it, IPv6 in brackets; where it listens if left out. */
  readonly sentBy?: string;
  /** The most bytes of one message. */
  readonly messageBytes: number;
}

/** Connections over TCP: those it accepts at one address, and those it opens (RFC 3261 §18). */
export class TcpTransport extends StreamTransport implements StreamHost {
  readonly protocol = "tcp";
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly arrival: Arrival;
  readonly messageBytes: number;

  readonly #listener: TcpListener;
  readonly #dials = new Set<DialDeadline>();
  readonly #buffers = new ReadBuffers();

  /** Opens it and starts accepting; throws FlowError. */
  constructor(parts: StreamParts, address: SocketAddress, options: TcpOptions) {
    super(parts, options);
    this.arrival = parts.arrival;
    this.messageBytes = options.messageBytes;
    this.#listener = new TcpListener({
      log: parts.log,
      protocol: "tcp",
      onConnection: (conn, remote) => this.#welcome(conn, remote),
    }, address);
    this.local = this.#listener.local;
    this.sentBy = options.sentBy ?? socketAddressText(this.local);
  }

  protected stopAccepting(): Promise<void> {
    for (const dial of this.#dials) dial.giveUp("the listener is closed");
    return this.#listener.close();
  }

  protected async dial({ address, port }: Peer): Promise<StreamFlow> {
    const dial = new DialDeadline("no answer in time");
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

  #welcome(conn: Deno.TcpConn, remote: SocketAddress): void {
    if (this.admit(remote.address)) this.#start(conn, remote, false);
    else conn.close();
  }

  #start(conn: Deno.TcpConn, remote: SocketAddress, isDialed: boolean): StreamFlow {
    const carrier = new ConnCarrier(conn, remote, this.#buffers);
    const flow = new StreamFlow(this, new TcpWire(carrier), remote, this.parts.flowIds.next(), isDialed);
    this.opened(flow, socketAddressText(remote));
    carrier.start(flow);
    return flow;
  }
}

/** Writes messages one behind the other. */
class TcpWire implements Wire {
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  async write(texts: readonly string[]): Promise<void> {
    for (let first = 0; first < texts.length;) {
      const end = pieceEnd(texts, first);
      let length = 0;
      for (let i = first; i < end; i++) length += texts[i].length;
      const piece = new Uint8Array(length);
      for (let at = 0; first < end; first++) at += encodeLatin1(texts[first], piece, at);
      await this.#carrier.write(piece);
    }
  }

  close(): void {
    this.#carrier.close();
  }
}
