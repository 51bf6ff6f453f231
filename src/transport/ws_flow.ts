import { isUtf8 } from "node:buffer";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { type ByteArea, latin1Bytes } from "../lib/latin1.ts";
import { TICK, Timer } from "../lib/timer_wheel.ts";
import type { Arrival } from "./arrival.ts";
import { type CloseReason, Connection, type ConnectionHost, type Wire } from "./connection.ts";
import type { SocketAddress } from "./flow.ts";

/** What all flows of a WebSocket listener share; times in ms. */
export interface WsFlowParts {
  readonly host: ConnectionHost;
  readonly arrival: Arrival;
  /** From one Ping to the next. */
  readonly pingInterval: number;
  /** From a Ping until something must have come. */
  readonly pongTimeout: number;
}

/** The codes of RFC 6455 §7.4.1; undefined: who does not read need not be told. */
const CLOSE_CODES: Readonly<Record<CloseReason, number | undefined>> = {
  peer: undefined,
  "first byte": 1008,
  "slow message": 1008,
  idle: 1008,
  "write queue": undefined,
  // The library has said already which it is: 1002, 1007, 1008 or 1009.
  "broken stream": 1002,
  stopping: 1001,
};

/** Writes one SIP message a frame (RFC 7118 §5). */
export class WsWire implements Wire {
  /** What the peer is told when it is closed; undefined: nothing. */
  code: number | undefined = undefined;
  readonly #ws: WebSocket;
  readonly #stream: Duplex;

  /** `stream` is what lies under `ws`. */
  constructor(ws: WebSocket, stream: Duplex) {
    this.#ws = ws;
    this.#stream = stream;
  }

  write(texts: readonly string[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = texts.length;
    const written = (error?: Error | null) => {
      if (error) reject(error);
      else if (--left === 0) resolve();
    };
    // All frames leave together.
    this.#stream.cork();
    for (const text of texts) {
      const bytes = latin1Bytes(text);
      this.#ws.send(bytes, { binary: !isUtf8(bytes) }, written);
    }
    this.#stream.uncork();
    return promise;
  }

  /** Sends a Ping frame. */
  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  close(): void {
    if (this.code === undefined) this.#ws.terminate();
    else this.#ws.close(this.code);
  }
}

/** Asks again and again whether the peer is there. */
class Pings extends Timer {
  readonly #flow: WsFlow;
  isWaiting = false;

  constructor(flow: WsFlow) {
    super();
    this.#flow = flow;
  }

  override onTimer(): void {
    this.#flow.pingTime();
  }
}

/** One WebSocket as a flow. */
export class WsFlow extends Connection {
  readonly #parts: WsFlowParts;
  readonly #ws: WebSocket;
  readonly #wire: WsWire;
  readonly #pings = new Pings(this);
  /** Whether a whole frame was among the bytes that are being read. */
  #sawFrame = false;
  /** Whether anything came since the last Ping. */
  #isHeard = false;
  /** Whether it ever sent more than control frames. */
  #hasSpoken: boolean;

  /** Takes over `ws`, which is open, and `stream` under it. */
  constructor(
    parts: WsFlowParts,
    ws: WebSocket,
    stream: Duplex,
    remote: SocketAddress,
    id: number,
    isDialed: boolean,
  ) {
    const wire = new WsWire(ws, stream);
    super(parts.host, wire, remote, id, isDialed);
    this.#parts = parts;
    this.#ws = ws;
    this.#wire = wire;
    this.#hasSpoken = isDialed;
    ws.on("message", (data) => this.#message(data as ByteArea));
    ws.on("ping", () => this.#control());
    ws.on("pong", () => this.#control());
    // The library has read the same bytes just before.
    stream.on("data", () => this.#bytes());
    ws.on("error", () => this.close("broken stream"));
    ws.on("close", () => this.close("peer"));
    parts.host.wheel.arm(this.#pings, parts.pingInterval);
  }

  override close(reason: CloseReason): void {
    if (this.isGone) return;
    this.#parts.host.wheel.disarm(this.#pings);
    this.#wire.code = CLOSE_CODES[reason];
    super.close(reason);
  }

  /** Sends a Ping, or looks what became of it. */
  pingTime(): void {
    const { host, pingInterval, pongTimeout } = this.#parts;
    if (!this.#pings.isWaiting) {
      this.#isHeard = false;
      this.#pings.isWaiting = true;
      this.#wire.ping();
      host.wheel.arm(this.#pings, pongTimeout);
    } else if (this.#isHeard || this.#ws.isPaused) {
      // While we do not read, nothing can be heard.
      this.#pings.isWaiting = false;
      host.wheel.arm(this.#pings, Math.max(TICK, pingInterval - pongTimeout));
    } else {
      this.close("idle");
    }
  }

  #message(bytes: ByteArea): void {
    const { host, arrival } = this.#parts;
    this.#sawFrame = true;
    // What is armed now is to count from now, also after a pause.
    host.wheel.turn();
    if (this.isGone || this.isEnding) return;
    this.#isHeard = true;
    this.#hasSpoken = true;
    this.heard(true);
    const { length } = bytes;
    if (isLineEnds(bytes)) {
      // RFC 5626 §4.4.1; a single CRLF is the answer to one of those.
      if (length >= 4) this.pong("\r\n");
      else host.metrics.keepAlivesReceived++;
    } else {
      try {
        arrival.message(bytes, 0, length, this);
      } catch (error) {
        host.onError(error);
      }
    }
    const caughtUp = this.#ws.isPaused ? undefined : this.caughtUp();
    if (caughtUp === undefined) return;
    this.#ws.pause();
    caughtUp.then(() => this.#ws.resume());
  }

  /** A Ping or Pong frame has come. Who never said anything else does not live on those alone. */
  #control(): void {
    this.#sawFrame = true;
    this.#isHeard = true;
    if (this.#hasSpoken) this.heard(true);
  }

  #bytes(): void {
    if (!this.#sawFrame) {
      this.#parts.host.wheel.turn();
      this.heard(false);
    }
    this.#sawFrame = false;
  }
}

/** Whether there is nothing but CR and LF, or nothing at all. */
function isLineEnds(bytes: Uint8Array): boolean {
  for (const code of bytes) if (code !== 0x0d && code !== 0x0a) return false;
  return true;
}
