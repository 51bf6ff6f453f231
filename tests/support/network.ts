import type { Clock } from "../../src/lib/clock.ts";
import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import type { Protocol } from "../../src/sip/mod.ts";
import {
  type Arrival,
  type DatagramSender,
  FlowIds,
  type SocketAddress,
  socketAddressText,
  UdpFlow,
} from "../../src/transport/mod.ts";

/** A message on its way. */
export interface Packet {
  readonly protocol: Protocol;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly text: string;
}

/** Milliseconds anything takes to get there. */
const LATENCY = 1;

/** One side of a connection. */
export interface Endpoint {
  /** What the other side has sent has arrived. */
  take(text: string): void;
  /** The connection has ended. */
  end(): void;
}

/** What accepts connections. */
export interface Acceptor {
  readonly protocol: Protocol;
  readonly local: SocketAddress;
  /** Somebody has connected; undefined turns it away. */
  accept(line: Line): Endpoint | undefined;
}

/** An IP network in memory: datagrams and connections between its listeners, on a clock that is turned by hand. */
export class Network {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #acceptors = new Map<string, Acceptor>();
  #onTheWay: { readonly arrive: () => void; readonly due: number }[] = [];
  /** Stops the deliveries; undefined while nothing is on the way. */
  #stop: (() => void) | undefined = undefined;
  #lastPort = 40_000;

  /** Every message that was sent, lost ones included. */
  readonly sent: Packet[] = [];
  /** Where connections were opened to, refused ones included: `tcp:192.0.2.1:5060`. */
  readonly dialed: string[] = [];
  /** Decides which datagrams never arrive. */
  loses: (packet: Packet) => boolean = () => false;
  /** Addresses nothing can be sent to: the sender is told. */
  readonly unreachable = new Set<string>();
  /** Addresses whose hosts say that nobody listens there: the sender is told when the datagram has arrived. */
  readonly refusing = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A listener at an address; what arrives there goes to `arrival`. */
  listen(address: SocketAddress, arrival: Arrival): MemoryListener {
    const listener = new MemoryListener(this, address, arrival);
    this.#listeners.set(socketAddressText(address), listener);
    return listener;
  }

  /** Has connections to its address accepted. */
  accept(acceptor: Acceptor): void {
    this.#acceptors.set(placeOf(acceptor.protocol, acceptor.local), acceptor);
  }

  stopAccepting({ protocol, local }: Acceptor): void {
    this.#acceptors.delete(placeOf(protocol, local));
  }

  /** Opens a connection from a free port of `address`; undefined if it is refused. */
  dial(protocol: Protocol, address: string, to: SocketAddress): Promise<Line | undefined> {
    const place = placeOf(protocol, to);
    this.dialed.push(place);
    const from = { address, port: this.#lastPort++ };
    return new Promise((resolve) =>
      this.later(() => {
        const acceptor = this.#acceptors.get(place);
        const line = new Line(this, protocol, from, to);
        const callee = acceptor?.accept(line);
        if (callee !== undefined) line.callee = callee;
        resolve(callee === undefined ? undefined : line);
      })
    );
  }

  send(packet: Packet): void {
    this.sent.push(packet);
    if (this.loses(packet)) return;
    this.later(() => {
      const to = socketAddressText(packet.to);
      if (this.refusing.has(to)) this.#listeners.get(socketAddressText(packet.from))?.refused(packet.to);
      else this.#listeners.get(to)?.take(packet);
    });
  }

  /** Has something happen when as much time has gone by as anything takes to get there; in order. */
  later(arrive: () => void): void {
    this.#onTheWay.push({ arrive, due: this.#clock.monotonic() + LATENCY });
    this.#stop ??= this.#clock.every(LATENCY, () => this.#deliver());
  }

  remove(listener: MemoryListener): void {
    this.#listeners.delete(socketAddressText(listener.local));
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #deliver(): void {
    const now = this.#clock.monotonic();
    const due = this.#onTheWay.filter((item) => item.due <= now);
    this.#onTheWay = this.#onTheWay.filter((item) => item.due > now);
    if (this.#onTheWay.length === 0) this.close();
    for (const { arrive } of due) arrive();
  }
}

/** What connects the two sides of a connection. */
export class Line {
  /** The side that was called, and the one that called. */
  callee: Endpoint | undefined = undefined;
  caller: Endpoint | undefined = undefined;
  readonly #network: Network;
  readonly #protocol: Protocol;
  #isCut = false;

  constructor(
    network: Network,
    protocol: Protocol,
    readonly from: SocketAddress,
    readonly to: SocketAddress,
  ) {
    this.#network = network;
    this.#protocol = protocol;
  }

  /** Sends from one side to the other. */
  send(isFromCaller: boolean, text: string): void {
    const [from, to] = isFromCaller ? [this.from, this.to] : [this.to, this.from];
    this.#network.sent.push({ protocol: this.#protocol, from, to, text });
    this.#network.later(() => {
      if (!this.#isCut) (isFromCaller ? this.callee : this.caller)?.take(text);
    });
  }

  /** One side has hung up: the other learns of it behind what is on its way to it. */
  hangUp(isCaller: boolean): void {
    this.#network.later(() => (isCaller ? this.callee : this.caller)?.end());
  }

  /** Both sides learn at once that it is no more, and what is on its way is lost. */
  cut(): void {
    this.#isCut = true;
    this.callee?.end();
    this.caller?.end();
  }
}

function placeOf(protocol: Protocol, address: SocketAddress): string {
  return `${protocol}:${socketAddressText(address)}`;
}

/** A UDP listener in memory. */
export class MemoryListener implements DatagramSender {
  readonly protocol = "udp";
  readonly sentBy: string;
  readonly #network: Network;
  readonly #arrival: Arrival;
  readonly #ids = new FlowIds();
  readonly #flows = new Map<string, UdpFlow>();

  constructor(network: Network, readonly local: SocketAddress, arrival: Arrival) {
    this.#network = network;
    this.#arrival = arrival;
    this.sentBy = socketAddressText(local);
  }

  connect(remote: SocketAddress): UdpFlow {
    const key = socketAddressText(remote);
    const known = this.#flows.get(key);
    if (known !== undefined) return known;
    const flow = new UdpFlow(this.#ids.next(), this, remote, new Uint32Array(0));
    this.#flows.set(key, flow);
    return flow;
  }

  find(remote: SocketAddress): UdpFlow {
    return this.connect(remote);
  }

  sendTo(flow: UdpFlow, text: string): boolean {
    if (this.#network.unreachable.has(socketAddressText(flow.remote))) return false;
    this.#network.send({ protocol: "udp", from: this.local, to: flow.remote, text });
    return true;
  }

  take({ from, text }: Packet): void {
    const bytes = latin1Bytes(text);
    const flow = this.connect(from);
    flow.isGone = false;
    this.#arrival.datagram(byteArea(bytes), 0, bytes.length, flow);
  }

  refused(by: SocketAddress): void {
    const flow = this.connect(by);
    flow.isGone = true;
    flow.failed();
  }

  close(): Promise<void> {
    this.#network.remove(this);
    return Promise.resolve();
  }
}
