import type { Flow, FlowWatcher, SocketAddress, Transport } from "./flow.ts";

/** Where the flows of a UDP listener leave their messages. */
export interface DatagramSender extends Transport {
  /** Takes `text` for the peer of `flow`; false if it can never be sent. */
  sendTo(flow: UdpFlow, text: string): boolean;
}

/** Bytes that fit the payload of an IPv4 datagram; a longer message cannot be sent. */
export const MAX_PAYLOAD = 65_507;

/** A listener and a remote address: all there is to a flow over UDP (RFC 5626 §2.1). */
export class UdpFlow implements Flow {
  readonly protocol = "udp";
  readonly isAccepted = false;
  /** Set and reset by its socket. */
  isGone = false;
  readonly #sender: DatagramSender;
  #watchers: Set<FlowWatcher> | undefined = undefined;

  constructor(
    readonly id: number,
    readonly transport: DatagramSender,
    readonly remote: SocketAddress,
    /** The remote address as the sender's socket wants it. */
    readonly socketAddress: Uint32Array,
  ) {
    this.#sender = transport;
  }

  send(text: string): boolean {
    return this.#sender.sendTo(this, text);
  }

  watch(watcher: FlowWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: FlowWatcher): void {
    this.#watchers?.delete(watcher);
  }

  /**
   * A datagram could not be sent, or did not arrive: tells everyone who waits for an answer over it. The flow may
   * work again later. Throws what the first of them throws, once all are told.
   */
  failed(): void {
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    this.#watchers = undefined;
    const errors: unknown[] = [];
    for (const watcher of watchers) {
      try {
        watcher.flowClosed(this);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Hands out flow ids, each once. */
export class FlowIds {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

/**
 * The flows of one UDP listener, so that packets of one peer share one. Holds at most twice `capacity`: the
 * ones not used lately are forgotten, which costs their peers nothing but a new object.
 */
export class UdpFlowCache<K> {
  readonly #capacity: number;
  #young: Map<K, UdpFlow> = new Map();
  #old: Map<K, UdpFlow> = new Map();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: K): UdpFlow | undefined {
    const flow = this.#young.get(key);
    if (flow !== undefined) return flow;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, flow: UdpFlow): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, flow);
  }
}
