/** What each value of a byte does to the remainder. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** The CRC-32 of ITU V.42 over the bytes from `start` to `end`, as an unsigned number. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  let remainder = -1;
  for (let i = start; i < end; i++) remainder = (remainder >>> 8) ^ TABLE[(remainder ^ bytes[i]) & 0xff];
  return ~remainder >>> 0;
}
