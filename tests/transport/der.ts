import { latin1Bytes } from "../../src/lib/latin1.ts";
import { parseIpv4, parseIpv6 } from "../../src/lib/ip_address.ts";

/**
 * A certificate in DER that is for `names`, each after its kind and a colon: DNS, URI, IP, or CN; as far as
 * names go: nothing in it is signed.
 */
export function certificateOf(names: readonly string[], { hasVersion = true } = {}): Uint8Array {
  const isCommon = (name: string) => name.startsWith("CN:");
  const others = names.filter((name) => !isCommon(name));
  const empty = value(0x30, []);
  return value(0x30, [
    value(0x30, [
      ...(hasVersion ? [value(0xa0, [value(0x02, [Uint8Array.of(2)])])] : []),
      value(0x02, [Uint8Array.of(1)]),
      empty,
      empty,
      empty,
      value(0x30, names.filter(isCommon).map((name) => commonName(name.slice(3)))),
      empty,
      ...(others.length === 0 ? [] : [value(0xa3, [value(0x30, [basicConstraints(), altNames(others)])])]),
    ]),
    empty,
    value(0x03, [Uint8Array.of(0)]),
  ]);
}

function commonName(name: string): Uint8Array {
  const oid = value(0x06, [Uint8Array.of(0x55, 0x04, 0x03)]);
  return value(0x31, [value(0x30, [oid, value(0x0c, [latin1Bytes(name)])])]);
}

function basicConstraints(): Uint8Array {
  return value(0x30, [
    value(0x06, [Uint8Array.of(0x55, 0x1d, 0x13)]),
    value(0x01, [Uint8Array.of(0xff)]),
    value(0x04, [value(0x30, [])]),
  ]);
}

function altNames(names: readonly string[]): Uint8Array {
  return value(0x30, [
    value(0x06, [Uint8Array.of(0x55, 0x1d, 0x11)]),
    value(0x04, [value(0x30, names.map(altName))]),
  ]);
}

function altName(name: string): Uint8Array {
  const text = name.slice(name.indexOf(":") + 1);
  if (name.startsWith("DNS:")) return value(0x82, [latin1Bytes(text)]);
  if (name.startsWith("URI:")) return value(0x86, [latin1Bytes(text)]);
  return value(0x87, [(parseIpv4(text) ?? parseIpv6(text))!]);
}

/** One value: its tag, its length, and what is in it. */
function value(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Uint8Array.from([...head, ...parts.flatMap((part) => [...part])]);
}
