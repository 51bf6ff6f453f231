import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import type { Logger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import {
  Arrival,
  type Flow,
  openListeners,
  type OpenOptions,
  type Receive,
  type SocketAddress,
  type Transport,
} from "../../src/transport/mod.ts";

/** Milliseconds after which what ought to happen at once will not. */
const PATIENCE = 5_000;

/** Whether UDP can be read and written by the batch here. */
export const HAS_BATCH = Deno.build.os === "linux";

/** Whether this machine has an IPv6 loopback. */
export function hasIpv6(): boolean {
  return Deno.networkInterfaces().some(({ address }) => address === "::1");
}

/** The promise, or an error when it takes too long. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Waited in vain for ${what}`)), PATIENCE);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A socket of the runtime's own, at a free port or a given one: the other side of a test. */
export class UdpPeer {
  readonly local: SocketAddress;
  readonly #socket: Deno.DatagramConn;

  constructor(address: string, port = 0) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: address, port });
    const bound = this.#socket.addr as Deno.NetAddr;
    this.local = { address: bound.hostname, port: bound.port };
  }

  async send(text: string, to: SocketAddress): Promise<void> {
    await this.#socket.send(latin1Bytes(text), { transport: "udp", hostname: to.address, port: to.port });
  }

  /** The next datagram, and where it is from. */
  async receive(): Promise<{ readonly text: string; readonly from: SocketAddress }> {
    const [bytes, from] = await inTime(this.#socket.receive(new Uint8Array(65_535)), "a datagram");
    const { hostname, port } = from as Deno.NetAddr;
    return { text: byteArea(bytes).latin1Slice(0, bytes.length), from: { address: hostname, port } };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** What came up from a listener. */
export interface Arrived {
  readonly text: string;
  readonly flow: Flow;
}

/** The UDP listeners of one server, and what arrives at them. */
export class UdpHost {
  readonly metrics = new Metrics();
  readonly transports: Transport[] = [];
  /** Events that were logged: a verb and fields. */
  readonly logged: string[] = [];
  /** Called with each message as it arrives, before anybody is handed it. */
  onArrival: (arrived: Arrived) => void = () => {};
  /** How often its sockets were looked at. */
  turns = 0;
  readonly #arrived: Arrived[] = [];
  #wake: () => void = () => {};

  constructor(listen: readonly SocketAddress[], options: Partial<OpenOptions> = {}) {
    const { metrics } = this;
    const receive: Receive = ({ text }, flow) => {
      this.onArrival({ text, flow });
      this.#arrived.push({ text, flow });
      this.#wake();
    };
    const limits = { bytes: 65_535, headers: 100 };
    const arrival = new Arrival({ receive, metrics, limits, forceRport: false });
    const onOpen = (transport: Transport) => this.transports.push(transport);
    openListeners({ arrival, metrics, log: this.#log, onOpen, onTurn: () => this.turns++ }, {
      listen: listen.map((address) => ({ protocol: "udp", ...address })),
      udpIo: "auto",
      udp: { receiveBuffer: 1 << 20, sendBuffer: 1 << 20, reusePort: false, maxFlows: 1_000 },
      ...options,
    });
  }

  /** Where its first listener is. */
  get local(): SocketAddress {
    return this.transports[0].local;
  }

  /** The flow from its first listener to `remote`; over UDP it is always there. */
  flowTo(remote: SocketAddress): Flow {
    return this.transports[0].find(remote)!;
  }

  /** The next message that arrives. */
  async receive(): Promise<Arrived> {
    while (this.#arrived.length === 0) {
      await inTime(new Promise<void>((resolve) => this.#wake = resolve), "a message");
    }
    return this.#arrived.shift()!;
  }

  async close(): Promise<void> {
    await inTime(
      Promise.all(this.transports.map((transport) => transport.close())),
      "the listeners to close",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #log(): Logger {
    const note = (event: string, fields = {}) => {
      const texts = Object.entries(fields).map(([key, value]) => ` ${key}=${value}`);
      this.logged.push(event + texts.join(""));
    };
    return { debugs: false, debug: note, info: note, warn: note, error: note };
  }
}
