import { isUtf8 } from "node:buffer";
import { encodeLatin1 } from "../lib/latin1.ts";
import { OPCODE } from "./frames.ts";
import { applyMask } from "./mask.ts";

/** Gives a random number of 32 bits for each frame of a client: nobody may be able to foresee it (RFC 6455 §5.3). */
export type MaskSource = () => number;

const FINAL = 0x80;
const MASKED = 0x80;

/**
 * Those of `texts` from `first` up to `end`, each as a message of one frame: text if its bytes are UTF-8, else binary
 * (RFC 7118 §4.2). A client gives `masks`, a server none.
 */
export function messageFrames(
  texts: readonly string[],
  first: number,
  end: number,
  masks?: MaskSource,
): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (let i = first; i < end; i++) size += headerSize(texts[i].length, masks) + texts[i].length;
  const frames = new Uint8Array(size);
  let at = 0;
  for (let i = first; i < end; i++) {
    const { length } = texts[i];
    const body = at + headerSize(length, masks);
    encodeLatin1(texts[i], frames, body);
    const opcode = isUtf8(frames.subarray(body, body + length)) ? OPCODE.text : OPCODE.binary;
    at = finish(frames, at, opcode, length, masks);
  }
  return frames;
}

/** A control frame with at most 125 bytes of payload. */
export function controlFrame(
  opcode: typeof OPCODE.close | typeof OPCODE.ping | typeof OPCODE.pong,
  payload: Uint8Array,
  masks?: MaskSource,
): Uint8Array<ArrayBuffer> {
  const header = headerSize(payload.length, masks);
  const frame = new Uint8Array(header + payload.length);
  frame.set(payload, header);
  finish(frame, 0, opcode, payload.length, masks);
  return frame;
}

function headerSize(length: number, masks: MaskSource | undefined): number {
  const size = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  return masks === undefined ? size : size + 4;
}

/** Puts the header before a payload that lies in its place; returns where the frame ends. */
function finish(
  area: Uint8Array,
  at: number,
  opcode: number,
  length: number,
  masks: MaskSource | undefined,
): number {
  const masked = masks === undefined ? 0 : MASKED;
  area[at] = FINAL | opcode;
  let next = at + 2;
  if (length < 126) {
    area[at + 1] = masked | length;
  } else if (length < 0x10000) {
    area[at + 1] = masked | 126;
    area[next++] = length >>> 8;
    area[next++] = length;
  } else {
    area[at + 1] = masked | 127;
    // No text has 2^32 bytes.
    next += 4;
    for (let shift = 24; shift >= 0; shift -= 8) area[next++] = length >>> shift;
  }
  if (masks !== undefined) {
    const mask = masks();
    for (let shift = 0; shift < 32; shift += 8) area[next++] = mask >>> shift;
    applyMask(area, next, next + length, mask);
  }
  return next + length;
}
