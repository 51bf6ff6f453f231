import { bracketed } from "../lib/ip_address.ts";
import type { WsPolicy } from "../websocket/mod.ts";
import type { Carrier, CarrierOwner } from "./carrier.ts";
import { ConnCarrier } from "./conn_carrier.ts";
import type { Connection } from "./connection.ts";
import { DialDeadline } from "./dial_deadline.ts";
import { FlowError, type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { type StreamOptions, type StreamParts, StreamTransport } from "./stream_transport.ts";
import { TcpListener } from "./tcp_listener.ts";
import { TlsCarrier } from "./tls_carrier.ts";
import { TlsDial } from "./tls_dial.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { TlsListener } from "./tls_listener.ts";
import { WsClientHandshake } from "./ws_client_handshake.ts";
import { WsFlow, type WsFlowParts } from "./ws_flow.ts";
import { type HandshakeHost, WsHandshake } from "./ws_handshake.ts";

/** How a listener for WebSockets is set up; times in ms. */
export interface WsOptions extends StreamOptions, WsPolicy {
  readonly protocol: "ws" | "wss";
  /** Host and port peers reach it by; its own if left out. */
  readonly sentBy?: string;
  /** The most bytes of one message. */
  readonly messageBytes: number;
  /** From one Ping frame to the next. */
  readonly pingInterval: number;
  /** From a Ping frame until something must have come. */
  readonly pongTimeout: number;
  /** Required for wss. */
  readonly identity?: TlsIdentity;
}

/** Connections too many that are told so at the same time; beyond them there is not even a word. */
const MAX_TURNED_AWAY = 64;

/** SIP over WebSocket (RFC 7118), with TLS under it or without. */
export class WsTransport extends StreamTransport implements HandshakeHost, CarrierOwner {
  readonly protocol: "ws" | "wss";
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly policy: WsPolicy;

  readonly #options: WsOptions;
  readonly #flowParts: WsFlowParts;
  readonly #buffers = new ReadBuffers();
  readonly #listener: TcpListener | TlsListener;
  readonly #handshakes = new Set<WsHandshake>();
  #turnedAway = 0;
  readonly #dials = new Set<DialDeadline>();
  /** Every connection that is not closed yet. */
  readonly #carriers = new Set<Carrier>();
  #allClosed: PromiseWithResolvers<void> | undefined = undefined;
  #ended: Promise<void> | undefined = undefined;

  /** Opens the port; throws FlowError. */
  constructor(parts: StreamParts, address: SocketAddress, options: WsOptions) {
    super(parts, options);
    const { protocol, path, messageBytes, pingInterval, pongTimeout, origins } = options;
    this.protocol = protocol;
    this.policy = { path, origins: origins.map((origin) => origin.toLowerCase()) };
    this.#options = options;
    this.#flowParts = { host: this, arrival: parts.arrival, messageBytes, pingInterval, pongTimeout };
    this.#listener = this.#listen(address);
    this.local = this.#listener.local;
    this.sentBy = options.sentBy ?? socketAddressText(this.local);
  }

  override close(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  carrierClosed(carrier: Carrier): void {
    this.#carriers.delete(carrier);
    if (this.#carriers.size === 0) this.#allClosed?.resolve();
  }

  upgraded(handshake: WsHandshake, answer: Uint8Array, rest: Uint8Array): void {
    this.wheel.disarm(handshake);
    this.#handshakes.delete(handshake);
    const { carrier } = handshake;
    const flow = this.#flow(carrier, false);
    carrier.write(answer).catch(() => flow.gone());
    this.opened(flow);
    if (rest.length > 0) flow.read(rest);
  }

  failed(handshake: WsHandshake): void {
    const { carrier, isAdmitted, isAnswered } = handshake;
    this.wheel.disarm(handshake);
    this.#handshakes.delete(handshake);
    if (isAdmitted) this.parts.limits.release(carrier.remote.address);
    else this.#turnedAway--;
    if (!isAnswered && isAdmitted && !this.isClosing) this.metrics.handshakesFailed++;
  }

  protected override async dial(peer: Peer): Promise<Connection> {
    const { connect } = this.#options;
    const dial = new DialDeadline(`no WebSocket within ${connect} ms`);
    this.#dials.add(dial);
    this.wheel.arm(dial, connect);
    try {
      return await this.#upgrade(await this.#carrierTo(peer, dial), peer, dial);
    } finally {
      this.wheel.disarm(dial);
      this.#dials.delete(dial);
    }
  }

  protected override stopAccepting(): Promise<void> {
    for (const handshake of this.#handshakes) handshake.close();
    for (const dial of this.#dials) dial.giveUp("the listener is closed");
    return this.#listener.close();
  }

  protected override keyOf(peer: Peer): string {
    return `${socketAddressText(peer)} ${peer.host ?? ""}`;
  }

  async #end(): Promise<void> {
    await super.close();
    // Flows are over when they are told to close; their connections may need a little longer.
    if (this.#carriers.size === 0) return;
    this.#allClosed = Promise.withResolvers();
    await this.#allClosed.promise;
  }

  #listen(address: SocketAddress): TcpListener | TlsListener {
    const { protocol, identity } = this.#options;
    const { log, wheel } = this.parts;
    if (protocol === "ws") {
      const onConnection = (conn: Deno.TcpConn, remote: SocketAddress) =>
        this.#accepted(new ConnCarrier(conn, remote, this.#buffers, this));
      return new TcpListener({ log, protocol, onConnection }, address);
    }
    if (identity === undefined) throw new FlowError("Cannot listen on wss without a certificate");
    return new TlsListener({
      log,
      wheel,
      protocol,
      identity,
      owner: this,
      onConnection: (carrier) => this.#accepted(carrier),
      onRevived: () => this.metrics.listenersRevived++,
    }, address);
  }

  #accepted(carrier: Carrier): void {
    this.#carriers.add(carrier);
    const isAdmitted = !this.isClosing && this.admit(carrier.remote.address);
    if (!isAdmitted && (this.isClosing || this.#turnedAway >= MAX_TURNED_AWAY)) return carrier.close();
    if (!isAdmitted) this.#turnedAway++;
    const handshake = new WsHandshake(this, carrier, isAdmitted);
    this.#handshakes.add(handshake);
    this.wheel.arm(handshake, this.#options.handshake);
    carrier.start(handshake);
  }

  /** A connection to `peer`, with TLS if we speak it. */
  async #carrierTo(peer: Peer, { signal }: DialDeadline): Promise<Carrier> {
    const { address, port, host = address } = peer;
    const remote = { address, port };
    const { identity } = this.#options;
    if (identity === undefined) {
      const conn = await Deno.connect({ transport: "tcp", hostname: address, port, signal });
      return new ConnCarrier(conn, remote, this.#buffers, this);
    }
    const dial = new TlsDial(identity.clientOptions(host), peer);
    const carrier = new TlsCarrier(dial.carrier, remote, this, dial.socket);
    // It is open from now on, also if it comes to nothing.
    this.#carriers.add(carrier);
    const onAbort = () => dial.fail((signal.reason as Error).message);
    signal.addEventListener("abort", onAbort);
    try {
      await dial.done;
    } catch (error) {
      carrier.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    carrier.secured(dial.socket);
    return carrier;
  }

  #upgrade(carrier: Carrier, peer: Peer, { signal }: DialDeadline): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const handshake = new WsClientHandshake(
      carrier,
      (rest) => {
        const flow = this.opened(this.#flow(carrier, true), this.keyOf(peer));
        if (rest.length > 0) flow.read(rest);
        resolve(flow);
      },
      (reason) => reject(new Error(reason)),
    );
    this.#carriers.add(carrier);
    carrier.start(handshake);
    const { host = peer.address, port } = peer;
    handshake.send(`${bracketed(host)}:${port}`);
    const onAbort = () => handshake.fail((signal.reason as Error).message);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    return promise;
  }

  #flow(carrier: Carrier, isDialed: boolean): WsFlow {
    const flow = new WsFlow(this.#flowParts, carrier, this.parts.flowIds.next(), isDialed);
    carrier.passTo(flow);
    return flow;
  }
}
