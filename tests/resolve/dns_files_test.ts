import { hostsOf, nameServersOf } from "../../src/resolve/dns_files.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("the name servers of a resolv.conf are used in its order, three at most", () => {
  const text = [
    "# nameserver 192.0.2.9",
    "search example.com",
    "nameserver 192.0.2.1",
    " nameserver\t2001:DB8::53 # ours",
    "nameserver fe80::1%eth0",
    "nameserver name.example",
    "nameserver 192.0.2.2",
    "nameserver 192.0.2.3",
    "options timeout:1",
  ].join("\n");
  assertEquals(nameServersOf(text).map(({ address, port }) => `${address} ${port}`), [
    "192.0.2.1 53",
    "2001:db8::53 53",
    "192.0.2.2 53",
  ]);
});

Deno.test("the name server is on this machine if a resolv.conf names none", () => {
  for (const text of ["", "search example.com\n"]) {
    assertEquals(nameServersOf(text), [{ address: "127.0.0.1", port: 53 }]);
  }
});

Deno.test("a hosts file gives names their addresses, whatever their spelling", () => {
  const text = [
    "127.0.0.1\tlocalhost",
    "192.0.2.1  Proxy.Example proxy # the old one",
    "2001:DB8:0::1 proxy.example",
    "192.0.2.1 proxy.example",
    "#192.0.2.7 nobody",
    "not-an-address nobody",
    "192.0.2.8 not/a/name",
    "",
  ].join("\r\n");
  assertEquals([...hostsOf(text)], [
    ["localhost", ["127.0.0.1"]],
    ["proxy.example", ["192.0.2.1", "2001:db8::1"]],
    ["proxy", ["192.0.2.1"]],
  ]);
});
