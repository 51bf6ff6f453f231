import { latin1Bytes } from "../../src/lib/latin1.ts";
import type { Protocol } from "../../src/sip/mod.ts";
import type { Wire } from "../../src/transport/connection.ts";
import { type Arrival, type SocketAddress, socketAddressText } from "../../src/transport/mod.ts";
import { StreamFlow, type StreamHost } from "../../src/transport/stream_flow.ts";
import {
  type StreamOptions,
  type StreamParts,
  StreamTransport,
} from "../../src/transport/stream_transport.ts";
import type { Acceptor, Endpoint, Line, Network } from "./network.ts";

/** Milliseconds long enough that no deadline of a connection plays a part. */
const NEVER = 86_400_000;

const OPTIONS: StreamOptions = {
  connect: NEVER,
  handshake: NEVER,
  firstByte: NEVER,
  wholeMessage: NEVER,
  idle: NEVER,
  writeQueue: 1 << 20,
};

/** How a listener for connections in memory is set up. */
export interface MemoryTransportOptions {
  readonly protocol: Protocol;
  readonly local: SocketAddress;
  /** Whether it accepts connections, and does not only open them. */
  readonly isListening: boolean;
}

/** Connections in memory: the real ones but for sockets, TLS and WebSocket frames. */
export class MemoryTransport extends StreamTransport implements StreamHost, Acceptor {
  readonly protocol: Protocol;
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly arrival: Arrival;
  readonly messageBytes = 65_536;
  readonly #network: Network;

  constructor(network: Network, parts: StreamParts, options: MemoryTransportOptions) {
    super(parts, OPTIONS);
    const { protocol, local, isListening } = options;
    this.protocol = protocol;
    this.local = local;
    this.sentBy = socketAddressText(local);
    this.arrival = parts.arrival;
    this.#network = network;
    if (isListening) network.accept(this);
  }

  accept(line: Line): MemoryFlow | undefined {
    return this.admit(line.from.address) ? this.#start(line, line.from, false) : undefined;
  }

  protected async dial(to: SocketAddress): Promise<MemoryFlow> {
    const line = await this.#network.dial(this.protocol, this.local.address, to);
    if (line === undefined) throw new Error("connection refused");
    return line.caller = this.#start(line, to, true);
  }

  protected stopAccepting(): Promise<void> {
    this.#network.stopAccepting(this);
    return Promise.resolve();
  }

  #start(line: Line, remote: SocketAddress, isDialed: boolean): MemoryFlow {
    const flow = new MemoryFlow(this, line, remote, this.parts.flowIds.next(), isDialed);
    const isFound = isDialed || this.protocol === "tcp" || this.protocol === "tls";
    return this.opened(flow, isFound ? socketAddressText(remote) : undefined);
  }
}

/** One side of a connection in memory. */
export class MemoryFlow extends StreamFlow implements Endpoint {
  readonly line: Line;

  constructor(host: MemoryTransport, line: Line, remote: SocketAddress, id: number, isDialed: boolean) {
    super(host, new LineWire(line, isDialed), remote, id, isDialed);
    this.line = line;
  }

  take(text: string): void {
    this.read(latin1Bytes(text));
  }

  end(): void {
    this.close("peer");
  }
}

class LineWire implements Wire {
  readonly #line: Line;
  readonly #isCaller: boolean;

  constructor(line: Line, isCaller: boolean) {
    this.#line = line;
    this.#isCaller = isCaller;
  }

  write(texts: readonly string[]): Promise<void> {
    for (const text of texts) this.#line.send(this.#isCaller, text);
    return Promise.resolve();
  }

  close(): void {
    this.#line.hangUp(this.#isCaller);
  }
}
