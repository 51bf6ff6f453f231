/** Bytes from which on going by words is worth its preparation. */
const LONG = 32;

/**
 * Masks the bytes from `start` to `end`, or takes the mask off again (RFC 6455 §5.3): the lowest byte of `mask` is for
 * the first of them. Returns the OR of what they are then, each in any of its four bytes.
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, mask: number): number {
  let bits = 0;
  let at = start;
  if (end - start >= LONG) {
    const words = (end - start) & ~3;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, words);
    for (let i = 0; i < words; i += 4) {
      const word = view.getInt32(i, true) ^ mask;
      view.setInt32(i, word, true);
      bits |= word;
    }
    at += words;
  }
  for (let i = 0; at < end; i++) bits |= bytes[at++] ^= mask >>> ((i & 3) * 8) & 0xff;
  return bits;
}
