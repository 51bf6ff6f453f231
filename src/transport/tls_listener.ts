import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { canonicalIp } from "../lib/ip_address.ts";
import type { Logger } from "../lib/log.ts";
import type { TimerWheel } from "../lib/timer_wheel.ts";
import { Acceptor } from "./acceptor.ts";
import type { Carrier, CarrierOwner } from "./carrier.ts";
import type { SocketAddress } from "./flow.ts";
import { TlsCarrier } from "./tls_carrier.ts";
import type { TlsIdentity } from "./tls_identity.ts";

/** What accepting connections with TLS needs. */
export interface TlsListenerParts {
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** For errors and log: what is spoken at the port. */
  readonly protocol: string;
  readonly identity: TlsIdentity;
  readonly owner: CarrierOwner;
  /** Told of each connection before its handshake begins; has to start it, or to close it. */
  readonly onConnection: (carrier: Carrier) => void;
  /** The port had gone deaf and listens again. */
  readonly onRevived: () => void;
}

/** Accepts connections with TLS at one port; how long a handshake may take is for others to say. */
export class TlsListener {
  /** Where it listens. */
  readonly local: SocketAddress;
  readonly #parts: TlsListenerParts;
  readonly #acceptor: Acceptor;
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Server;
  readonly #stopReloading: () => void;
  /** By the peer's address and port, until they are through. */
  readonly #handshakes = new Map<string, TlsCarrier>();

  /** Opens the port; throws FlowError. */
  constructor(parts: TlsListenerParts, address: SocketAddress) {
    const { identity, wheel, log, protocol, onRevived } = parts;
    this.#parts = parts;
    this.#server = createServer(identity.serverOptions);
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    // What a peer does wrong here ends its connection, and is counted there.
    this.#server.on("tlsClientError", (_, socket) => socket.destroy());
    this.#acceptor = new Acceptor(
      { wheel, log, protocol, onRevived, onConnection: (socket) => this.#accepted(socket) },
      address,
    );
    this.local = this.#acceptor.local;
    this.#stopReloading = identity.onReload(() => this.#server.setSecureContext(identity.serverOptions));
  }

  /** Gives the port back; connections live on. */
  close(): Promise<void> {
    this.#acceptor.close();
    this.#stopReloading();
    return Promise.resolve();
  }

  #accepted(socket: Socket): void {
    const { remoteAddress = "", remotePort = 0 } = socket;
    const address = canonicalIp(remoteAddress);
    // It has gone again.
    if (address === undefined) return void socket.destroy();
    const place = placeOf(socket);
    const carrier = new TlsCarrier(socket, { address, port: remotePort }, this.#parts.owner);
    this.#handshakes.set(place, carrier);
    socket.on("close", () => {
      if (this.#handshakes.get(place) === carrier) this.#handshakes.delete(place);
    });
    this.#parts.onConnection(carrier);
    if (!socket.destroyed) this.#server.emit("connection", socket);
  }

  #secured(socket: TLSSocket): void {
    const place = placeOf(socket);
    const carrier = this.#handshakes.get(place);
    if (carrier === undefined) return void socket.destroy();
    this.#handshakes.delete(place);
    carrier.secured(socket);
    if (this.#parts.identity.namesOfClient(socket) === undefined) carrier.close();
  }
}

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
