// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Arrival } from "../../src/transport/arrival.ts";
import { type ConnectionBounds, ConnectionLimits } from "../../src/transport/connection_limits.ts";
import { type Flow, type SocketAddress, socketAddressText } from "../../src/transport/flow.ts";
import { FlowIds } from "../../src/transport/udp_flow.ts";
import { type WsOptions, WsTransport } from "../../src/transport/ws.ts";
import { inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What is usual in these tests; times in virtual ms. */
export const USUAL: WsOptions = {
  protocol: "ws",
  path: "/",
  origins: [],
  firstByte: 10_000,
  wholeMessage: 5_000,
  idle: 120_000,
  handshake: 4_000,
  connect: 3_000,
  writeQueue: 1 << 20,
  messageBytes: 65_536,
  pingInterval: 25_000,
  pongTimeout: 10_000,
};

/** What is different from the usual in one host. */
export interface WsHostOptions extends Partial<WsOptions> {
  readonly address?: string;
  readonly port?: number;
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

  get count(): number {
    return this.#waiting.length;
  }
}

/** A listener for WebSockets on a clock turned by hand, and what arrives at it. */
export class WsHost {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly limits: ConnectionLimits;
  readonly transport: WsTransport;
  readonly errors: unknown[] = [];
  /** What is done with each message before the test has it. */
  onMessage: (text: string, flow: Flow) => void = () => {};
  readonly #wheel: TimerWheel;
  readonly #arrived = new Arrivals<{ readonly text: string; readonly flow: Flow }>();

  constructor(
    { address = "127.0.0.1", port = 0, bounds = { total: 100, perAddress: 100 }, ...options }: WsHostOptions =
      {},
  ) {
    const { metrics } = this;
    const onError = (error: unknown) => this.errors.push(error);
    this.#wheel = new TimerWheel({ clock: this.clock, onError });
    this.limits = new ConnectionLimits(bounds);
    const arrival = new Arrival({
      metrics,
      limits: { bytes: 65_536, headers: 100 },
      forceRport: false,
      receive: (message, flow) => {
        this.#arrived.put({ text: message.text, flow });
        this.onMessage(message.text, flow);
      },
    });
    this.transport = new WsTransport(
      {
        wheel: this.#wheel,
        metrics,
        arrival,
        log: silentLogger,
        flowIds: new FlowIds(),
        limits: this.limits,
        byId: new Map(),
        onError,
      },
      { address, port },
      { ...USUAL, ...options },
    );
  }

  get local(): SocketAddress {
    return this.transport.local;
  }

  get url(): string {
    return `${this.transport.protocol}://${socketAddressText(this.local)}/`;
  }

  /** The next message that arrives. */
  receive(): Promise<{ readonly text: string; readonly flow: Flow }> {
    return this.#arrived.next("a message");
  }

  /** Resolves when a counter has this value; it is looked at as often as anything happens. */
  async counted(name: keyof Metrics & string, value: number): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (this.metrics[name] !== value) {
      if (performance.now() > deadline) {
        throw new Error(`${name} is ${this.metrics[name]}, not ${value}`);
      }
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await inTime(this.transport.close(), "the listener to close");
    this.#wheel.close();
    if (this.limits.total !== 0) throw new Error(`${this.limits.total} connections are still counted`);
  }
}

/** A client of such a listener, and what it is sent. */
export class WsPeer {
  readonly #ws: WebSocket;
  readonly #frames = new Arrivals<{ readonly text: string; readonly isBinary: boolean }>();
  /** The code it was closed with. */
  readonly closed: Promise<number>;
  pings = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on("message", (data, isBinary) => {
      this.#frames.put({
        text: (data as Uint8Array & { toString(kind: string): string }).toString("latin1"),
        isBinary,
      });
    });
    ws.on("ping", () => this.pings++);
    this.closed = new Promise((resolve) => ws.on("close", (code) => resolve(code)));
    // That it ends is what the tests look at.
    ws.on("error", () => {});
  }

  /** Connects; rejects with what the server says instead, as "HTTP 400". */
  static open(url: string, options: WebSocketOptions = {}): Promise<WsPeer> {
    const { protocols = ["sip"], ...rest } = options;
    const ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...rest });
    const peer = new WsPeer(ws);
    return inTime(
      new Promise((resolve, reject) => {
        ws.on("open", () => resolve(peer));
        ws.on("error", reject);
        ws.on("unexpected-response", (request, response) => {
          reject(new Error(`HTTP ${response.statusCode}`));
          response.resume();
          request.destroy();
        });
      }),
      "the handshake",
    );
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  send(data: string | Uint8Array, options: { binary?: boolean; fin?: boolean } = {}): void {
    this.#ws.send(data, options);
  }

  /** Stops reading. */
  pause(): void {
    this.#ws.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#ws.resume();
  }

  ping(): void {
    this.#ws.ping();
  }

  /** The next frame. */
  receive(): Promise<{ readonly text: string; readonly isBinary: boolean }> {
    return this.#frames.next("a frame");
  }

  get waiting(): number {
    return this.#frames.count;
  }

  close(code?: number): Promise<number> {
    this.#ws.close(code);
    return inTime(this.closed, "the end of the connection");
  }

  /** Ends without a word. */
  vanish(): Promise<number> {
    this.#ws.terminate();
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish();
  }
}

/** What may be different in a handshake. */
export interface WebSocketOptions {
  readonly protocols?: string[];
  readonly origin?: string;
  readonly autoPong?: boolean;
  readonly ca?: string;
  readonly servername?: string;
}

/** Lets the runtime look at its sockets once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Sends bytes by TCP and returns all that comes back until the server closes. */
export async function exchange({ address, port }: SocketAddress, text: string): Promise<string> {
  using socket = await Deno.connect({ hostname: address, port });
  await socket.write(new TextEncoder().encode(text));
  return await inTime(new Response(readable(socket)).text(), "the server to close");
}

/** As `socket.readable`, but it leaves the socket to whoever opened it, and takes a reset for an end. */
function readable(socket: Deno.Conn): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const bytes = new Uint8Array(4_096);
      const count = await socket.read(bytes).catch(() => null);
      if (count === null) controller.close();
      else controller.enqueue(bytes.subarray(0, count));
    },
  });
}
