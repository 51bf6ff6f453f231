import { Metrics } from "../../src/lib/metrics.ts";
import { Resolver, SystemDns } from "../../src/resolve/mod.ts";
import { parseUri } from "../../src/sip/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { alias, DnsServer, host, naptr, srv } from "../support/dns_server.ts";
import { inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A resolver that asks this name server. */
function asking(server: DnsServer) {
  const clock = new VirtualClock();
  const resolver = new Resolver(new SystemDns(clock, new Metrics(), { servers: [server], hostsFile: "" }), {
    random: () => 0.5,
  });
  const leads = async (uri: string) => {
    const hops = await inTime(Promise.resolve(resolver.resolve(parseUri(uri))), `where ${uri} leads`);
    return hops.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
  };
  return { clock, resolver, leads };
}

const ZONE = [
  naptr("corp.example", 90, 50, "SIP+D2T", "_sip._tcp.voice.example"),
  naptr("corp.example", 100, 50, "SIP+D2U", "_sip._udp.voice.example"),
  srv("_sip._tcp.voice.example", 10, 0, 5070, "first.voice.example"),
  srv("_sip._tcp.voice.example", 20, 0, 5060, "second.voice.example"),
  alias("first.voice.example", "host1.example"),
  host("host1.example", "192.0.2.1"),
  host("host1.example", "2001:db8::1"),
  host("second.voice.example", "192.0.2.2", 30),
];

const HOPS = ["tcp 192.0.2.1 5070", "tcp 2001:db8::1 5070", "tcp 192.0.2.2 5060"];

Deno.test("a URI leads by NAPTR to services, by those to servers, and by aliases to addresses", async () => {
  await using server = DnsServer.of(ZONE);
  const { leads } = asking(server);
  assertEquals(await leads("sip:bob@corp.example"), HOPS);
  assertEquals(server.asked.length, 6);
});

Deno.test("once it is known it is known at once, and only what has run out is asked again", async () => {
  await using server = DnsServer.of(ZONE);
  const { clock, resolver, leads } = asking(server);
  await leads("sip:bob@corp.example");
  assertEquals(
    (resolver.resolve(parseUri("sip:bob@corp.example")) as readonly unknown[]).length,
    HOPS.length,
  );
  server.asked.length = 0;
  clock.advance(30_000);
  assertEquals(await leads("sip:bob@corp.example"), HOPS);
  assertEquals(server.asked.toSorted(), ["udp second.voice.example A", "udp second.voice.example AAAA"]);
});

Deno.test("a domain whose services nobody tells leads nowhere, though it has an address", async () => {
  await using server = DnsServer.of([host("corp.example", "192.0.2.80")]);
  server.behave = ({ type }) => type === "SRV" ? { code: 2 } : {};
  const { leads } = asking(server);
  assertEquals(await leads("sip:bob@corp.example"), []);
  assertEquals(await leads("sip:bob@corp.example:5060"), ["udp 192.0.2.80 5060"]);
});

Deno.test("a server that will not speak of NAPTR is asked for services all the same", async () => {
  await using server = DnsServer.of(
    ZONE.filter(({ type }) => type !== "NAPTR").concat([
      srv("_sip._udp.corp.example", 0, 0, 5090, "host1.example"),
    ]),
  );
  server.behave = ({ type }) => type === "NAPTR" ? { code: 4 } : {};
  assertEquals(await asking(server).leads("sip:corp.example"), [
    "udp 192.0.2.1 5090",
    "udp 2001:db8::1 5090",
  ]);
});
