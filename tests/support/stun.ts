import { crc32 } from "node:zlib";
import { formatIp } from "../../src/lib/ip_address.ts";

/** The id of the requests of tests. */
export const TRANSACTION_ID = Uint8Array.from({ length: 12 }, (_, i) => 0xf0 + i);

/** One attribute: its type and the bytes of its value. */
export type StunAttribute = readonly [type: number, value: Uint8Array | readonly number[]];

/** What a request is to be; what is left out is as a plain Binding request has it. */
export interface StunRequestOptions {
  readonly type?: number;
  readonly attributes?: readonly StunAttribute[];
  /** Whether a FINGERPRINT is to be its last attribute. */
  readonly fingerprint?: boolean;
}

/** A STUN message as a client sends it. */
export function stunRequest(options: StunRequestOptions = {}): Uint8Array<ArrayBuffer> {
  const { type = 0x0001, attributes = [], fingerprint = false } = options;
  const body = attributes.flatMap(([type, value]) => {
    const header = [type >> 8, type & 0xff, value.length >> 8, value.length & 0xff];
    return [...header, ...value, ...new Array<number>((4 - value.length % 4) % 4).fill(0x20)];
  });
  const length = body.length + (fingerprint ? 8 : 0);
  const start = [type >> 8, type & 0xff, length >> 8, length & 0xff, 0x21, 0x12, 0xa4, 0x42];
  const message = Uint8Array.from([...start, ...TRANSACTION_ID, ...body]);
  if (!fingerprint) return message;
  const whole = new Uint8Array(message.length + 8);
  whole.set(message);
  new DataView(whole.buffer).setUint32(message.length, 0x8028_0004);
  new DataView(whole.buffer).setUint32(message.length + 4, (crc32(message) ^ 0x5354554e) >>> 0);
  return whole;
}

/** What a client reads from a response. */
export interface StunResponse {
  readonly type: number;
  readonly transactionId: Uint8Array;
  /** The types of its attributes, in their order. */
  readonly attributes: readonly number[];
  /** What XOR-MAPPED-ADDRESS tells. */
  readonly mapped?: { readonly address: string; readonly port: number };
  readonly error?: { readonly code: number; readonly reason: string };
  readonly unknown?: readonly number[];
  readonly software?: string;
  readonly hasFingerprint: boolean;
}

/** Reads a response as a strict client does; throws Error if anything is wrong with it. */
export function parseStunResponse(bytes: Uint8Array): StunResponse {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const check = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`Not a STUN response: ${what}`);
  };
  check(bytes.length >= 20 && bytes[0] < 0x40, "the header");
  check(view.getUint16(2) === bytes.length - 20 && bytes.length % 4 === 0, "the length");
  check(view.getUint32(4) === 0x2112a442, "the cookie");
  const values = new Map<number, DataView>();
  for (let at = 20, length = 0; at < bytes.length; at += 4 + Math.ceil(length / 4) * 4) {
    const type = view.getUint16(at);
    length = view.getUint16(at + 2);
    check(at + 4 + length <= bytes.length, "an attribute runs over the end");
    check(!values.has(type), "an attribute is there twice");
    check(!values.has(0x8028), "the FINGERPRINT is not the last");
    values.set(type, new DataView(bytes.buffer, bytes.byteOffset + at + 4, length));
  }
  const [mapped, error, unknown] = [values.get(0x0020), values.get(0x0009), values.get(0x000a)];
  const fingerprint = values.get(0x8028);
  if (fingerprint !== undefined) {
    const sum = crc32(bytes.subarray(0, bytes.length - 8));
    check(fingerprint.getUint32(0) === (sum ^ 0x5354554e) >>> 0, "the FINGERPRINT is wrong");
  }
  const software = values.get(0x8022);
  return {
    type: view.getUint16(0),
    transactionId: bytes.slice(8, 20),
    attributes: [...values.keys()],
    hasFingerprint: fingerprint !== undefined,
    ...(mapped && { mapped: mappedAddress(mapped, bytes.slice(4, 20)) }),
    ...(error && { error: { code: error.getUint8(2) * 100 + error.getUint8(3), reason: textOf(error, 4) } }),
    ...(unknown &&
      { unknown: Array.from({ length: unknown.byteLength / 2 }, (_, i) => unknown.getUint16(2 * i)) }),
    ...(software && { software: textOf(software, 0) }),
  };
}

function mappedAddress(value: DataView, mask: Uint8Array): { address: string; port: number } {
  const length = [0, 4, 16][value.getUint8(1)];
  if (value.byteLength !== 4 + length) throw new Error("Not a STUN response: the address");
  const ip = Uint8Array.from({ length }, (_, i) => value.getUint8(4 + i) ^ mask[i]);
  return { address: formatIp(ip), port: value.getUint16(2) ^ 0x2112 };
}

function textOf(value: DataView, from: number): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(
    new Uint8Array(value.buffer, value.byteOffset + from, value.byteLength - from),
  );
}
