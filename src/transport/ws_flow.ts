import type { ByteArea } from "../lib/latin1.ts";
import { TICK, Timer } from "../lib/timer_wheel.ts";
import { CLOSE_CODE, FrameReader, type FrameSink } from "../websocket/mod.ts";
import type { Arrival } from "./arrival.ts";
import type { Carrier, CarrierSink } from "./carrier.ts";
import { type CloseReason, Connection, type ConnectionHost } from "./connection.ts";
import { WsWire } from "./ws_wire.ts";

/** What all flows of a WebSocket listener share; times in ms. */
export interface WsFlowParts {
  readonly host: ConnectionHost;
  readonly arrival: Arrival;
  /** The most bytes of one message. */
  readonly messageBytes: number;
  /** From one Ping to the next. */
  readonly pingInterval: number;
  /** From a Ping until something must have come. */
  readonly pongTimeout: number;
}

/** Frames of one message: whoever sends it byte by byte is not followed. */
const MESSAGE_FRAMES = 256;

/** What a peer is told of limits of ours; who does not read need not be told. */
const CLOSE_CODES: Readonly<Partial<Record<CloseReason, number>>> = {
  "first byte": CLOSE_CODE.policy,
  "slow message": CLOSE_CODE.policy,
  idle: CLOSE_CODE.policy,
  stopping: CLOSE_CODE.goingAway,
};

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
export class WsFlow extends Connection implements CarrierSink, FrameSink {
  readonly #parts: WsFlowParts;
  readonly #wire: WsWire;
  readonly #reader: FrameReader;
  readonly #pings = new Pings(this);
  /** Whether there was anything in what is being read that shows that the peer lives. */
  #isNews = false;
  /** Whether anything came since the last Ping. */
  #isHeard = false;
  /** Whether it ever sent more than control frames. */
  #hasSpoken: boolean;
  #isPaused = false;
  /** What the peer is told if it is closed for its own doing: why, or its own code again; undefined: nothing. */
  #answer: number | undefined = undefined;

  /** Takes over `carrier`, by which nothing comes but frames; `isDialed`: we opened it. */
  constructor(parts: WsFlowParts, carrier: Carrier, id: number, isDialed: boolean) {
    const { host, messageBytes, pingInterval } = parts;
    const wire = new WsWire(carrier, host.wheel, isDialed);
    super(host, wire, carrier.remote, id, isDialed);
    this.#parts = parts;
    this.#wire = wire;
    this.#reader = new FrameReader({ messageBytes, messageFrames: MESSAGE_FRAMES, isMasked: !isDialed });
    this.#hasSpoken = isDialed;
    host.wheel.arm(this.#pings, pingInterval);
  }

  /** Takes bytes as they were read; keeps nothing of them. */
  read(bytes: Uint8Array): void {
    if (this.isGone) return this.#wire.passOver(bytes.length);
    // What is armed now is to count from now, also after a pause.
    this.#parts.host.wheel.turn();
    if (this.isGone) return;
    this.#isNews = false;
    this.#reader.push(bytes, this);
    const { isPartial } = this.#reader;
    // What is unfinished after something whole has only just begun.
    if (this.#isNews) this.heard(true);
    if (isPartial) this.heard(false);
  }

  override caughtUp(): Promise<void> | undefined {
    const caughtUp = super.caughtUp();
    if (caughtUp !== undefined && !this.#isPaused) {
      this.#isPaused = true;
      caughtUp.then(() => this.#isPaused = false);
    }
    return caughtUp;
  }

  /** The peer sends no more, but may still listen. */
  ended(): void {
    this.#wire.ended();
    this.closeWhenWritten("peer");
  }

  /** The connection was reset, or we have closed it. */
  gone(): void {
    this.close("peer");
    this.#wire.cut();
  }

  override close(reason: CloseReason): void {
    if (this.isGone) return;
    this.#parts.host.wheel.disarm(this.#pings);
    this.#reader.stop();
    this.#wire.code = this.#answer ?? CLOSE_CODES[reason];
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
    } else if (this.#isHeard || this.#isPaused) {
      // While we do not read, nothing can be heard.
      this.#pings.isWaiting = false;
      host.wheel.arm(this.#pings, Math.max(TICK, pingInterval - pongTimeout));
    } else {
      this.close("idle");
    }
  }

  /** @internal */
  message(bytes: ByteArea, start: number, end: number): void {
    if (this.isEnding) return;
    const { host, arrival } = this.#parts;
    this.#isNews = true;
    this.#isHeard = true;
    this.#hasSpoken = true;
    if (isLineEnds(bytes, start, end)) {
      // RFC 5626 §4.4.1; a single CRLF is the answer to one of those.
      if (end - start >= 4) this.pong("\r\n");
      else host.metrics.keepAlivesReceived++;
    } else {
      try {
        arrival.message(bytes, start, end, this);
      } catch (error) {
        host.onError(error);
      }
    }
  }

  /** @internal */
  pinged(payload: Uint8Array): void {
    this.#control();
    this.#wire.pong(payload);
  }

  /** @internal */
  ponged(): void {
    this.#control();
  }

  /** @internal What it was given still leaves, and then its own code (RFC 6455 §5.5.1). */
  closed(code: number): void {
    this.#answer = code;
    this.closeWhenWritten("peer");
  }

  /** @internal */
  broken(code: number): void {
    this.#answer = code;
    this.close("broken stream");
  }

  /** A Ping or Pong frame has come. Who never said anything else does not live on those alone. */
  #control(): void {
    this.#isHeard = true;
    // Nor does a message become younger by them.
    if (this.#hasSpoken && !this.#reader.isPartial) this.#isNews = true;
  }
}

/** Whether there is nothing but CR and LF, or nothing at all. */
function isLineEnds(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0x0d && bytes[i] !== 0x0a) return false;
  return true;
}
