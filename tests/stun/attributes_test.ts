import { parseIpv4, parseIpv6 } from "../../src/lib/ip_address.ts";
import { readAttributes, writeFingerprint, writeXorMappedAddress } from "../../src/stun/attributes.ts";
import { ResponseWriter } from "../../src/stun/message.ts";
import { REQUEST, REQUESTS, RESPONSES } from "../data/rfc5769.ts";
import { assertEquals } from "../support/assert.ts";
import { type StunAttribute, stunRequest } from "../support/stun.ts";

/** The attributes of a message amid other bytes. */
function read(bytes: Uint8Array) {
  const area = new Uint8Array(bytes.length + 40).fill(0x21);
  area.set(bytes, 20);
  return readAttributes(area, 20, 20 + bytes.length);
}

for (const { section, bytes, hasFingerprint } of [...REQUESTS, ...RESPONSES]) {
  Deno.test(`${section}: every attribute is known, and the FINGERPRINT is right`, () => {
    assertEquals(read(bytes), { unknown: [], hasFingerprint });
  });
}

for (const { section, bytes, mapped } of RESPONSES) {
  Deno.test(`${section}: XOR-MAPPED-ADDRESS and FINGERPRINT are written alike`, () => {
    const { address, port } = mapped!;
    const ip = parseIpv4(address) ?? parseIpv6(address)!;
    const expected = bytes.subarray(36, 36 + 8 + ip.length);
    const writer = new ResponseWriter(0x0101, bytes, 0, expected.length);
    writeXorMappedAddress(writer, ip, port);
    assertEquals(writer.bytes.subarray(20), expected);
    // The whole of the vector, to be closed once more.
    const end = bytes.length - 8;
    const again = new ResponseWriter(0x0101, bytes, 0, bytes.length - 20);
    again.attribute(0, end - 24);
    again.bytes.set(bytes.subarray(20, end), 20);
    writeFingerprint(again);
    assertEquals(again.bytes, bytes);
  });
}

Deno.test("a FINGERPRINT that is off by any one bit of the message is wrong", () => {
  for (let bit = 160; bit < REQUEST.bytes.length * 8; bit++) {
    const bytes = REQUEST.bytes.slice();
    bytes[bit >> 3] ^= 1 << (bit & 7);
    // Another type makes it another attribute, another length something that does not end there.
    const isItsHeader = bit >= (bytes.length - 8) * 8 && bit < (bytes.length - 4) * 8;
    if (!isItsHeader) assertEquals(read(bytes)?.hasFingerprint ?? false, false, `bit ${bit}`);
  }
});

const MESSAGE_INTEGRITY: StunAttribute = [0x0008, new Uint8Array(20)];
const SHA256: StunAttribute = [0x001c, new Uint8Array(32)];

const UNKNOWN: readonly (readonly [string, readonly StunAttribute[], readonly number[]])[] = [
  ["nothing", [], []],
  ["optional attributes that are not known", [[0x8123, [1, 2, 3]], [0xffff, []]], []],
  ["attributes that must be understood", [[0x0003, [0, 0, 0, 6]], [0x8123, []], [0x7f00, []]], [
    0x0003,
    0x7f00,
  ]],
  ["a RESPONSE-ADDRESS", [[0x0002, new Uint8Array(8)]], [0x0002]],
  ["the same one twice", [[0x7fff, []], [0x7fff, []]], [0x7fff, 0x7fff]],
  ["credentials", [[0x0006, [1]], [0x0014, [1]], [0x0015, [1]], MESSAGE_INTEGRITY], []],
  ["something behind MESSAGE-INTEGRITY", [MESSAGE_INTEGRITY, [0x7f00, []], SHA256], []],
  ["something behind MESSAGE-INTEGRITY-SHA256", [SHA256, [0x7f00, []]], []],
  ["something before MESSAGE-INTEGRITY", [[0x7f00, []], MESSAGE_INTEGRITY], [0x7f00]],
];

for (const [what, attributes, unknown] of UNKNOWN) {
  Deno.test(`of ${what}, ${unknown.length} attributes count as unknown, with and without FINGERPRINT`, () => {
    for (const fingerprint of [false, true]) {
      const found = read(stunRequest({ attributes, fingerprint }));
      assertEquals(found, { unknown, hasFingerprint: fingerprint });
    }
  });
}

/** A request whose last bytes are `tail`, in place of as many. */
function ending(attributes: readonly StunAttribute[], tail: readonly number[]): Uint8Array {
  const bytes = stunRequest({ attributes });
  bytes.set(tail, bytes.length - tail.length);
  return bytes;
}

const DAMAGED: readonly (readonly [string, Uint8Array])[] = [
  ["an attribute that runs over the end", ending([[0x8022, [1, 2, 3, 4]]], [0x80, 0x22, 0, 5, 0, 0, 0, 0])],
  ["an attribute of 65,535 bytes", ending([[0x8022, []]], [0x80, 0x22, 0xff, 0xff])],
  ["one such behind MESSAGE-INTEGRITY", ending([MESSAGE_INTEGRITY, [0x8022, []]], [0x80, 0x22, 0, 1])],
  ["a FINGERPRINT of no bytes", stunRequest({ attributes: [[0x8028, []]] })],
  ["a FINGERPRINT of eight bytes", stunRequest({ attributes: [[0x8028, new Uint8Array(8)]] })],
  ["a FINGERPRINT of zeros", stunRequest({ attributes: [[0x8028, new Uint8Array(4)]] })],
  ["two FINGERPRINTs", stunRequest({ attributes: [[0x8028, new Uint8Array(4)]], fingerprint: true })],
];

for (const [what, bytes] of DAMAGED) {
  Deno.test(`${what} makes a message damaged`, () => {
    assertEquals(read(bytes), undefined);
  });
}

Deno.test("a right FINGERPRINT that is not the last attribute makes a message damaged", () => {
  const closed = stunRequest({ fingerprint: true });
  const bytes = Uint8Array.from([...closed, 0x80, 0x22, 0, 0]).with(3, closed[3] + 4);
  assertEquals(read(bytes), undefined);
});
