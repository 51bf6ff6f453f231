import { SystemDns } from "../../src/resolve/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What the name servers say, by name and type; silence is an error. */
type Zone = Record<string, readonly string[]>;

/** Runs the test with name servers of its own; `asked` lists the questions that reached them. */
async function withZone(
  zone: Zone,
  body: (dns: SystemDns, asked: string[], clock: VirtualClock) => Promise<void>,
): Promise<void> {
  const real = Deno.resolveDns;
  const asked: string[] = [];
  const answer = (name: string, type: string) => {
    asked.push(`${name} ${type}`);
    const answers = zone[`${name} ${type}`];
    return answers === undefined ? Promise.reject(new Error("no answer")) : Promise.resolve(answers);
  };
  Deno.resolveDns = answer as unknown as typeof Deno.resolveDns;
  try {
    const clock = new VirtualClock();
    await body(new SystemDns(clock), asked, clock);
  } finally {
    Deno.resolveDns = real;
  }
}

Deno.test("localhost is this machine, and nobody is asked about it", async () => {
  await withZone({}, async (dns, asked) => {
    assertEquals(await dns.addresses("localhost"), ["127.0.0.1", "::1"]);
    assertEquals(asked, []);
  });
});

Deno.test("a name has its IPv4 addresses first, then its IPv6 ones", async () => {
  const zone = { "a.example A": ["192.0.2.1", "192.0.2.2"], "a.example AAAA": ["2001:db8::1"] };
  await withZone(zone, async (dns) => {
    assertEquals(await dns.addresses("a.example"), ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
  });
});

Deno.test("one family is enough, and none is no error", async () => {
  await withZone({ "six.example AAAA": ["2001:db8::1"] }, async (dns) => {
    assertEquals(await dns.addresses("six.example"), ["2001:db8::1"]);
    assertEquals(await dns.addresses("none.example"), []);
  });
});

Deno.test("those who ask at the same time share one question", async () => {
  await withZone({ "a.example A": ["192.0.2.1"] }, async (dns, asked) => {
    const answers = await Promise.all([dns.addresses("a.example"), dns.addresses("a.example")]);
    assertEquals(answers, [["192.0.2.1"], ["192.0.2.1"]]);
    assertEquals(asked, ["a.example A", "a.example AAAA"]);
  });
});

for (
  const [what, name, lifetime] of [["found", "a.example", 30_000], ["not found", "b.example", 5_000]] as const
) {
  Deno.test(`what was ${what} is remembered for ${lifetime / 1_000} s`, async () => {
    await withZone({ "a.example A": ["192.0.2.1"] }, async (dns, asked, clock) => {
      await dns.addresses(name);
      clock.advance(lifetime - 1);
      await dns.addresses(name);
      assertEquals(asked.length, 2);
      clock.advance(1);
      await dns.addresses(name);
      assertEquals(asked.length, 4);
    });
  });
}

Deno.test("the oldest names are forgotten when there are too many", async () => {
  await withZone({}, async (dns, asked) => {
    for (let i = 0; i < 4_097; i++) dns.addresses(`${i}.example`);
    asked.length = 0;
    await dns.addresses("4096.example");
    await dns.addresses("1.example");
    assertEquals(asked, []);
    await dns.addresses("0.example");
    assertEquals(asked.length, 2);
  });
});
