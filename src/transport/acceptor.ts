import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { clearImmediate, setImmediate } from "node:timers";
import { isIpv6 } from "../lib/ip_address.ts";
import type { Logger } from "../lib/log.ts";
import { Timer, type TimerWheel } from "../lib/timer_wheel.ts";
import { FlowError, type SocketAddress, socketAddressText } from "./flow.ts";

/** What accepting at one port needs. */
export interface AcceptorParts {
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** For errors and log: what is spoken at the port. */
  readonly protocol: string;
  readonly onConnection: (socket: Socket) => void;
  /** The port had gone deaf and listens again. */
  readonly onRevived: () => void;
}

/** Connections that may wait to be accepted. */
const BACKLOG = 511;

/** Milliseconds without a new connection after which the port is tried. */
const QUIET = 5_000;

/** Milliseconds a connection to ourselves may wait to be made, and then to be accepted. */
const PATIENCE = 2_000;

/** How often it may take longer to be made: after a pause of ours it has not had that time in truth. */
const EXTENSIONS = 2;

/** What `connect` fails with when it is we who have no descriptor left: that says nothing about the port. */
const OUT_OF_DESCRIPTORS: readonly unknown[] = ["EMFILE", "ENFILE"];

/** The part of a server of node:net that its types leave out. */
interface SynchronousServer extends Server {
  _listen2(address: string, port: number, family: 4 | 6, backlog: number, fd: undefined, flags: number): void;
}

/** A connection to our own port. */
interface Probe {
  readonly socket: Socket;
  /** Its own port; undefined when it failed. */
  readonly port: Promise<number | undefined>;
  /** Connections accepted before it. */
  readonly before: number;
  /** Whether it is our own want of descriptors that it failed of. */
  isVoid: boolean;
  isConnected: boolean;
  extensions: number;
}

/**
 * Accepts TCP connections at one port, and goes on doing so: the runtime's listener stops for ever, without a
 * word, once the process was out of file descriptors. So a port where nobody came for a while is tried, and opened
 * anew if it does not hear. Connections are not touched by that.
 */
export class Acceptor extends Timer {
  /** Where it listens. */
  readonly local: SocketAddress;

  readonly #parts: AcceptorParts;
  #server: Server | undefined = undefined;
  #accepted = 0;
  /** How many had been accepted when it was looked at last. */
  #seen = 0;
  #probe: Probe | undefined = undefined;
  #judging: ReturnType<typeof setImmediate> | undefined = undefined;
  #isClosed = false;

  /** Opens the port; throws FlowError. */
  constructor(parts: AcceptorParts, { address, port }: SocketAddress) {
    super();
    this.#parts = parts;
    this.#server = this.#listen(address, port);
    const bound = this.#server.address() as AddressInfo | null;
    if (bound === null) {
      const place = `${parts.protocol}:${socketAddressText({ address, port })}`;
      throw new FlowError(`Cannot listen on ${place}: ${reasonOf(address, port)}`);
    }
    this.local = { address, port: bound.port };
    this.#watch();
  }

  /** Gives the port back, at once; connections live on. */
  close(): void {
    this.#isClosed = true;
    this.#parts.wheel.disarm(this);
    if (this.#judging !== undefined) clearImmediate(this.#judging);
    this.#probe?.socket.destroy();
    this.#probe = undefined;
    this.#server?.close();
    this.#server = undefined;
  }

  override onTimer(): void {
    if (this.#probe !== undefined) {
      // After a pause timers come before sockets: what has arrived meanwhile is to be heard first.
      this.#judging = setImmediate(() => this.#judge());
    } else if (this.#server === undefined) {
      this.#revive();
    } else if (this.#accepted !== this.#seen) {
      this.#watch();
    } else {
      this.#probe = this.#tryPort();
      this.#parts.wheel.arm(this, PATIENCE);
    }
  }

  #listen(address: string, port: number): Server {
    const server = createServer((socket) => this.#accept(socket));
    // Told a turn later; that it has no address says so at once.
    server.on("error", () => {});
    // `listen` would look up even an address first, and bind in some later turn. This is what it ends in.
    (server as SynchronousServer)._listen2(address, port, isIpv6(address) ? 6 : 4, BACKLOG, undefined, 0);
    return server;
  }

  #watch(): void {
    this.#seen = this.#accepted;
    this.#parts.wheel.arm(this, QUIET);
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    const probe = this.#probe;
    if (probe === undefined) return this.#parts.onConnection(socket);
    // Whether it is our own can be said when the probe knows its port.
    probe.port.then((port) => {
      if (port !== undefined && socket.remotePort === port) this.#probeHeard(probe, socket);
      else if (!this.#isClosed && !socket.destroyed) this.#parts.onConnection(socket);
      else socket.destroy();
    });
  }

  #probeHeard(probe: Probe, socket: Socket): void {
    socket.destroy();
    probe.socket.destroy();
    if (this.#probe !== probe) return;
    this.#probe = undefined;
    this.#watch();
  }

  #tryPort(): Probe {
    const { address: host, port } = this.local;
    const known = Promise.withResolvers<number | undefined>();
    const socket = connect({ host, port });
    const probe: Probe = {
      socket,
      port: known.promise,
      before: this.#accepted,
      isVoid: false,
      isConnected: false,
      extensions: 0,
    };
    socket.on("connect", () => {
      probe.isConnected = true;
      known.resolve(socket.localPort);
      if (this.#probe === probe) this.#parts.wheel.arm(this, PATIENCE);
    });
    socket.on("error", (error: Error & { code?: unknown }) => {
      probe.isVoid = OUT_OF_DESCRIPTORS.includes(error.code);
    });
    socket.on("close", () => known.resolve(undefined));
    return probe;
  }

  #judge(): void {
    this.#judging = undefined;
    const probe = this.#probe;
    // It may have been made, or heard, just now.
    if (probe === undefined || this.#isClosed || this.isArmed) return;
    if (!probe.isConnected && !probe.socket.destroyed && probe.extensions++ < EXTENSIONS) {
      this.#parts.wheel.arm(this, PATIENCE);
      return;
    }
    this.#probe = undefined;
    probe.socket.destroy();
    if (probe.isVoid || this.#accepted > probe.before) return this.#watch();
    this.#server?.close();
    this.#server = undefined;
    this.#revive();
  }

  #revive(): void {
    const { protocol, log, wheel, onRevived } = this.#parts;
    const { address, port } = this.local;
    const at = `${protocol}:${socketAddressText(this.local)}`;
    const server = this.#listen(address, port);
    if (server.address() !== null) {
      this.#server = server;
      log.warn("listener revived", { at });
      onRevived();
      this.#watch();
    } else {
      log.error("listener lost", { at });
      wheel.arm(this, QUIET);
    }
  }
}

/** Why the port cannot be opened, in the words of the runtime. */
function reasonOf(hostname: string, port: number): string {
  try {
    Deno.listen({ hostname, port }).close();
    return "the runtime does not say why";
  } catch (error) {
    return (error as Error).message;
  }
}
