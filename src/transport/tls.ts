import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { canonicalIp } from "../lib/ip_address.ts";
import { Timer } from "../lib/timer_wheel.ts";
import type { Arrival } from "./arrival.ts";
import type { Connection } from "./connection.ts";
import { type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import type { StreamHost } from "./stream_flow.ts";
import { type StreamParts, StreamTransport } from "./stream_transport.ts";
import type { TcpOptions } from "./tcp.ts";
import { TlsDial } from "./tls_dial.ts";
import { TlsFlow } from "./tls_flow.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { Acceptor } from "./acceptor.ts";

/** How one listener for TLS is set up. */
export interface TlsTransportOptions extends TcpOptions {
  /** Who we are, and whom we believe; it may change while we listen. */
  readonly identity: TlsIdentity;
}

/** SIP over TLS (RFC 3261 §26.2.1): one listener, and the connections to those who prove their name (RFC 5922). */
export class TlsTransport extends StreamTransport implements StreamHost {
  readonly protocol = "tls";
  readonly arrival: Arrival;
  readonly messageBytes: number;
  readonly local: SocketAddress;
  readonly sentBy: string;

  readonly #identity: TlsIdentity;
  readonly #acceptor: Acceptor;
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Server;
  readonly #stopReloading: () => void;
  /** By the peer's address and port, until they are through. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #dials = new Set<TlsDial>();
  /** Every socket that is not closed yet. */
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined = undefined;

  /** Opens the port; throws FlowError, also if there is no certificate. */
  constructor(parts: StreamParts, address: SocketAddress, options: TlsTransportOptions) {
    super(parts, options);
    const { identity, messageBytes } = options;
    this.arrival = parts.arrival;
    this.messageBytes = messageBytes;
    this.#identity = identity;
    this.#server = createServer(identity.serverOptions);
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (_, socket) => this.#handshakes.get(peerOf(socket))?.onFailure());
    this.#acceptor = new Acceptor({
      wheel: parts.wheel,
      log: parts.log,
      protocol: "tls",
      onConnection: (socket) => this.#accept(socket),
      onRevived: () => this.metrics.listenersRevived++,
    }, address);
    this.local = this.#acceptor.local;
    this.sentBy = options.sentBy ?? socketAddressText(this.local);
    this.#stopReloading = identity.onReload(() => this.#server.setSecureContext(identity.serverOptions));
  }

  override close(): Promise<void> {
    return this.#closed ??= this.#finish();
  }

  /** A connection is for one name only, whoever else is at that address (RFC 5923 §9.3). */
  protected override keyOf(peer: Peer): string {
    return `${socketAddressText(peer)} ${nameOf(peer)}`;
  }

  protected dial(peer: Peer): Promise<Connection> {
    const { address, port } = peer;
    const name = nameOf(peer);
    const dial = new TlsDial(this.#identity.clientOptions(name), peer);
    const { carrier, socket } = dial;
    this.#track(carrier);
    this.#track(socket);
    this.#dials.add(dial);
    this.wheel.arm(dial, this.options.connect);
    return dial.done.then(() => {
      const id = this.parts.flowIds.next();
      const remote = { address, port };
      return this.opened(new TlsFlow(this, socket, carrier, remote, id, true, [name]), this.keyOf(peer));
    }).finally(() => {
      this.wheel.disarm(dial);
      this.#dials.delete(dial);
    });
  }

  protected stopAccepting(): Promise<void> {
    this.#acceptor.close();
    this.#stopReloading();
    for (const handshake of [...this.#handshakes.values()]) this.#drop(handshake);
    for (const dial of [...this.#dials]) dial.fail("the listener is closed");
    return Promise.resolve();
  }

  async #finish(): Promise<void> {
    await super.close();
    await Promise.all(
      Array.from(
        this.#sockets,
        (socket) => new Promise<void>((resolve) => socket.on("close", () => resolve())),
      ),
    );
  }

  #accept(socket: Socket): void {
    this.#track(socket);
    const address = canonicalIp(socket.remoteAddress ?? "");
    if (address === undefined || !this.admit(address)) {
      socket.destroy();
      return;
    }
    const remote = { address, port: socket.remotePort! };
    const handshake = new Handshake(socket, remote, () => this.#failed(handshake));
    this.#handshakes.set(handshake.key, handshake);
    this.wheel.arm(handshake, this.options.handshake);
    socket.on("close", handshake.onFailure);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    this.#server.emit("connection", socket);
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#handshakes.get(peerOf(socket));
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    const names = this.#identity.namesOfClient(socket);
    if (names === undefined) return this.#failed(handshake);
    this.#over(handshake);
    const { carrier, remote } = handshake;
    this.opened(new TlsFlow(this, socket, carrier, remote, this.parts.flowIds.next(), false, names));
  }

  #failed(handshake: Handshake): void {
    this.metrics.handshakesFailed++;
    this.#drop(handshake);
  }

  #drop(handshake: Handshake): void {
    this.#over(handshake);
    this.parts.limits.release(handshake.remote.address);
    handshake.carrier.destroy();
  }

  #over(handshake: Handshake): void {
    const { carrier, key, onFailure } = handshake;
    this.#handshakes.delete(key);
    this.wheel.disarm(handshake);
    carrier.off("close", onFailure);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", ignore);
  }
}

/** The end that follows an error says enough. */
function ignore(): void {}

/** A client that is not through its handshake, and how long it may take for it. */
class Handshake extends Timer {
  readonly key: string;

  /** `carrier`: the socket TLS is to be spoken on; `onFailure`: it took too long, or the client is gone. */
  constructor(readonly carrier: Socket, readonly remote: SocketAddress, readonly onFailure: () => void) {
    super();
    this.key = peerOf(carrier);
  }

  override onTimer(): void {
    this.onFailure();
  }
}

/** What a peer must prove to be called. */
function nameOf({ host, address }: Peer): string {
  return host?.toLowerCase() ?? address;
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
