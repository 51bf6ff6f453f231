import { isUtf8 } from "node:buffer";
import { type ByteArea, byteArea } from "../lib/latin1.ts";
import { applyMask } from "./mask.ts";

/** What a frame is (RFC 6455 §5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Why a WebSocket ends (RFC 6455 §7.4.1); `none` stands for a Close frame without a code and is never sent. */
export const CLOSE_CODE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  none: 1005,
  notUtf8: 1007,
  policy: 1008,
  tooBig: 1009,
} as const;

/** Who takes what a stream of frames is made of; its methods must not throw. */
export interface FrameSink {
  /** One whole message, its pieces joined; the bytes are good until it returns. */
  message(bytes: ByteArea, start: number, end: number): void;
  /** A Ping that wants these bytes back; they are good until it returns. */
  pinged(payload: Uint8Array): void;
  /** A Pong, asked for or not. */
  ponged(): void;
  /** The peer says goodbye, with this code; nothing that comes after it is looked at. */
  closed(code: number): void;
  /** The stream cannot be followed any further; `code`: what the peer is to be told. */
  broken(code: number): void;
}

/** How much of one message is taken, and from whom. */
export interface FrameLimits {
  /** Bytes of one message. */
  readonly messageBytes: number;
  /** Frames of one message: whoever sends it byte by byte is not followed. */
  readonly messageFrames: number;
  /** Whether frames must be masked, as those of a client; else they must not (RFC 6455 §5.1). */
  readonly isMasked: boolean;
}

const FINAL = 0x80;
const RESERVED = 0x70;
const CONTROL = 0x08;
const MASKED = 0x80;

/** Bytes of the longest header. */
const MAX_HEADER = 14;
/** Bytes of payload a control frame may have. */
const MAX_CONTROL = 125;
/** What the length says when two or eight bytes of length follow. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Bytes of room for what there is of a message, to begin with. */
const FIRST_ROOM = 1024;

/** The highest bit of each of four bytes. */
const NOT_ASCII = 0x80808080 | 0;

/**
 * Cuts a stream of bytes into the messages and control frames of a WebSocket (RFC 6455 §5), however it is split. A
 * message of one frame that lies whole in a chunk is unmasked in place and handed on from there: chunks are written
 * to. Of an unfinished one the bytes are kept, no more of them than a message may have.
 */
export class FrameReader {
  readonly #limits: FrameLimits;
  #isStopped = false;

  // The frame that is being read.
  #isInFrame = false;
  #isFinal = false;
  #opcode = 0;
  #mask = 0;
  /** Bytes of its payload that were read, and that are to come. */
  #done = 0;
  #left = 0;
  /** The start of a header that is not whole. */
  #header: Uint8Array | undefined = undefined;
  #headerBytes = 0;

