import { type ByteArea, byteArea } from "../lib/latin1.ts";
import { CONTENT_LENGTH, headerIdAt } from "./header_names.ts";
import { COLON, CR, isTokenChar, LF, parseDecimal, skipSpace, skipToken, SP, TAB, trimEnd } from "./scan.ts";

/** Why nobody can tell where the next message on a stream begins. */
export type StreamFault =
  /** It has more bytes than we take, or says it has. */
  | "too long"
  /** Its Content-Length is no number, or there are several that differ. */
  | "bad length"
  /** It has no Content-Length, which on a stream it must (RFC 3261 §18.3). */
  | "no length"
  /** It cannot be the start of a message. */
  | "not sip";

/** Who takes what a stream is cut into; its methods must not throw. */
export interface FrameSink {
  /** One whole message; the bytes are good until it returns. */
  message(bytes: ByteArea, start: number, end: number): void;
  /** A keep-alive between messages that wants its CRLF (RFC 5626 §4.4.1). */
  ping(): void;
  /** The stream cannot be followed any further; from `start` to `end` is what there is of the header. */
  broken(fault: StreamFault, bytes: ByteArea, start: number, end: number): void;
}

/** Bytes of room for what there is of a message, to begin with. */
const FIRST_ROOM = 1024;

/** Bytes that are kept at a time while it is not known how many belong to the message. */
const STEP = 2048;

/** What Content-Length and its compact form begin with: a look that spares nearly all other rows a closer one. */
const LOWER_C = 0x63;
const LOWER_L = 0x6c;

/** In place of numbers that are not known, or cannot be. */
const NONE = -1;
const BAD = -2;

/**
 * Cuts a stream of bytes into messages and keep-alives (RFC 3261 §7.5, §18.3; RFC 5626 §4.4.1). Each byte is
 * looked at once, however the stream is split. A message that lies whole in a chunk is handed on from there;
 * of an unfinished one the bytes are kept, no more of them than a message may have.
 */
export class Framer {
  readonly #maxBytes: number;
  #isStopped = false;
  /** How much was seen of the CRLFCRLF that is a ping. */
  #pingBytes = 0;

  /** What there is of an unfinished message. */
  #held: ByteArea | undefined = undefined;
  #heldBytes = 0;

  // Of the message that is being read; places are counted from its start.
  #scanned = 0;
  #lineStart = 0;
  /** Where the value of a Content-Length row starts that may not be over yet. */
  #valueStart = NONE;
  #length = NONE;
  /** Its bytes in all, once the header is whole. */
  #size = NONE;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether bytes of an unfinished message are kept. */
  get isPartial(): boolean {
    return this.#held !== undefined;
  }

