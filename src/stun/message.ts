/** Bytes before the first attribute: type, length, magic cookie and transaction id (RFC 8489 §5). */
export const HEADER_BYTES = 20;
/** Bytes before the value of an attribute: its type and its length (RFC 8489 §14). */
export const ATTRIBUTE_HEADER_BYTES = 4;

/** Where the header has the magic cookie, with the transaction id behind it. */
export const COOKIE_AT = 4;

/** Message types: the method Binding in three of its classes (RFC 8489 §5). */
export const BINDING_REQUEST = 0x0001;
export const BINDING_SUCCESS = 0x0101;
export const BINDING_ERROR = 0x0111;

const MAGIC_COOKIE = 0x2112a442;

/**
 * Whether the datagram from `start` to `end` has the header of a STUN message: two zero bits, the cookie, and
 * a length that is the datagram's (RFC 8489 §5). What is older than RFC 5389 has no cookie and is not.
 */
export function isStun(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start - HEADER_BYTES;
  return length >= 0 && (length & 3) === 0 && bytes[start] < 0x40 &&
    readUint32(bytes, start + COOKIE_AT) === MAGIC_COOKIE && readUint16(bytes, start + 2) === length;
}

/** The two bytes at `at`, the first the higher. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** The four bytes at `at` as an unsigned number, the first the highest. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/** Writes the lower sixteen bits of `value` at `at`. */
export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes `value` at `at` in four bytes. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value);
}

/** Bytes an attribute takes whose value has `length` of them: the header comes on top, and padding to four. */
export function attributeBytes(length: number): number {
  return ATTRIBUTE_HEADER_BYTES + ((length + 3) & ~3);
}

/** A response being written: the header at once, then one attribute after the other into room set aside. */
export class ResponseWriter {
  /** The whole message; zero where nothing is written yet. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  #at = HEADER_BYTES;

  /** Answers the request that starts at `start`; `room`: the bytes of all attributes to come. */
  constructor(type: number, request: Uint8Array, start: number, room: number) {
    const bytes = new Uint8Array(HEADER_BYTES + room);
    writeUint16(bytes, 0, type);
    writeUint16(bytes, 2, room);
    for (let i = COOKIE_AT; i < HEADER_BYTES; i++) bytes[i] = request[start + i];
    this.bytes = bytes;
  }

  /** Begins an attribute whose value has `length` bytes; where that value is to be written. */
  attribute(type: number, length: number): number {
    const { bytes } = this;
    const at = this.#at;
    writeUint16(bytes, at, type);
    writeUint16(bytes, at + 2, length);
    this.#at = at + attributeBytes(length);
    return at + ATTRIBUTE_HEADER_BYTES;
  }
}
