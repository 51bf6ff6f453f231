import { Buffer } from "node:buffer";

/**
 * One char per byte, both ways: the whole server keeps messages as latin1 text, so an offset is a byte and
 * UTF-8 inside a message passes through unharmed.
 */

/** A Buffer with the reader that Node has and its types forget. */
export interface ByteArea extends Buffer {
  latin1Slice(start: number, end: number): string;
}

const encoder = new TextEncoder();
/** A byte order mark is a char like any other. */
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A view of the same memory whose `latin1Slice` reads bytes as text, one char per byte. */
export function byteArea(bytes: Uint8Array): ByteArea {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as ByteArea;
}

/**
 * Writes `text` into `area` at `at`, one byte per char, and returns how many bytes that was: `text.length`.
 * The area must have room for them. What lies behind them stays as it is, unless `at` is 0: an area that is
 * written from its start is taken as free.
 */
export function encodeLatin1(text: string, area: Uint8Array, at = 0): number {
  const length = text.length;
  // encodeInto is the fastest writer by far, but it writes UTF-8: only for ASCII are the two the same.
  const { written, read } = encoder.encodeInto(text, at === 0 ? area : area.subarray(at, at + length));
  if (written === length && read === length) return length;
  for (let i = 0; i < length; i++) area[at + i] = text.charCodeAt(i);
  return length;
}

/**
 * The same text in memory of its own: what is cut from a message keeps the whole message alive, so what
 * outlives the message is copied.
 */
export function ownCopy(text: string): string {
  // Joining makes a new text, and cutting from that flattens it; a short cut is a copy in any case.
  return (text + " ").slice(0, -1);
}

/** The bytes of `text`, one per char, in an array of their own. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  encodeLatin1(text, bytes);
  return bytes;
}

/** Any Unicode text as the latin1 text of its UTF-8 bytes: what a message holds for it. */
export function toWire(text: string): string {
  const bytes = encoder.encode(text);
  return byteArea(bytes).latin1Slice(0, bytes.length);
}

/** The Unicode text behind latin1 text from the wire; what is not UTF-8 becomes U+FFFD. */
export function fromWire(text: string): string {
  return utf8Decoder.decode(latin1Bytes(text));
}
