import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { latin1Bytes } from "../../src/lib/latin1.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Arrival } from "../../src/transport/arrival.ts";
import { type ConnectionBounds, ConnectionLimits } from "../../src/transport/connection_limits.ts";
import type { Peer, SocketAddress } from "../../src/transport/flow.ts";
import { TlsFlow } from "../../src/transport/tls_flow.ts";
import { TlsIdentity, type TlsOptions } from "../../src/transport/tls_identity.ts";
import { TlsTransport, type TlsTransportOptions } from "../../src/transport/tls.ts";
import { FlowIds } from "../../src/transport/udp_flow.ts";
import { authority, type CertificateName, filesOf, pemPath } from "../support/certificates.ts";
import { inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What is different from the usual in one host. */
export interface TlsHostOptions extends Partial<Omit<TlsTransportOptions, "identity">>, Partial<TlsOptions> {
  readonly address?: string;
  /** Names of its certificates, the first the default. */
  readonly shows?: readonly CertificateName[];
  readonly bounds?: ConnectionBounds;
}

/** Things that arrive, to be awaited one by one. */
class Arrivals<T> {
  readonly #waiting: T[] = [];
  #wake: () => void = () => {};

  put(value: T): void {
    this.#waiting.push(value);
    this.#wake();
  }

  async next(what: string): Promise<T> {
    while (this.#waiting.length === 0) {
      await inTime(new Promise<void>((resolve) => this.#wake = resolve), what);
    }
    return this.#waiting.shift()!;
  }
}

/** A listener for TLS on a clock turned by hand, and what arrives at it. */
export class TlsHost {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly limits: ConnectionLimits;
  readonly transport: TlsTransport;
  readonly errors: unknown[] = [];
  readonly #wheel: TimerWheel;
  readonly #arrived = new Arrivals<{ readonly text: string; readonly flow: TlsFlow }>();

  private constructor(readonly identity: TlsIdentity, options: TlsHostOptions) {
    const { address = "127.0.0.1", bounds = { total: 200, perAddress: 200 } } = options;
    const { metrics } = this;
    const onError = (error: unknown) => this.errors.push(error);
    this.#wheel = new TimerWheel({ clock: this.clock, onError });
    this.limits = new ConnectionLimits(bounds);
    const arrival = new Arrival({
      metrics,
      limits: { bytes: 65_536, headers: 100 },
      forceRport: false,
      receive: ({ text }, flow) => this.#arrived.put({ text, flow: flow as TlsFlow }),
    });
    const parts = {
      wheel: this.#wheel,
      metrics,
      arrival,
      log: silentLogger,
      flowIds: new FlowIds(),
      limits: this.limits,
      byId: new Map(),
      onError,
    };
    this.transport = new TlsTransport(parts, { address, port: 0 }, {
      firstByte: 10_000,
      wholeMessage: 5_000,
      idle: 120_000,
      handshake: 4_000,
      connect: 3_000,
      writeQueue: 1 << 20,
      messageBytes: 65_536,
      ...options,
      identity,
    });
  }

  static async open(options: TlsHostOptions = {}): Promise<TlsHost> {
    const { shows = ["example"] } = options;
    const identity = await TlsIdentity.load({
      certificates: shows.map(filesOf),
      minVersion: "1.2",
      ca: pemPath("ca"),
      clientCertificates: "none",
      ...options,
    });
    return new TlsHost(identity, options);
  }

  get local(): SocketAddress {
    return this.transport.local;
  }

  /** The next message that arrives. */
  receive(): Promise<{ readonly text: string; readonly flow: TlsFlow }> {
    return this.#arrived.next("a message");
  }

  /** A connection of ours to one who must have that name. */
  async dial({ local }: TlsHost, host?: string): Promise<TlsFlow> {
    const peer: Peer = { ...local, host };
    return await inTime(Promise.resolve(this.transport.connect(peer)), "the connection") as TlsFlow;
  }

  /** Resolves when `isSo`; it is looked at as often as anything happens. */
  async until(isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`In vain: ${isSo}`);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await inTime(this.transport.close(), "the listener to close");
    this.#wheel.close();
    if (this.limits.total !== 0) throw new Error(`${this.limits.total} connections are still counted`);
  }
}

/** A client over TLS, and what it is sent. */
export class TlsPeer {
  readonly socket: TLSSocket;
  /** Resolves with the error it ended with, if any. */
  readonly closed: Promise<Error | undefined>;
  #text = "";
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    let error: Error | undefined;
    socket.on("error", (cause: Error) => error = cause);
    this.closed = new Promise((resolve) => socket.on("close", () => resolve(error)));
    socket.on("data", (bytes: Uint8Array & { latin1Slice(): string }) => {
      this.#text += bytes.latin1Slice();
      this.#wake();
    });
  }

  /** Connects, by default as one who trusts our authority and calls the server by no name; rejects if refused. */
  static async open({ local }: TlsHost, options: ConnectionOptions = {}): Promise<TlsPeer> {
    const socket = connect({
      host: local.address,
      port: local.port,
      ca: authority(),
      checkServerIdentity: () => undefined,
      ...options,
    });
    const peer = new TlsPeer(socket);
    const secured = new Promise<void>((resolve) => socket.on("secureConnect", resolve));
    const refused = peer.closed.then((error) => {
      throw error ?? new Error("closed");
    });
    await inTime(Promise.race([secured, refused]), "the handshake");
    refused.catch(() => {});
    return peer;
  }

  /** The serial number of what the server showed. */
  get shown(): string {
    return this.socket.getPeerCertificate().serialNumber;
  }

  send(text: string): void {
    this.socket.write(latin1Bytes(text));
  }

  /** Waits until exactly `text` has come. */
  async receive(text: string): Promise<void> {
    while (this.#text.length < text.length) {
      await inTime(new Promise<void>((resolve) => this.#wake = resolve), JSON.stringify(text.slice(0, 40)));
    }
    const got = this.#text.slice(0, text.length);
    this.#text = this.#text.slice(text.length);
    if (got !== text) throw new Error(`Got ${JSON.stringify(got)}, not ${JSON.stringify(text)}`);
  }

  /** How it ends when the server ends it. */
  ended(): Promise<Error | undefined> {
    return inTime(this.closed, "the end of the connection");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
