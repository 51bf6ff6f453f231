import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { TimerWheel } from "../lib/timer_wheel.ts";
import type { Protocol } from "../sip/mod.ts";
import type { Arrival } from "./arrival.ts";
import type { CloseReason, Connection, ConnectionHost, ConnectionOptions } from "./connection.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { type Flow, FlowError, type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import type { FlowIds } from "./udp_flow.ts";

/** What every listener for connections needs. */
export interface StreamParts {
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly arrival: Arrival;
  readonly log: Logger;
  readonly flowIds: FlowIds;
  readonly limits: ConnectionLimits;
  /** Every open connection of all listeners, by its id. */
  readonly byId: Map<number, Flow>;
  /** Told of what those throw who are told of a message or an end; the connection goes on. */
  readonly onError: (error: unknown) => void;
}

/** How one listener for connections is set up. */
export interface StreamOptions extends ConnectionOptions {
  /** ms a connection we open may take, its handshakes included. */
  readonly connect: number;
  /** ms a peer has for the handshakes of TLS and WebSocket. */
  readonly handshake: number;
}

/**
 * What all listeners for connections share: who is connected, by id and by address, and opening a connection at
 * most once at a time. Those who extend it accept, dial and read.
 */
export abstract class StreamTransport implements ConnectionHost {
  abstract readonly protocol: Protocol;
  abstract readonly local: SocketAddress;
  abstract readonly sentBy: string;

  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly options: StreamOptions;
  readonly onError: (error: unknown) => void;

  protected readonly parts: StreamParts;
  protected isClosing = false;
  /** Every connection, and what it is found by. */
  readonly #open = new Map<Connection, string | undefined>();
  readonly #byPeer = new Map<string, Connection>();
  readonly #dialing = new Map<string, Promise<Flow>>();
  #closed: Promise<void> | undefined = undefined;

  constructor(parts: StreamParts, options: StreamOptions) {
    this.parts = parts;
    this.wheel = parts.wheel;
    this.metrics = parts.metrics;
    this.onError = parts.onError;
    this.options = options;
  }

  /** The open connection to `peer`, or a new one; rejects with FlowError. */
  connect(peer: Peer): Flow | Promise<Flow> {
    const key = this.keyOf(peer);
    return this.#usable(key) ?? this.#dialing.get(key) ?? this.#dial(key, peer);
  }

  find(peer: Peer): Flow | undefined {
    return this.#usable(this.keyOf(peer));
  }

  /** Stops accepting, lets every connection write what it has, and ends them all. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  ended(connection: Connection, reason: CloseReason): void {
    const { log, limits } = this.parts;
    const key = this.#open.get(connection);
    this.parts.byId.delete(connection.id);
    this.#open.delete(connection);
    if (key !== undefined && this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    limits.release(connection.remote.address);
    if (log.debugs) {
      const { id, protocol, remote } = connection;
      log.debug("flow closed", { id, protocol, from: socketAddressText(remote), reason });
    }
  }

  /** Opens a connection to `peer` and hands it to `opened`; may reject with anything. */
  protected abstract dial(peer: Peer): Promise<Connection>;

  /** Stops accepting; resolves when the port is free. */
  protected abstract stopAccepting(): Promise<void>;

  /** What an open connection to `peer` is found by; those that must prove a name are found by that as well. */
  protected keyOf(peer: Peer): string {
    return socketAddressText(peer);
  }

  /** Whether one more connection from `address` is allowed; if so it counts until it has ended. */
  protected admit(address: string): boolean {
    if (!this.isClosing && this.parts.limits.admit(address)) return true;
    this.metrics.connectionsShed++;
    return false;
  }

  /** A connection was accepted, or opened; `key`: what it is found by, if it may be used for requests to there. */
  protected opened<C extends Connection>(connection: C, key?: string): C {
    this.#open.set(connection, key);
    this.parts.byId.set(connection.id, connection);
    if (key !== undefined) this.#byPeer.set(key, connection);
    this.metrics.connectionsOpened++;
    // It was being dialed when everything was told to end.
    if (this.isClosing) connection.close("stopping");
    return connection;
  }

  #usable(key: string): Connection | undefined {
    const connection = this.#byPeer.get(key);
    return connection?.isEnding === true ? undefined : connection;
  }

  #dial(key: string, peer: Peer): Promise<Flow> {
    const dialed = this.#dialOnce(peer).finally(() => this.#dialing.delete(key));
    this.#dialing.set(key, dialed);
    return dialed;
  }

  async #dialOnce(peer: Peer): Promise<Flow> {
    const place = `${this.protocol}:${socketAddressText(peer)}`;
    if (this.isClosing) throw new FlowError(`Cannot connect to ${place}: the listener is closed`);
    if (!this.admit(peer.address)) throw new FlowError(`Cannot connect to ${place}: too many connections`);
    try {
      return await this.dial(peer);
    } catch (cause) {
      this.parts.limits.release(peer.address);
      this.metrics.connectsFailed++;
      throw new FlowError(`Cannot connect to ${place}: ${reasonText(cause)}`, { cause });
    }
  }

  async #close(): Promise<void> {
    this.isClosing = true;
    await this.stopAccepting();
    await Promise.allSettled(this.#dialing.values());
    const open = [...this.#open.keys()];
    const ends = open.map((connection) =>
      new Promise<void>((resolve) => connection.watch({ flowClosed: () => resolve() }))
    );
    for (const connection of open) connection.closeWhenWritten("stopping");
    await Promise.all(ends);
  }
}

/** What an error of the runtime says, as the end of a message of ours: `connection refused`. */
export function reasonText(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/ \(os error \d+\)$/, "").replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}