  /** Takes the next bytes of the stream and tells `sink` what is complete with them. */
  push(chunk: Uint8Array, sink: FrameSink): void {
    let at = this.#held === undefined ? 0 : this.#goOn(chunk, sink);
    let area: ByteArea | undefined;
    let text = "";
    let textStart = 0;
    while (!this.#isStopped && at < chunk.length) {
      at = this.#skipEmptyLines(chunk, at, sink);
      if (this.#isStopped || at === chunk.length) return;
      if (area === undefined) {
        area = byteArea(chunk);
        text = area.latin1Slice(at, chunk.length);
        textStart = at;
      }
      if (!isTokenChar(area[at])) return this.#break("not sip", area, at, chunk.length, sink);
      this.#begin();
      if (!this.#readHeader(area, at, chunk.length, text, textStart)) {
        if (chunk.length - at >= this.#maxBytes) {
          return this.#break("too long", area, at, at + this.#maxBytes, sink);
        }
        return this.#hold(chunk, at, chunk.length);
      }
      const fault = this.#fault();
      if (fault !== undefined) return this.#break(fault, area, at, at + this.#scanned, sink);
      const end = at + this.#size;
      if (end > chunk.length) return this.#hold(chunk, at, chunk.length);
      sink.message(area, at, end);
      at = end;
    }
  }

  /** Takes no more, and gives back what it keeps. */
  stop(): void {
    this.#isStopped = true;
    this.#held = undefined;
  }

  /** Adds to the message that is kept; returns where in the chunk what follows it begins. */
  #goOn(chunk: Uint8Array, sink: FrameSink): number {
    let at = 0;
    while (at < chunk.length) {
      const before = this.#heldBytes;
      const isHeader = this.#size === NONE;
      const wanted = isHeader ? Math.min(STEP, this.#maxBytes - before) : this.#size - before;
      this.#hold(chunk, at, Math.min(chunk.length, at + wanted));
      const held = this.#held!;
      if (isHeader) {
        const more = held.latin1Slice(before, this.#heldBytes);
        if (!this.#readHeader(held, 0, this.#heldBytes, more, before)) {
          if (this.#heldBytes === this.#maxBytes) this.#break("too long", held, 0, this.#maxBytes, sink);
          if (this.#isStopped) return chunk.length;
          at += this.#heldBytes - before;
          continue;
        }
        const fault = this.#fault();
        if (fault !== undefined) {
          this.#break(fault, held, 0, this.#scanned, sink);
          return chunk.length;
        }
      }
      const end = Math.min(this.#size, this.#heldBytes);
      at += end - before;
      if (end < this.#size) continue;
      this.#held = undefined;
      this.#heldBytes = 0;
      sink.message(held, 0, end);
      return at;
    }
    return at;
  }

  /** Keeps a stretch of a chunk, behind what is kept already. */
  #hold(chunk: Uint8Array, start: number, end: number): void {
    const bytes = this.#heldBytes + end - start;
    const room = this.#held?.length ?? 0;
    if (bytes > room) {
      const larger = byteArea(
        new Uint8Array(Math.min(Math.max(FIRST_ROOM, bytes, 2 * room), this.#maxBytes)),
      );
      if (this.#held !== undefined) larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held!.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = bytes;
  }

  /** Passes over CRs and LFs from `at` on, pings among them (RFC 3261 §7.5). */
  #skipEmptyLines(chunk: Uint8Array, at: number, sink: FrameSink): number {
    let i = at;
    for (; i < chunk.length && !this.#isStopped; i++) {
      const code = chunk[i];
      if (code === CR) {
        this.#pingBytes = this.#pingBytes === 2 ? 3 : 1;
      } else if (code === LF && this.#pingBytes === 3) {
        this.#pingBytes = 0;
        sink.ping();
      } else if (code === LF) {
        this.#pingBytes = this.#pingBytes === 1 ? 2 : 0;
      } else {
        this.#pingBytes = 0;
        break;
      }
    }
    return i;
  }

  #begin(): void {
    this.#scanned = 0;
    this.#lineStart = 0;
    this.#valueStart = NONE;
    this.#length = NONE;
    this.#size = NONE;
  }

  /**
   * Reads on in the header of the message that starts at `base`; whether it is whole now. `text` are the bytes
   * from `textStart` to `end`: what is new, at least. Lines are found much faster in a text.
   */
  #readHeader(bytes: Uint8Array, base: number, end: number, text: string, textStart: number): boolean {
    for (;;) {
      const lf = text.indexOf("\n", base + this.#scanned - textStart) + textStart;
      if (lf < textStart) {
        this.#scanned = end - base;
        return false;
      }
      const line = base + this.#lineStart;
      this.#scanned = lf + 1 - base;
      this.#lineStart = this.#scanned;
      const first = bytes[line];
      // The row above goes on.
      if (first === SP || first === TAB) continue;
      if (this.#valueStart !== NONE) this.#takeLength(bytes, base + this.#valueStart, line);
      // Lines without a CR are the parser's to refuse; here they only must not hide where the header ends.
      if (first === LF || first === CR && lf === line + 1) {
        this.#size = this.#scanned + Math.max(this.#length, 0);
        return true;
      }
      const letter = first | 0x20;
      if ((letter === LOWER_C || letter === LOWER_L) && line > base) {
        const value = lengthValue(bytes, line, lf);
        if (value >= 0) this.#valueStart = value - base;
      }
    }
  }

  #takeLength(bytes: Uint8Array, start: number, end: number): void {
    const from = skipSpace(bytes, start, end);
    const value = parseDecimal(bytes, from, trimEnd(bytes, from, end), Infinity);
    const isBad = value < 0 || this.#length !== NONE && this.#length !== value;
    this.#length = isBad ? BAD : value;
    this.#valueStart = NONE;
  }

  /** What keeps a message from being cut out whose header is whole. */
  #fault(): StreamFault | undefined {
    if (this.#length === BAD) return "bad length";
    if (this.#size > this.#maxBytes) return "too long";
    return this.#length === NONE ? "no length" : undefined;
  }

  #break(fault: StreamFault, bytes: ByteArea, start: number, end: number, sink: FrameSink): void {
    this.stop();
    sink.broken(fault, bytes, start, end);
  }
}

/** Where the value starts if the row from `start` to `end` is a Content-Length; -1 if it is another. */
function lengthValue(bytes: Uint8Array, start: number, end: number): number {
  const nameEnd = skipToken(bytes, start, end);
  if (headerIdAt(bytes, start, nameEnd) !== CONTENT_LENGTH) return -1;
  const colon = skipSpace(bytes, nameEnd, end);
  return colon < end && bytes[colon] === COLON ? colon + 1 : -1;
}
