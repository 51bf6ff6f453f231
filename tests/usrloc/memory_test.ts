import fc from "fast-check";
import { type Binding, MemoryStore, StoreFullError } from "../../src/usrloc/mod.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { aorOf, bindingAt, testContract } from "./contract.ts";

testContract("memory", (clock, maxBindings) => new MemoryStore({ clock, seed: 1, maxBindings }));

/** Milliseconds in which every AoR is looked at once by the sweep. */
const SWEEP = 64 * 500;

function makeStore(maxBindings = 1_000_000) {
  const clock = new VirtualClock();
  return { clock, store: new MemoryStore({ clock, seed: 1, maxBindings }) };
}

/** Registers `count` users with one binding each. */
function fill(store: MemoryStore, clock: VirtualClock, count: number, lifetime: number): void {
  for (let i = 0; i < count; i++) {
    const binding = bindingAt(clock, `sip:user${i}@192.0.2.1`, {
      expiresAt: clock.now() + lifetime,
      cseq: i,
    });
    store.update(aorOf(`user${i}`), () => [binding]);
  }
}

Deno.test("what has expired is swept, and gives its room back", () => {
  const { clock, store } = makeStore(1_000);
  fill(store, clock, 1_000, 10_000);
  assertThrows(() => store.update(aorOf("late"), () => [bindingAt(clock, "sip:late")]), StoreFullError);
  clock.advance(10_000 + SWEEP);
  assertEquals(store.size, 0);
  fill(store, clock, 1_000, 10_000);
  assertEquals(store.size, 1_000);
});

Deno.test("the sweep leaves what is good, and AoRs that have anything good", () => {
  const { clock, store } = makeStore();
  fill(store, clock, 100, 10_000);
  const short = bindingAt(clock, "sip:short", { expiresAt: clock.now() + 10_000 });
  const long = bindingAt(clock, "sip:long", { expiresAt: clock.now() + 1_000_000 });
  store.update(aorOf("mixed"), () => [short, long]);
  store.update(aorOf("good"), () => [long]);
  clock.advance(10_000 + SWEEP);
  assertEquals(store.lookup(aorOf("mixed")), [long]);
  assertEquals(store.lookup(aorOf("good")), [long]);
  assertEquals(store.size, 3);
  clock.advance(1_000_000 + SWEEP);
  assertEquals(store.size, 0);
});

Deno.test("a binding that expired and was not swept yet can be registered again", () => {
  const { clock, store } = makeStore();
  fill(store, clock, 1, 1);
  clock.advance(1);
  assertEquals(store.size, 1);
  fill(store, clock, 1, 60_000);
  assertEquals([store.size, store.lookup(aorOf("user0")).length], [1, 1]);
});

Deno.test("fifty thousand AoRs are all found, and all go", () => {
  const { clock, store } = makeStore();
  const count = 50_000;
  fill(store, clock, count, 60_000);
  assertEquals(store.size, count);
  for (let i = 0; i < count; i++) {
    const [found] = store.lookup(aorOf(`user${i}`));
    if (found?.cseq !== i) throw new Error(`user${i} has ${found?.cseq}`);
  }
  assertEquals(store.lookup(aorOf(`user${count}`)), []);
  for (let i = 0; i < count; i += 2) store.update(aorOf(`user${i}`), () => []);
  for (let i = 0; i < count; i++) {
    if (store.lookup(aorOf(`user${i}`)).length !== i % 2) throw new Error(`user${i}`);
  }
  clock.advance(60_000 + SWEEP);
  assertEquals(store.size, 0);
});

Deno.test("a store that is closed sweeps no more", async () => {
  const { clock, store } = makeStore();
  fill(store, clock, 10, 1);
  await store.close();
  clock.advance(2 * SWEEP);
  assertEquals(store.size, 10);
});

Deno.test("names that are chosen to collide for one seed do not for another", () => {
  const clock = new VirtualClock();
  const stores = [1, 2].map((seed) => new MemoryStore({ clock, seed, maxBindings: 10 }));
  for (const store of stores) {
    store.update(aorOf("bob"), () => [bindingAt(clock, "sip:bob")]);
    assertEquals(store.lookup(aorOf("bob")).length, 1);
  }
});

/** What one step of a history does to one AoR. */
type Step =
  | { readonly kind: "register"; readonly user: number; readonly contact: string; readonly lifetime: number }
  | { readonly kind: "refresh" | "clear"; readonly user: number }
  | { readonly kind: "remove"; readonly user: number; readonly at: number }
  | { readonly kind: "wait"; readonly ms: number };

const user = fc.nat({ max: 5 });
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("register" as const),
      user,
      contact: latin1,
      lifetime: fc.integer({ min: 1, max: 120_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("refresh" as const, "clear" as const), user }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), user, at: fc.nat({ max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
  },
);

/** What the step makes of the bindings of its AoR. */
function apply(
  step: Exclude<Step, { kind: "wait" }>,
  live: readonly Binding[],
  clock: VirtualClock,
): Binding[] {
  switch (step.kind) {
    case "register": {
      const expiresAt = clock.now() + step.lifetime;
      const binding = bindingAt(clock, step.contact, { expiresAt, path: [`<sip:edge${step.lifetime}>`] });
      return [...live.filter(({ contact }) => contact !== step.contact), binding];
    }
    case "refresh":
      return live.map((binding) => ({
        ...binding,
        cseq: binding.cseq + 1,
        flowId: binding.flowId + 2 ** 31,
        expiresAt: clock.now() + 90_000,
      }));
    case "remove":
      return live.filter((_, i) => i !== step.at);
    case "clear":
      return [];
  }
}

Deno.test("whatever happens, the store holds what a plain map would", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { clock, store } = makeStore();
      const model = new Map<number, readonly Binding[]>();
      const good = (user: number) =>
        (model.get(user) ?? []).filter(({ expiresAt }) => expiresAt > clock.now());
      for (const step of steps) {
        if (step.kind === "wait") {
          clock.advance(step.ms);
        } else {
          model.set(step.user, apply(step, good(step.user), clock));
          store.update(aorOf(`${step.user}`), (live) => apply(step, live, clock));
        }
        for (let user = 0; user <= 5; user++) assertEquals(store.lookup(aorOf(`${user}`)), good(user));
      }
      clock.advance(120_000 + SWEEP);
      assert(store.size === 0);
    }),
    { numRuns: 200 },
  );
});
