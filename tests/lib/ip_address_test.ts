import fc from "fast-check";
import {
  bracketed,
  canonicalIp,
  formatIp,
  ipv4Number,
  isIpAddress,
  isIpv6,
  isUnicast,
  parseIpv4,
  parseIpv6,
} from "../../src/lib/ip_address.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("IPv4 addresses are four decimal numbers up to 255", () => {
  const table: [string, number][] = [
    ["0.0.0.0", 0],
    ["192.0.2.1", 0xc0000201],
    ["255.255.255.255", 0xffffffff],
    ["127.000.00.1", 0x7f000001],
  ];
  for (const [text, number] of table) assertEquals(ipv4Number(text), number, text);
  assertEquals(parseIpv4("198.51.100.7"), Uint8Array.of(198, 51, 100, 7));
});

Deno.test("what is no IPv4 address is not taken for one", () => {
  const table = [
    "",
    ".",
    "1",
    "1.2.3",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4.",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.0004",
    "1.2.3.4 ",
    "+1.2.3.4",
    "0x7f.0.0.1",
    "1.2.3.4x",
    "example.com",
  ];
  for (const text of table) {
    assertEquals(ipv4Number(text), -1, text);
    assertEquals(parseIpv4(text), undefined, text);
    assert(!isIpAddress(text), text);
  }
});

Deno.test("IPv6 addresses are shown in the form of RFC 5952", () => {
  const table: [string, string][] = [
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["2001:db8::0:1", "2001:db8::1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["fe80:0:0:0:0:0:0:0", "fe80::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"],
  ];
  for (const [text, canonical] of table) assertEquals(canonicalIp(text), canonical, text);
});

Deno.test("an IPv4-mapped address is shown as the IPv4 address it is", () => {
  for (const text of ["::ffff:192.0.2.10", "::FFFF:c000:20a", "0:0:0:0:0:ffff:192.0.2.10"]) {
    assertEquals(canonicalIp(text), "192.0.2.10", text);
  }
  assertEquals(canonicalIp("::192.0.2.10"), "::c000:20a");
  assertEquals(canonicalIp("::ffff:0:192.0.2.10"), "::ffff:0:c000:20a");
});

Deno.test("the third colon of RFC 3261's grammar before an IPv4 tail is borne with", () => {
  assertEquals(canonicalIp("2001:db8:::192.0.2.1"), "2001:db8::c000:201");
  assertEquals(canonicalIp(":::192.0.2.1"), "::c000:201");
});

Deno.test("what is no IPv6 address is not taken for one", () => {
  const table = [
    "",
    ":",
    ":::",
    ":::1",
    "1",
    "1:",
    ":1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "12345::",
    "g::1",
    "::1 ",
    "::-1",
    "[::1]",
    "fe80::1%eth0",
    "::192.0.2.256",
    "::192.0.2",
    "192.0.2.1::",
    "192.0.2.1::1",
    "::192.0.2.1:1",
    "1:2:3:4:5:6:7:192.0.2.1",
    "::ffff:::192.0.2.1",
    ":::192.0.2.1:1",
  ];
  for (const text of table) {
    assertEquals(parseIpv6(text), undefined, text);
    assertEquals(canonicalIp(text), undefined, text);
    assert(!isIpAddress(text), text);
  }
});

Deno.test("the family of an address is told by its colons", () => {
  assert(isIpv6("2001:db8::1"));
  assert(!isIpv6("192.0.2.1"));
  assert(isIpAddress("2001:db8::1"));
  assert(isIpAddress("192.0.2.1"));
  assertEquals(bracketed("2001:db8::1"), "[2001:db8::1]");
  assertEquals(bracketed("192.0.2.1"), "192.0.2.1");
  assertEquals(bracketed("example.com"), "example.com");
});

Deno.test("nothing is sent to broadcast, multicast and unspecified addresses, however they are written", () => {
  const table: [string, boolean][] = [
    ["192.0.2.1", true],
    ["127.0.0.1", true],
    ["223.255.255.255", true],
    ["224.0.0.1", false],
    ["239.1.2.3", false],
    ["255.255.255.255", false],
    ["0.0.0.0", false],
    ["0.1.2.3", false],
    ["2001:db8::1", true],
    ["::1", true],
    ["ff::1", true],
    ["::", false],
    ["0:0:0:0:0:0:0:0", false],
    ["ff02::1", false],
    ["FF02::1", false],
    ["::ffff:192.0.2.1", true],
    ["::ffff:224.0.0.1", false],
    ["::ffff:0.0.0.0", false],
    ["no address", false],
    ["no:address", false],
  ];
  for (const [address, isOne] of table) assertEquals(isUnicast(address), isOne, address);
});

Deno.test("the bytes of any address come back from its text", () => {
  const zeros = fc.constantFrom(0, 0, 0, 0xff);
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.array(zeros, { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(address, (bytes) => {
      const text = formatIp(bytes);
      const parsed = isIpv6(text) ? parseIpv6(text) : parseIpv4(text);
      // A mapped address comes back as the four bytes at its end.
      assertEquals(parsed, parsed?.length === bytes.length ? bytes : bytes.slice(12));
      assertEquals(canonicalIp(text), text);
    }),
    { numRuns: 1_000 },
  );
});
