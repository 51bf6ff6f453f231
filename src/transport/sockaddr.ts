import { formatIp, isIpv6, parseIpv4, parseIpv6 } from "../lib/ip_address.ts";
import type { SocketAddress } from "./flow.ts";

/** `struct sockaddr_in` and `sockaddr_in6` as Linux lays them out, in 32-bit words as the kernel wants them. */

/** Address families. */
export const AF_INET = 2;
export const AF_INET6 = 10;
/** Room for either, in bytes; a power of two, so that rows of them are easily indexed. */
export const SOCKADDR_ROW = 32;
const IN_BYTES = 16;
const IN6_BYTES = 28;

/** The structure for an address; its length in bytes is 16 or 28. Throws on text that is no address. */
export function sockaddrOf({ address, port }: SocketAddress): Uint8Array<ArrayBuffer> {
  const v6 = isIpv6(address);
  const ip = v6 ? parseIpv6(address) : parseIpv4(address);
  if (ip === undefined) throw new Error(`Not an IP address: ${address}`);
  const bytes = new Uint8Array(v6 ? IN6_BYTES : IN_BYTES);
  bytes[0] = v6 ? AF_INET6 : AF_INET;
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  bytes.set(ip, v6 ? 8 : 4);
  return bytes;
}

/** Reads the structure at `at`. */
export function readSockaddr(bytes: Uint8Array, at: number): SocketAddress {
  const family = bytes[at] | (bytes[at + 1] << 8);
  const port = (bytes[at + 2] << 8) | bytes[at + 3];
  const ip = family === AF_INET6 ? bytes.subarray(at + 8, at + 24) : bytes.subarray(at + 4, at + 8);
  return { address: formatIp(ip), port };
}

/** What an IPv6 flow is known by: port and address, two bytes a char. */
export function ipv6Key(words: Uint32Array, word: number): string {
  const a = words[word + 2];
  const b = words[word + 3];
  const c = words[word + 4];
  const d = words[word + 5];
  return String.fromCharCode(
    words[word] >>> 16,
    a >>> 16,
    a & 0xffff,
    b >>> 16,
    b & 0xffff,
    c >>> 16,
    c & 0xffff,
    d >>> 16,
    d & 0xffff,
  );
}

/** What an IPv4 flow is known by: address and port in one number. */
export function ipv4Key(address: number, port: number): number {
  return address * 65_536 + port;
}

/** A word from the network, where the first byte is the highest. */
export function byteSwapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