  // The message that is being read: its frames so far, and what there is of it.
  #frames = 0;
  #isText = false;
  /** All its bytes together, by OR. */
  #bits = 0;
  #held: ByteArea | undefined = undefined;
  #heldBytes = 0;
  /** What there is of a control frame; one may come between the frames of a message. */
  #control: Uint8Array | undefined = undefined;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.#frames > 0 || this.#headerBytes > 0 && (this.#header![0] & CONTROL) === 0;
  }

  /** Takes the next bytes of the stream, which it may overwrite, and tells `sink` what is complete with them. */
  push(chunk: Uint8Array, sink: FrameSink): void {
    let area: ByteArea | undefined;
    for (let at = 0; !this.#isStopped;) {
      if (!this.#isInFrame) {
        if (at === chunk.length) return;
        at = this.#begin(chunk, at, sink);
        if (!this.#isInFrame) return;
      }
      const end = Math.min(chunk.length, at + this.#left);
      const isWhole = end - at === this.#left;
      if (!isWhole && end === at) return;
      if (this.#opcode >= CONTROL) {
        this.#takeControl(chunk, at, end, isWhole, sink);
      } else if (isWhole && this.#isFinal && this.#held === undefined && this.#done === 0) {
        area ??= byteArea(chunk);
        this.#bits |= applyMask(area, at, end, this.#mask);
        this.#isInFrame = false;
        this.#complete(area, at, end, sink);
      } else {
        this.#hold(chunk, at, end);
        if (isWhole) this.#isInFrame = false;
        if (isWhole && this.#isFinal) {
          const held = this.#held!;
          const bytes = this.#heldBytes;
          this.#held = undefined;
          this.#heldBytes = 0;
          this.#complete(held, 0, bytes, sink);
        }
      }
      at = end;
    }
  }

  /** Takes no more, and gives back what it keeps. */
  stop(): void {
    this.#isStopped = true;
    this.#frames = 0;
    this.#headerBytes = 0;
    this.#header = undefined;
    this.#held = undefined;
    this.#control = undefined;
  }

  /** Reads a header, or what there is of it; returns where in the chunk what follows begins. */
  #begin(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const had = this.#headerBytes;
    let more = 0;
    let size: number;
    if (had === 0) {
      size = this.#readHeader(chunk, at, chunk.length, sink);
    } else {
      more = Math.min(MAX_HEADER - had, chunk.length - at);
      this.#header!.set(chunk.subarray(at, at + more), had);
      size = this.#readHeader(this.#header!, 0, had + more, sink);
    }
    if (this.#isStopped) return chunk.length;
    if (size > 0) {
      this.#headerBytes = 0;
      this.#header = undefined;
      return at + size - had;
    }
    if (had === 0) {
      this.#header = new Uint8Array(MAX_HEADER);
      this.#header.set(chunk.subarray(at));
      more = chunk.length - at;
    }
    this.#headerBytes = had + more;
    return chunk.length;
  }

  /** The size of the header that starts at `at`; 0 if it is not whole. */
  #readHeader(bytes: Uint8Array, at: number, end: number, sink: FrameSink): number {
    const first = bytes[at];
    const opcode = first & 0x0f;
    const isControl = opcode >= CONTROL;
    const isFinal = (first & FINAL) !== 0;
    const isKnown = opcode <= OPCODE.binary || isControl && opcode <= OPCODE.pong;
    const isInPlace = isControl ? isFinal : (opcode === OPCODE.continuation) === (this.#frames > 0);
    if (!isKnown || !isInPlace || (first & RESERVED) !== 0) {
      return this.#break(CLOSE_CODE.protocolError, sink);
    }
    if (end - at < 2) return 0;
    const { isMasked, messageBytes, messageFrames } = this.#limits;
    const second = bytes[at + 1];
    let length = second & 0x7f;
    if (isControl && length > MAX_CONTROL || (second & MASKED) !== 0 !== isMasked) {
      return this.#break(CLOSE_CODE.protocolError, sink);
    }
    let body = at + 2 + (length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0);
    if (isMasked) body += 4;
    if (body > end) return 0;
    if (length === LENGTH_16) length = bytes[at + 2] << 8 | bytes[at + 3];
    else if (length === LENGTH_64) length = lengthOf8(bytes, at + 2);
    if (!isControl) {
      if (this.#heldBytes + length > messageBytes) return this.#break(CLOSE_CODE.tooBig, sink);
      if (this.#frames === messageFrames) return this.#break(CLOSE_CODE.policy, sink);
      if (this.#frames++ === 0) {
        this.#isText = opcode === OPCODE.text;
        this.#bits = 0;
      }
    }
    this.#isInFrame = true;
    this.#isFinal = isFinal;
    this.#opcode = opcode;
    this.#mask = isMasked
      ? bytes[body - 4] | bytes[body - 3] << 8 | bytes[body - 2] << 16 | bytes[body - 1] << 24
      : 0;
    this.#done = 0;
    this.#left = length;
    return body - at;
  }

  /** Keeps a stretch of a chunk, behind what is kept already. */
  #hold(chunk: Uint8Array, start: number, end: number): void {
    const before = this.#heldBytes;
    const bytes = before + end - start;
    const room = this.#held?.length ?? 0;
    if (this.#held === undefined || bytes > room) {
      const size = Math.min(Math.max(FIRST_ROOM, bytes, 2 * room), this.#limits.messageBytes);
      const larger = byteArea(new Uint8Array(size));
      if (this.#held !== undefined) larger.set(this.#held.subarray(0, before));
      this.#held = larger;
    }
    this.#held.set(chunk.subarray(start, end), before);
    this.#bits |= applyMask(this.#held, before, bytes, rotated(this.#mask, this.#done));
    this.#heldBytes = bytes;
    this.#progress(end - start);
  }

  #progress(count: number): void {
    this.#done += count;
    this.#left -= count;
  }

  #complete(bytes: ByteArea, start: number, end: number, sink: FrameSink): void {
    this.#frames = 0;
    if (this.#isText && (this.#bits & NOT_ASCII) !== 0 && !isUtf8(bytes.subarray(start, end))) {
      this.#break(CLOSE_CODE.notUtf8, sink);
    } else {
      sink.message(bytes, start, end);
    }
  }

  #takeControl(chunk: Uint8Array, start: number, end: number, isWhole: boolean, sink: FrameSink): void {
    const before = this.#done;
    let payload = chunk.subarray(start, end);
    applyMask(payload, 0, payload.length, rotated(this.#mask, before));
    if (!isWhole || before > 0) {
      const control = this.#control ??= new Uint8Array(MAX_CONTROL);
      control.set(payload, before);
      payload = control.subarray(0, before + payload.length);
    }
    this.#progress(end - start);
    if (!isWhole) return;
    this.#isInFrame = false;
    this.#control = undefined;
    if (this.#opcode === OPCODE.ping) sink.pinged(payload);
    else if (this.#opcode === OPCODE.pong) sink.ponged();
    else this.#close(payload, sink);
  }

  #close(payload: Uint8Array, sink: FrameSink): void {
    if (payload.length === 0) {
      this.stop();
      return sink.closed(CLOSE_CODE.none);
    }
    const code = payload.length === 1 ? 0 : payload[0] << 8 | payload[1];
    if (!mayBeSent(code)) this.#break(CLOSE_CODE.protocolError, sink);
    else if (!isUtf8(payload.subarray(2))) this.#break(CLOSE_CODE.notUtf8, sink);
    else {
      this.stop();
      sink.closed(code);
    }
  }

  #break(code: number, sink: FrameSink): 0 {
    this.stop();
    sink.broken(code);
    return 0;
  }
}

/** A length of eight bytes; those that begin with anything but zeros are longer than anything we take. */
function lengthOf8(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let i = at; i < at + 8; i++) length = length * 256 + bytes[i];
  return length;
}

/** The mask as it lies from byte `done` of a payload on. */
function rotated(mask: number, done: number): number {
  const bits = (done & 3) * 8;
  return mask >>> bits | mask << (32 - bits);
}

/** Whether a Close frame may have this code (RFC 6455 §7.4). */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code < 1015 && code !== 1004 && code !== 1005 && code !== 1006;
}
