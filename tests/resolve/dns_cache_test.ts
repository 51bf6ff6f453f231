import { Metrics } from "../../src/lib/metrics.ts";
import { DnsCache, type DnsCacheOptions } from "../../src/resolve/dns_cache.ts";
import type { Answer, RecordType } from "../../src/resolve/dns_records.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const OPTIONS: DnsCacheOptions = {
  minTtl: 2,
  maxTtl: 100,
  minNegativeTtl: 5,
  maxNegativeTtl: 60,
  staleTtl: 0,
  cacheSize: 1_000,
  maxQueries: 100,
};

/** A cache before name servers that say `answer`. */
class Cached {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly asked: string[] = [];
  readonly cache: DnsCache;
  answer: Answer | undefined | Promise<Answer | undefined>;

  constructor(answer: Answer | undefined | Promise<Answer>, options: Partial<DnsCacheOptions> = {}) {
    this.answer = answer;
    const ask = ({ name, type }: { name: string; type: RecordType }) => {
      this.asked.push(`${name} ${type}`);
      return Promise.resolve(this.answer);
    };
    this.cache = new DnsCache({ clock: this.clock, metrics: this.metrics, ask }, { ...OPTIONS, ...options });
  }

  find(name = "a.example") {
    return this.cache.find({ name, type: "A" });
  }

  /** Asserts that the answer is used for so many seconds and no longer. */
  async lasts(seconds: number): Promise<void> {
    const records = await this.find();
    this.clock.advance(seconds * 1_000 - 1);
    assertEquals(this.find(), records);
    this.clock.advance(1);
    assert(this.find() instanceof Promise);
    assertEquals(this.asked.length, 2);
  }
}

const FOUND: Answer = { records: ["192.0.2.1"], ttl: 30 };

Deno.test("an answer is used at once for as long as it is good for", async () => {
  await new Cached(FOUND).lasts(30);
});

for (
  const [what, answer, seconds] of [
    ["an answer for no time at all is used for the least", { ...FOUND, ttl: 0 }, 2],
    ["an answer for very long is used for the most", { ...FOUND, ttl: 1e6 }, 100],
    ["an answer nobody gave a time to is used for the least", { ...FOUND, ttl: undefined }, 2],
    ["that there is nothing is known for as long as the zone says", { records: [], ttl: 30 }, 30],
    ["that there is nothing is known for the least", { records: [], ttl: 0 }, 5],
    ["that there is nothing is known for the most", { records: [], ttl: 86_400 }, 60],
    [
      "that there is nothing is known for the least if the zone has no time",
      { records: [], ttl: undefined },
      5,
    ],
    ["that nobody could say is known for a few seconds", undefined, 5],
  ] as const
) {
  Deno.test(what, async () => {
    await new Cached(answer).lasts(seconds);
  });
}

Deno.test("those who ask the same at the same time share one question", async () => {
  const cached = new Cached(FOUND);
  assertEquals(await Promise.all([cached.find(), cached.find()]), [["192.0.2.1"], ["192.0.2.1"]]);
  await cached.cache.find({ name: "a.example", type: "AAAA" });
  assertEquals(cached.asked, ["a.example A", "a.example AAAA"]);
});

Deno.test("the oldest answers are forgotten when there are too many", async () => {
  const cached = new Cached(FOUND, { cacheSize: 2 });
  for (const name of ["a.example", "b.example", "c.example"]) await cached.find(name);
  assertEquals([cached.find("b.example"), cached.find("c.example")], [["192.0.2.1"], ["192.0.2.1"]]);
  assert(cached.find("a.example") instanceof Promise);
});

Deno.test("no more questions are under way than may be, and those not asked are counted", async () => {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const cached = new Cached(promise, { maxQueries: 2 });
  const waiting = [cached.find("a.example"), cached.find("b.example")];
  assertEquals(cached.find("c.example"), undefined);
  assertEquals([cached.asked.length, cached.metrics.dnsShed], [2, 1]);
  resolve(FOUND);
  await Promise.all(waiting);
  assertEquals(await cached.find("c.example"), ["192.0.2.1"]);
});

Deno.test("an answer whose time is over serves on while nobody can say anything, but not for ever", async () => {
  const cached = new Cached(FOUND, { staleTtl: 20 });
  await cached.find();
  cached.answer = undefined;
  cached.clock.advance(30_000);
  assertEquals(await cached.find(), ["192.0.2.1"]);
  cached.clock.advance(4_999);
  assertEquals(cached.find(), ["192.0.2.1"]);
  assertEquals(cached.asked.length, 2);
  cached.clock.advance(15_001);
  assertEquals(await cached.find(), undefined);
});

Deno.test("an answer whose time is over is replaced as soon as somebody says something", async () => {
  const cached = new Cached(FOUND, { staleTtl: 20 });
  await cached.find();
  cached.clock.advance(30_000);
  cached.answer = { records: [], ttl: 30 };
  assertEquals(await cached.find(), []);
});
