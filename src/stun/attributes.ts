import { crc32 } from "./crc32.ts";
import {
  ATTRIBUTE_HEADER_BYTES,
  attributeBytes,
  COOKIE_AT,
  HEADER_BYTES,
  readUint16,
  readUint32,
  type ResponseWriter,
  writeUint16,
  writeUint32,
} from "./message.ts";

const MESSAGE_INTEGRITY = 0x0008;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const MESSAGE_INTEGRITY_SHA256 = 0x001c;
const XOR_MAPPED_ADDRESS = 0x0020;
const SOFTWARE = 0x8022;
const FINGERPRINT = 0x8028;

/** From here on an attribute that is not known may be passed over (RFC 8489 §14). */
const COMPREHENSION_OPTIONAL = 0x8000;

/**
 * Attributes below that which are known, though a Binding request without credentials has no use for them:
 * they are to be ignored (RFC 8489 §6.3). What RFC 3489 and RFC 5780 have a server do for a client, above all
 * CHANGE-REQUEST (0x0003), is not among them: not to do it and say nothing would mislead the client.
 */
const KNOWN: ReadonlySet<number> = new Set([
  0x0001, // MAPPED-ADDRESS
  0x0006, // USERNAME
  MESSAGE_INTEGRITY,
  ERROR_CODE,
  UNKNOWN_ATTRIBUTES,
  0x0014, // REALM
  0x0015, // NONCE
  MESSAGE_INTEGRITY_SHA256,
  0x001d, // PASSWORD-ALGORITHM
  0x001e, // USERHASH
  XOR_MAPPED_ADDRESS,
  0x0024, // PRIORITY (RFC 8445)
  0x0025, // USE-CANDIDATE (RFC 8445)
]);

/** What the CRC of a FINGERPRINT is mixed with (RFC 8489 §14.7). */
const FINGERPRINT_MASK = 0x5354554e;

const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** Bytes of a FINGERPRINT attribute, its header included. */
export const FINGERPRINT_BYTES = attributeBytes(4);

/** What a server has to know of the attributes of a request. */
export interface RequestAttributes {
  /** The types of those that must be understood and are not, in their order. */
  readonly unknown: readonly number[];
  /** Whether it has a FINGERPRINT, and that is right. */
  readonly hasFingerprint: boolean;
}

const NONE: readonly number[] = [];

/**
 * Reads the attributes of the message from `start` to `end`; undefined if one runs over the end, or a
 * FINGERPRINT is wrong or not the last. What follows MESSAGE-INTEGRITY counts for nothing (RFC 8489 §9).
 */
export function readAttributes(bytes: Uint8Array, start: number, end: number): RequestAttributes | undefined {
  let unknown: number[] | undefined;
  let isSealed = false;
  let next = 0;
  for (let at = start + HEADER_BYTES; at < end; at = next) {
    const type = readUint16(bytes, at);
    const length = readUint16(bytes, at + 2);
    next = at + attributeBytes(length);
    if (next > end) return undefined;
    if (type === FINGERPRINT) {
      if (length !== 4 || next !== end || !isRightFingerprint(bytes, start, at)) return undefined;
      return { unknown: unknown ?? NONE, hasFingerprint: true };
    }
    if (isSealed) continue;
    if (type === MESSAGE_INTEGRITY || type === MESSAGE_INTEGRITY_SHA256) isSealed = true;
    else if (type < COMPREHENSION_OPTIONAL && !KNOWN.has(type)) (unknown ??= []).push(type);
  }
  return { unknown: unknown ?? NONE, hasFingerprint: false };
}

function isRightFingerprint(bytes: Uint8Array, start: number, at: number): boolean {
  return readUint32(bytes, at + ATTRIBUTE_HEADER_BYTES) === fingerprintOf(bytes, start, at);
}

/** The FINGERPRINT of the message that starts at `start` and whose attribute FINGERPRINT starts at `at`. */
function fingerprintOf(bytes: Uint8Array, start: number, at: number): number {
  return (crc32(bytes, start, at) ^ FINGERPRINT_MASK) >>> 0;
}

/** Bytes an XOR-MAPPED-ADDRESS takes for an address of four or sixteen bytes. */
export function xorMappedAddressBytes(ip: Uint8Array): number {
  return attributeBytes(4 + ip.length);
}

/** Writes where a request came from, mixed with the header so that no NAT rewrites it (RFC 8489 §14.2). */
export function writeXorMappedAddress(writer: ResponseWriter, ip: Uint8Array, port: number): void {
  const { bytes } = writer;
  const at = writer.attribute(XOR_MAPPED_ADDRESS, 4 + ip.length);
  bytes[at + 1] = ip.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  writeUint16(bytes, at + 2, port ^ readUint16(bytes, COOKIE_AT));
  for (let i = 0; i < ip.length; i++) bytes[at + 4 + i] = ip[i] ^ bytes[COOKIE_AT + i];
}

/** Bytes an ERROR-CODE takes with this reason, which is ASCII. */
export function errorCodeBytes(reason: string): number {
  return attributeBytes(4 + reason.length);
}

/** Writes a status and its reason, which is ASCII (RFC 8489 §14.8). */
export function writeErrorCode(writer: ResponseWriter, code: number, reason: string): void {
  const { bytes } = writer;
  const at = writer.attribute(ERROR_CODE, 4 + reason.length);
  bytes[at + 2] = Math.floor(code / 100);
  bytes[at + 3] = code % 100;
  for (let i = 0; i < reason.length; i++) bytes[at + 4 + i] = reason.charCodeAt(i);
}

/** Bytes an UNKNOWN-ATTRIBUTES takes for these types. */
export function unknownAttributesBytes(types: readonly number[]): number {
  return attributeBytes(2 * types.length);
}

/** Writes the types that were not understood (RFC 8489 §14.13). */
export function writeUnknownAttributes(writer: ResponseWriter, types: readonly number[]): void {
  const at = writer.attribute(UNKNOWN_ATTRIBUTES, 2 * types.length);
  for (let i = 0; i < types.length; i++) writeUint16(writer.bytes, at + 2 * i, types[i]);
}

/** Bytes a SOFTWARE takes; an empty one is left out. */
export function softwareBytes(name: Uint8Array): number {
  return name.length === 0 ? 0 : attributeBytes(name.length);
}

/** Writes a name in UTF-8 (RFC 8489 §14.14), or nothing if it is empty. */
export function writeSoftware(writer: ResponseWriter, name: Uint8Array): void {
  if (name.length > 0) writer.bytes.set(name, writer.attribute(SOFTWARE, name.length));
}

/** Writes the checksum of all that is before it; it must be the last (RFC 8489 §14.7). */
export function writeFingerprint(writer: ResponseWriter): void {
  const { bytes } = writer;
  const at = writer.attribute(FINGERPRINT, 4);
  writeUint32(bytes, at, fingerprintOf(bytes, 0, at - ATTRIBUTE_HEADER_BYTES));
}
