import { Metrics } from "../../src/lib/metrics.ts";
import { DnsClient, type DnsClientOptions } from "../../src/resolve/dns_client.ts";
import type { RecordType } from "../../src/resolve/dns_records.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import {
  alias,
  type Behaviour,
  DnsServer,
  host,
  naptr,
  srv,
  type ZoneOptions,
} from "../support/dns_server.ts";
import { inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const TIMEOUT = 1_000;

/** A client of these servers, on a clock that stands still. */
class Asker {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly client: DnsClient;

  constructor(
    servers: readonly { address: string; port: number }[],
    options: Partial<DnsClientOptions> = {},
  ) {
    const usual = { servers, timeout: TIMEOUT, attempts: 1 };
    this.client = new DnsClient({ clock: this.clock, metrics: this.metrics }, { ...usual, ...options });
  }

  async ask(name: string, type: RecordType = "A") {
    const answer = await inTime(this.client.ask({ name, type }), `the answer to ${name}`);
    return answer?.records;
  }
}

const ZONE = [
  host("a.example", "192.0.2.1"),
  host("a.example", "192.0.2.2"),
  host("a.example", "2001:DB8:0::1"),
];

Deno.test("the records of a name come in the order the server has them, addresses in canonical form", async () => {
  await using server = DnsServer.of(ZONE);
  const asker = new Asker([server]);
  assertEquals(await asker.ask("a.example"), ["192.0.2.1", "192.0.2.2"]);
  assertEquals(await asker.ask("a.example", "AAAA"), ["2001:db8::1"]);
  assertEquals([asker.metrics.dnsQueries, asker.metrics.dnsTimeouts], [2, 0]);
});

Deno.test("the servers and the ways of a domain come with all their fields", async () => {
  await using server = DnsServer.of([
    srv("_sip._udp.example", 10, 60, 5070, "S1.Example"),
    srv("_sip._tcp.example", 0, 0, 0, "."),
    naptr("example", 50, 10, "sip+d2u", "_SIP._udp.example"),
  ]);
  const asker = new Asker([server]);
  assertEquals(await asker.ask("_sip._udp.example", "SRV"), [
    { priority: 10, weight: 60, port: 5070, target: "s1.example" },
  ]);
  assertEquals(await asker.ask("_sip._tcp.example", "SRV"), [{
    priority: 0,
    weight: 0,
    port: 0,
    target: "",
  }]);
  assertEquals(await asker.ask("example", "NAPTR"), [{
    order: 50,
    preference: 10,
    flags: "s",
    services: "SIP+D2U",
    regexp: "",
    replacement: "_sip._udp.example",
  }]);
});

Deno.test("that there is nothing is an answer, be the name known or not", async () => {
  await using server = DnsServer.of(ZONE, { negativeTtl: 77 });
  const { client } = new Asker([server]);
  assertEquals(await client.ask({ name: "a.example", type: "SRV" }), { records: [], ttl: 77 });
  assertEquals(await client.ask({ name: "b.example", type: "A" }), { records: [], ttl: 77 });
});

for (
  const [what, options] of [["whole", {}], ["piece by piece", { leavesAliases: true }]] as [
    string,
    ZoneOptions,
  ][]
) {
  Deno.test(`aliases are followed when the server tells them ${what}, and the shortest time counts`, async () => {
    const zone = [
      alias("www.example", "web.example", 90),
      alias("web.example", "a.example", 40),
      host("a.example", "192.0.2.1", 60),
    ];
    await using server = DnsServer.of(zone, options);
    const { client } = new Asker([server]);
    assertEquals(await client.ask({ name: "www.example", type: "A" }), { records: ["192.0.2.1"], ttl: 40 });
  });

  Deno.test(`aliases that lead in a circle end, when the server tells them ${what}`, async () => {
    await using server = DnsServer.of(
      [alias("a.example", "b.example"), alias("b.example", "a.example")],
      options,
    );
    const asker = new Asker([server]);
    assertEquals(await asker.ask("a.example") ?? [], []);
    assert(server.asked.length <= 8);
  });
}

Deno.test("an answer that does not fit is asked for again over TCP", async () => {
  const zone = Array.from({ length: 60 }, (_, i) => host("many.example", `192.0.2.${i + 1}`));
  await using server = DnsServer.of(zone);
  server.behave = () => ({ truncates: true });
  const asker = new Asker([server]);
  assertEquals((await asker.ask("many.example"))?.length, 60);
  assertEquals(server.asked, ["udp many.example A", "tcp many.example A"]);
});

Deno.test("no more records than can be of use are kept of one answer", async () => {
  const zone = Array.from({ length: 200 }, (_, i) => host("many.example", `192.0.2.${i + 1}`));
  await using server = DnsServer.of(zone);
  server.behave = () => ({ truncates: true });
  assertEquals((await new Asker([server]).ask("many.example"))?.length, 64);
});

Deno.test("the server is told how large an answer may be, unless it does not understand that", async () => {
  await using server = DnsServer.of(ZONE);
  const asker = new Asker([server]);
  await asker.ask("a.example");
  assertEquals(server.lastPayload, 1_232);
  server.behave = () => server.lastPayload === undefined ? {} : { code: 1 };
  assertEquals((await asker.ask("a.example"))?.length, 2);
  assertEquals(server.asked.length, 3);
});

for (const [what, code] of [["cannot say", 2], ["will not say", 5]] as const) {
  Deno.test(`the next server is asked when one ${what}`, async () => {
    await using first = DnsServer.of(ZONE);
    await using second = DnsServer.of(ZONE);
    first.behave = () => ({ code });
    const asker = new Asker([first, second]);
    assertEquals((await asker.ask("a.example"))?.length, 2);
    assertEquals([first.asked.length, second.asked.length], [1, 1]);
  });
}

Deno.test("the next server is asked when one is silent, and then the first again", async () => {
  await using first = DnsServer.of(ZONE);
  await using second = DnsServer.of(ZONE);
  first.behave = () => ({ isSilent: first.asked.length === 0 });
  second.behave = () => ({ isSilent: true });
  const asker = new Asker([first, second], { attempts: 2 });
  const records = asker.ask("a.example");
  await inTime(first.hasHeard(1), "the first question");
  asker.clock.advance(TIMEOUT - 1);
  assertEquals(second.asked.length, 0);
  asker.clock.advance(1);
  await inTime(second.hasHeard(1), "the second question");
  asker.clock.advance(TIMEOUT);
  assertEquals((await records)?.length, 2);
  assertEquals([asker.metrics.dnsQueries, asker.metrics.dnsTimeouts], [3, 2]);
});

Deno.test("nobody could say when all servers are silent or refuse", async () => {
  await using first = DnsServer.of(ZONE);
  await using second = DnsServer.of(ZONE);
  first.behave = () => ({ code: 2 });
  second.behave = () => ({ isSilent: true });
  const asker = new Asker([first, second]);
  const records = asker.ask("a.example");
  await inTime(second.hasHeard(1), "the second question");
  asker.clock.advance(TIMEOUT);
  assertEquals(await records, undefined);
});

Deno.test("a server that is silent over TCP alone is given up in time as well", async () => {
  await using server = DnsServer.of(ZONE);
  server.behave = (_question, isUdp) => isUdp ? { truncates: true } : { isSilent: true };
  const asker = new Asker([server]);
  const records = asker.ask("a.example");
  await inTime(server.hasHeard(2), "the question over TCP");
  asker.clock.advance(TIMEOUT);
  assertEquals(await records, undefined);
});

for (const forgery of ["id", "question", "server"] as const) {
  Deno.test(`an answer with a wrong ${forgery} is not believed`, async () => {
    await using server = DnsServer.of(ZONE);
    server.behave = (): Behaviour => ({ forgeries: [forgery, forgery] });
    assertEquals(await new Asker([server]).ask("a.example"), ["192.0.2.1", "192.0.2.2"]);
  });
}

Deno.test("a question is given up when too many try to guess the answer", async () => {
  await using server = DnsServer.of(ZONE);
  server.behave = (): Behaviour => ({ forgeries: Array.from({ length: 40 }, () => "id" as const) });
  assertEquals(await new Asker([server]).ask("a.example"), undefined);
});

Deno.test("every question has a port of its own", async () => {
  await using server = DnsServer.of(ZONE);
  server.behave = () => ({ after: server.hasHeard(2) });
  const asker = new Asker([server]);
  await Promise.all([asker.ask("a.example"), asker.ask("b.example")]);
  const [first, second] = server.sources;
  assertNotEquals(first, second);
});

Deno.test("closing ends what is under way, and nothing is asked any more", async () => {
  await using server = DnsServer.of(ZONE);
  server.behave = () => ({ isSilent: true });
  const asker = new Asker([server], { attempts: 3 });
  const records = asker.ask("a.example");
  await inTime(server.hasHeard(1), "the question");
  asker.client.close();
  assertEquals(await records, undefined);
  assertEquals(await asker.ask("b.example"), undefined);
  assertEquals([server.asked.length, asker.metrics.dnsTimeouts], [1, 0]);
});
