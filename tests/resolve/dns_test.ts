import { Metrics } from "../../src/lib/metrics.ts";
import { type DnsOptions, SystemDns } from "../../src/resolve/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { DnsServer, host, srv } from "../support/dns_server.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What knows names with the help of this server. */
function knowing(server: DnsServer, options: Partial<DnsOptions> = {}) {
  const clock = new VirtualClock();
  const dns = new SystemDns(clock, new Metrics(), { servers: [server], hostsFile: "", ...options });
  return { dns, clock };
}

Deno.test("localhost is this machine, and nobody is asked about it", async () => {
  await using server = DnsServer.of([]);
  const { dns } = knowing(server);
  for (const name of ["localhost", "LOCALHOST.", "sip.localhost"]) {
    assertEquals(await dns.addresses(name), ["127.0.0.1", "::1"]);
  }
  assertEquals([dns.srv("_sip._udp.localhost"), dns.naptr("localhost")], [[], []]);
  assertEquals(server.asked, []);
});

Deno.test("nobody is asked about names that are invalid, or no names", async () => {
  await using server = DnsServer.of([]);
  const { dns } = knowing(server);
  const long = Array.from({ length: 5 }, () => "a".repeat(60)).join(".");
  for (
    const name of ["df7jal23ls0d.invalid", "a..example", "a/b.example", `${"a".repeat(64)}.example`, long]
  ) {
    assertEquals([dns.addresses(name), dns.srv(`_sip._udp.${name}`), dns.naptr(name)], [[], [], []], name);
  }
  assertEquals(server.asked, []);
});

Deno.test("a name has its IPv4 addresses first, then its IPv6 ones", async () => {
  await using server = DnsServer.of([
    host("a.example", "2001:db8::1"),
    host("a.example", "192.0.2.1"),
    host("a.example", "192.0.2.2"),
  ]);
  const { dns } = knowing(server);
  assertEquals(await dns.addresses("A.Example."), ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
});

Deno.test("one family is enough though nobody can say anything of the other, and none is no error", async () => {
  await using server = DnsServer.of([host("six.example", "2001:db8::1")]);
  server.behave = ({ type }) => type === "A" ? { code: 2 } : {};
  const { dns } = knowing(server);
  assertEquals(await dns.addresses("six.example"), ["2001:db8::1"]);
  assertEquals(await dns.addresses("none.example"), []);
});

Deno.test("what was found is known at once until its time is over", async () => {
  await using server = DnsServer.of([host("a.example", "192.0.2.1", 20), host("a.example", "::1", 30)]);
  const { dns, clock } = knowing(server);
  await dns.addresses("a.example");
  clock.advance(19_999);
  assertEquals(dns.addresses("a.example"), ["192.0.2.1", "::1"]);
  clock.advance(1);
  server.serve(host("a.example", "192.0.2.9", 20));
  assertEquals(await dns.addresses("a.example"), ["192.0.2.9", "::1"]);
  assertEquals(server.asked.length, 3);
});

Deno.test("services are told apart: none, and nobody could say", async () => {
  await using server = DnsServer.of([srv("_sip._udp.example", 0, 0, 5060, "a.example")]);
  server.behave = ({ name }) => name === "_sip._tcp.example" ? { code: 2 } : {};
  const { dns } = knowing(server);
  assertEquals((await dns.srv("_sip._udp.example"))?.length, 1);
  assertEquals(await dns.srv("_sips._tcp.example"), []);
  assertEquals(await dns.srv("_sip._tcp.example"), undefined);
  assertEquals(await dns.naptr("example"), []);
});

Deno.test("a name in the hosts file needs no name server, and has no services", async () => {
  await using server = DnsServer.of([]);
  const hostsFile = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(hostsFile, "192.0.2.7 registrar\n");
    const { dns } = knowing(server, { hostsFile });
    assertEquals(dns.addresses("Registrar"), ["192.0.2.7"]);
    assertEquals([dns.srv("_sip._udp.registrar"), dns.naptr("registrar")], [[], []]);
    assertEquals(server.asked, []);
  } finally {
    await Deno.remove(hostsFile);
  }
});

Deno.test("a hosts file that is not there is as good as empty", async () => {
  await using server = DnsServer.of([host("a.example", "192.0.2.1")]);
  const { dns } = knowing(server, { hostsFile: "/nonexistent/hosts" });
  assertEquals(await dns.addresses("a.example"), ["192.0.2.1"]);
});
