/** IP addresses as text: IPv4 in dotted form, IPv6 without brackets in the form of RFC 5952. */

/** A dotted IPv4 address as a number from 0 to 2^32 - 1, the first byte the highest; -1 if `text` is none. */
export function ipv4Number(text: string): number {
  let number = 0;
  let parts = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0 || ++parts > 3) return -1;
      number = number * 256 + value;
      digits = 0;
      value = 0;
    } else if (code >= 0x30 && code <= 0x39) {
      value = value * 10 + (code - 0x30);
      if (++digits > 3 || value > 255) return -1;
    } else {
      return -1;
    }
  }
  return digits === 0 || parts !== 3 ? -1 : number * 256 + value;
}

/** The four bytes of a dotted IPv4 address; undefined if `text` is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const number = ipv4Number(text);
  if (number < 0) return undefined;
  return Uint8Array.of(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff);
}

/**
 * The sixteen bytes of an IPv6 address without brackets or zone; undefined if `text` is none. The third colon
 * that the grammar of RFC 3261 by mistake wants before an IPv4 tail is borne with (RFC 5118 §4.10).
 */
export function parseIpv6(text: string): Uint8Array | undefined {
  const isOdd = text.includes(":::") && text.includes(".");
  const halves = (isOdd ? text.replace(/:::(?=[0-9.]+$)/, "::") : text).split("::");
  if (halves.length > 2) return undefined;
  // An IPv4 tail is the end of the whole address, or none.
  const head = groupsOf(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1], true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  head.forEach((group, i) => setGroup(bytes, i, group));
  tail.forEach((group, i) => setGroup(bytes, 8 - tail.length + i, group));
  return bytes;
}

function setGroup(bytes: Uint8Array, index: number, group: number): void {
  bytes[index * 2] = group >> 8;
  bytes[index * 2 + 1] = group & 0xff;
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      groups.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3]);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}

/** The text of four or sixteen bytes; an IPv4-mapped IPv6 address is shown as the IPv4 address it is. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (isMapped(bytes)) return formatIp(bytes.subarray(12));
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2] << 8) | bytes[i * 2 + 1]);
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(i, end);
  }
  return best;
}

/** Whether `text` is an IP address, of either family, without brackets. */
export function isIpAddress(text: string): boolean {
  return isIpv6(text) ? parseIpv6(text) !== undefined : ipv4Number(text) >= 0;
}

/** Whether an address or host is written as IPv6: only there can a colon be. */
export function isIpv6(text: string): boolean {
  return text.includes(":");
}

/** One spelling per address: IPv6 by RFC 5952; undefined if `text` is no address. */
export function canonicalIp(text: string): string | undefined {
  const bytes = isIpv6(text) ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : formatIp(bytes);
}

/** An address as it stands in a URI or before a port: IPv6 in brackets. */
export function bracketed(address: string): string {
  return isIpv6(address) ? `[${address}]` : address;
}

/** Whether packets may be sent there at all: not the unspecified address, broadcast or multicast. */
export function isUnicast(address: string): boolean {
  const bytes = isIpv6(address) ? parseIpv6(address) : parseIpv4(address);
  if (bytes === undefined) return false;
  if (bytes.length === 16 && !isMapped(bytes)) return bytes[0] !== 0xff && bytes.some((byte) => byte !== 0);
  const first = bytes[bytes.length - 4];
  return first !== 0 && first < 224;
}
