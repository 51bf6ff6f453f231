import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_ROW, sockaddrOf } from "../../src/transport/sockaddr.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

for (
  const [address, port] of [
    ["127.0.0.1", 5060],
    ["0.0.0.0", 0],
    ["255.255.255.255", 65_535],
    ["192.0.2.1", 256],
    ["::1", 5061],
    ["::", 0],
    ["2001:db8::ff:1", 0x1234],
  ] as const
) {
  Deno.test(`${address} and port ${port} come back from the structure they go into`, () => {
    const row = new Uint8Array(2 * SOCKADDR_ROW);
    row.set(sockaddrOf({ address, port }), SOCKADDR_ROW);
    assertEquals(readSockaddr(row, SOCKADDR_ROW), { address, port });
  });
}

Deno.test("an IPv4 address lies in 16 bytes: family, port, address", () => {
  const bytes = [...sockaddrOf({ address: "192.0.2.1", port: 5060 })];
  assertEquals(bytes, [AF_INET, 0, 0x13, 0xc4, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("an IPv6 address lies in 28 bytes: family, port, flow, address, scope", () => {
  const bytes = [...sockaddrOf({ address: "2001:db8::1", port: 5060 })];
  assertEquals(bytes.length, 28);
  assertEquals(bytes.slice(0, 8), [AF_INET6, 0, 0x13, 0xc4, 0, 0, 0, 0]);
  assertEquals(bytes.slice(8), [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
});

Deno.test("an IPv4 address in IPv6 clothing is read as what it is", () => {
  const bytes = sockaddrOf({ address: "::ffff:192.0.2.1", port: 5060 });
  assertEquals(readSockaddr(bytes, 0), { address: "192.0.2.1", port: 5060 });
});

Deno.test("what is no address has no structure", () => {
  for (const address of ["example.com", "", "1.2.3", "[::1]", "1.2.3.4.5", "::1::"]) {
    assertThrows(() => sockaddrOf({ address, port: 5060 }), Error, address);
  }
});
