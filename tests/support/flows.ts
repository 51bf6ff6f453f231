import type { Clock } from "../../src/lib/clock.ts";
import type { Protocol } from "../../src/sip/mod.ts";
import {
  type Flow,
  FlowIds,
  type FlowWatcher,
  type SocketAddress,
  socketAddressText,
  type Transport,
} from "../../src/transport/mod.ts";
import { headline } from "./messages.ts";

/** Where the peer of a test is. */
export const PEER: SocketAddress = { address: "192.0.2.9", port: 5060 };

/** A listener without a socket: its flows keep what they are given. */
export class RecordingTransport implements Transport {
  readonly protocol: Protocol;
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly #clock: Clock | undefined;
  readonly #ids: FlowIds;
  readonly #flows = new Map<string, RecordingFlow>();

  constructor(protocol: Protocol = "udp", local = "192.0.2.1", clock?: Clock, ids = new FlowIds()) {
    this.protocol = protocol;
    this.local = { address: local, port: 5060 };
    this.sentBy = socketAddressText(this.local);
    this.#clock = clock;
    this.#ids = ids;
  }

  connect(remote: SocketAddress): RecordingFlow {
    const key = socketAddressText(remote);
    const known = this.#flows.get(key);
    if (known !== undefined && !known.isGone) return known;
    const flow = new RecordingFlow(this, remote, this.#ids.next(), this.#clock);
    this.#flows.set(key, flow);
    return flow;
  }

  /** Somebody has connected from `remote`. */
  accept(remote: SocketAddress): RecordingFlow {
    const flow = this.connect(remote);
    flow.isAccepted = true;
    return flow;
  }

  find(remote: SocketAddress): RecordingFlow | undefined {
    return this.protocol === "udp" ? this.connect(remote) : this.#flows.get(socketAddressText(remote));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A flow that keeps what it is given to send, and when that was. */
export class RecordingFlow implements Flow {
  readonly protocol: Protocol;
  isAccepted = false;
  readonly sent: string[] = [];
  /** When each of them was sent, in ms of the clock. */
  readonly times: number[] = [];
  readonly #clock: Clock | undefined;
  readonly #watchers = new Set<FlowWatcher>();
  #isClosed = false;

  constructor(
    readonly transport: Transport,
    readonly remote: SocketAddress,
    readonly id: number,
    clock: Clock | undefined,
  ) {
    this.protocol = transport.protocol;
    this.#clock = clock;
  }

  send(text: string): boolean {
    if (this.#isClosed) return false;
    this.sent.push(text);
    this.times.push(this.#clock?.monotonic() ?? 0);
    return true;
  }

  watch(watcher: FlowWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: FlowWatcher): void {
    this.#watchers.delete(watcher);
  }

  get isGone(): boolean {
    return this.#isClosed;
  }

  /** Takes nothing more, without telling anybody. */
  goDead(): void {
    this.#isClosed = true;
  }

  /** The connection is lost: everyone who watches is told. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of [...this.#watchers]) watcher.flowClosed(this);
  }

  /** How many want to know of its end. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** The headlines of what was sent. */
  get headlines(): string[] {
    return this.sent.map(headline);
  }
}
