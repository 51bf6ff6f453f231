import type { Clock } from "../../src/lib/clock.ts";
import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import {
  type Arrival,
  type DatagramSender,
  FlowIds,
  type SocketAddress,
  socketAddressText,
  UdpFlow,
} from "../../src/transport/mod.ts";

/** A datagram on its way. */
export interface Packet {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly text: string;
}

/** Milliseconds a datagram takes. */
const LATENCY = 1;

/** An IP network in memory: datagrams between its listeners, on a clock that is turned by hand. */
export class Network {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, MemoryListener>();
  #onTheWay: { readonly packet: Packet; readonly due: number }[] = [];
  /** Stops the deliveries; undefined while nothing is on the way. */
  #stop: (() => void) | undefined = undefined;

  /** Every datagram that was sent, lost ones included. */
  readonly sent: Packet[] = [];
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

  send(packet: Packet): void {
    this.sent.push(packet);
    if (this.loses(packet)) return;
    this.#onTheWay.push({ packet, due: this.#clock.monotonic() + LATENCY });
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
    for (const { packet } of due) {
      const to = socketAddressText(packet.to);
      if (this.refusing.has(to)) this.#listeners.get(socketAddressText(packet.from))?.refused(packet.to);
      else this.#listeners.get(to)?.take(packet);
    }
  }
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
    this.#network.send({ from: this.local, to: flow.remote, text });
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
