import { Timer, type TimerWheel } from "../lib/timer_wheel.ts";
import { CLOSE_CODE, controlFrame, type MaskSource, messageFrames, OPCODE } from "../websocket/mod.ts";
import { type Carrier, pieceEnd } from "./carrier.ts";
import type { Wire } from "./connection.ts";

/** Milliseconds a peer has to end its side after we have said goodbye. */
const FAREWELL = 1_000;

/** Bytes of those who have been told goodbye that are passed over; beyond them they may not hear the reason. */
export const PASSED_OVER = 65_536;

const EMPTY = new Uint8Array(0);

/** Writes one SIP message a frame (RFC 7118 §5), and the control frames between them. */
export class WsWire extends Timer implements Wire {
  /** What the peer is told when it is closed; undefined: nothing. */
  code: number | undefined = undefined;
  readonly #carrier: Carrier;
  readonly #wheel: TimerWheel;
  readonly #masks: MaskSource | undefined;
  /** The Pong that is due next: only the last Ping needs an answer (RFC 6455 §5.5.3). */
  #pong: Uint8Array | undefined = undefined;
  #isPonging = false;
  #isClosed = false;
  /** Whether we have said goodbye, and whether the peer has ended its side. */
  #hasSpoken = false;
  #hasEnded = false;
  #passedOver = 0;

  /** `isClient`: we opened it, so that what we send must be masked. */
  constructor(carrier: Carrier, wheel: TimerWheel, isClient: boolean) {
    super();
    this.#carrier = carrier;
    this.#wheel = wheel;
    this.#masks = isClient ? randomMask : undefined;
  }

  async write(texts: readonly string[]): Promise<void> {
    for (let first = 0; first < texts.length;) {
      const end = pieceEnd(texts, first);
      await this.#carrier.write(messageFrames(texts, first, end, this.#masks));
      first = end;
    }
  }

  /** Sends a Ping frame. */
  ping(): void {
    if (!this.#isClosed) this.#control(OPCODE.ping, EMPTY).catch(ignore);
  }

  /** Sends a Pong frame with these bytes, which are copied. */
  pong(payload: Uint8Array): void {
    if (this.#isClosed) return;
    this.#pong = payload.slice();
    if (!this.#isPonging) this.#sendPongs().catch(ignore);
  }

  /** Says why, if there is anything to say, and gives the peer some time to end its side (RFC 6455 §7.1.1). */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pong = undefined;
    const { code } = this;
    if (code === undefined) return this.#carrier.close();
    this.#wheel.arm(this, FAREWELL);
    const payload = code === CLOSE_CODE.none ? EMPTY : Uint8Array.of(code >> 8, code & 0xff);
    this.#control(OPCODE.close, payload).then(() => {
      this.#hasSpoken = true;
      if (this.#hasEnded) this.cut();
      else this.#carrier.endWriting();
    }, () => this.cut());
  }

  /** The peer sends no more: once goodbye is said there is nothing to wait for. */
  ended(): void {
    this.#hasEnded = true;
    if (this.#hasSpoken) this.cut();
  }

  /** Ends the connection now. */
  cut(): void {
    this.#isClosed = true;
    this.#wheel.disarm(this);
    this.#carrier.close();
  }

  /** So many bytes have come since it was closed. */
  passOver(count: number): void {
    this.#passedOver += count;
    if (this.#passedOver > PASSED_OVER) this.cut();
  }

  override onTimer(): void {
    this.cut();
  }

  async #sendPongs(): Promise<void> {
    this.#isPonging = true;
    for (let pong = this.#pong; pong !== undefined; pong = this.#pong) {
      this.#pong = undefined;
      await this.#control(OPCODE.pong, pong);
    }
    this.#isPonging = false;
  }

  #control(opcode: Parameters<typeof controlFrame>[0], payload: Uint8Array): Promise<void> {
    return this.#carrier.write(controlFrame(opcode, payload, this.#masks));
  }
}

/** That a connection is gone, its reading side tells. */
function ignore(): void {}

function randomMask(): number {
  return crypto.getRandomValues(new Int32Array(1))[0];
}
