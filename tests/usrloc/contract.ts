import { type Aor, type Binding, type LocationStore, StoreFullError } from "../../src/usrloc/mod.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A store to be tested, on a clock of the test. */
export type MakeStore = (clock: VirtualClock, maxBindings: number) => LocationStore | Promise<LocationStore>;

/** Milliseconds a binding of these tests is good for unless they say otherwise. */
const LIFETIME = 60_000;

/** Every char a message can hold. */
const ALL_CHARS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

/** The canonical name of somebody at example.com. */
export function aorOf(user: string): Aor {
  return `sip:${user}@example.com` as Aor;
}

/** A binding that was just made. */
export function bindingAt(clock: VirtualClock, contact: string, parts: Partial<Binding> = {}): Binding {
  return {
    contact,
    params: "",
    q: 1,
    callId: "call-1",
    cseq: 1,
    updatedAt: clock.now(),
    expiresAt: clock.now() + LIFETIME,
    path: [],
    methods: 0xffff,
    flowId: 0,
    ...parts,
  };
}

const contactsOf = (bindings: readonly Binding[]) => bindings.map(({ contact }) => contact);

/** What every store must do, whatever it keeps bindings in; one test for each sentence. */
export function testContract(name: string, make: MakeStore): void {
  const test = (sentence: string, body: (store: LocationStore, clock: VirtualClock) => Promise<void>) =>
    Deno.test(`${name}: ${sentence}`, async () => {
      const clock = new VirtualClock();
      const store = await make(clock, 100);
      try {
        await body(store, clock);
      } finally {
        await store.close();
      }
    });

  test("nobody is registered in a new store", async (store) => {
    assertEquals(await store.lookup(aorOf("bob")), []);
  });

  test("a binding comes back as it was given, and so says the update", async (store, clock) => {
    const binding = bindingAt(clock, "sip:bob@192.0.2.1:5060;ob", {
      params: ';+sip.instance="<urn:uuid:b0b>";reg-id=1',
      q: 0.123,
      callId: "a84b4c76e66710@pc33",
      cseq: 2 ** 32 - 1,
      updatedAt: clock.now() - 5_000,
      expiresAt: clock.now() + 0.5,
      path: ["<sip:edge1;lr;ob>", "<sip:edge2;lr>"],
      methods: 0x8001,
      flowId: 2 ** 40 + 1,
    });
    assertEquals(await store.update(aorOf("bob"), () => [binding]), [binding]);
    assertEquals(await store.lookup(aorOf("bob")), [binding]);
  });

  test("a change sees what is there, and what it returns is what is there next", async (store, clock) => {
    const [a, b, c] = ["sip:a", "sip:b", "sip:c"].map((contact) => bindingAt(clock, contact));
    await store.update(aorOf("bob"), () => [a]);
    await store.update(aorOf("bob"), (live) => [...live, b, c]);
    assertEquals(await store.lookup(aorOf("bob")), [a, b, c]);
    await store.update(aorOf("bob"), (live) => live.filter(({ contact }) => contact !== "sip:b"));
    assertEquals(await store.lookup(aorOf("bob")), [a, c]);
    await store.update(aorOf("bob"), () => []);
    assertEquals(await store.lookup(aorOf("bob")), []);
  });

  test("bindings keep the order they are given in", async (store, clock) => {
    const names = ["sip:z", "sip:a", "sip:m", "sip:b"];
    await store.update(aorOf("bob"), () => names.map((contact) => bindingAt(clock, contact)));
    assertEquals(contactsOf(await store.lookup(aorOf("bob"))), names);
    await store.update(aorOf("bob"), (live) => live.toReversed());
    assertEquals(contactsOf(await store.lookup(aorOf("bob"))), names.toReversed());
  });

  test("a refresh changes numbers, and no texts", async (store, clock) => {
    const binding = bindingAt(clock, "sip:bob@host", { path: ["<sip:edge>"] });
    await store.update(aorOf("bob"), () => [binding]);
    const times = { expiresAt: clock.now() + 2 * LIFETIME, updatedAt: clock.now() + 1 };
    const later = { cseq: 2, q: 0.5, flowId: 7, ...times };
    await store.update(aorOf("bob"), ([live]) => [{ ...live, ...later }]);
    assertEquals(await store.lookup(aorOf("bob")), [{ ...binding, ...later }]);
  });

  for (const part of ["contact", "params", "callId"] as const) {
    test(`a new ${part}, longer or shorter, replaces the old`, async (store, clock) => {
      for (const text of ["short", "x".repeat(500), "", "y".repeat(40), "y".repeat(41)]) {
        await store.update(aorOf("bob"), () => [bindingAt(clock, "sip:bob", { [part]: text })]);
        assertEquals((await store.lookup(aorOf("bob")))[0][part], text);
      }
    });
  }

  test("a path can come, change and go", async (store, clock) => {
    for (const path of [[], ["<sip:a>"], ["<sip:b>"], ["<sip:b>", "<sip:c>"], []]) {
      await store.update(aorOf("bob"), () => [bindingAt(clock, "sip:bob", { path })]);
      assertEquals((await store.lookup(aorOf("bob")))[0].path, path);
    }
  });

  test("a change that throws leaves everything as it was", async (store, clock) => {
    const binding = bindingAt(clock, "sip:bob");
    await store.update(aorOf("bob"), () => [binding]);
    const fails = () => {
      throw new RangeError("no");
    };
    await assertRejects(async () => await store.update(aorOf("bob"), fails), RangeError);
    await assertRejects(async () => await store.update(aorOf("carol"), fails), RangeError);
    assertEquals(await store.lookup(aorOf("bob")), [binding]);
    assertEquals(await store.lookup(aorOf("carol")), []);
  });

  test("a change that returns what it was shown changes nothing", async (store, clock) => {
    const binding = bindingAt(clock, "sip:bob");
    await store.update(aorOf("bob"), () => [binding]);
    assertEquals(await store.update(aorOf("bob"), (live) => live), [binding]);
    assertEquals(await store.lookup(aorOf("bob")), [binding]);
  });

  test("an expired binding is shown to nobody, from the very millisecond on", async (store, clock) => {
    await store.update(aorOf("bob"), () => [
      bindingAt(clock, "sip:short", { expiresAt: clock.now() + 1_000 }),
      bindingAt(clock, "sip:long"),
    ]);
    clock.advance(999);
    assertEquals(contactsOf(await store.lookup(aorOf("bob"))), ["sip:short", "sip:long"]);
    clock.advance(1);
    assertEquals(contactsOf(await store.lookup(aorOf("bob"))), ["sip:long"]);
    let shown: readonly Binding[] = [];
    await store.update(aorOf("bob"), (live) => shown = live);
    assertEquals(contactsOf(shown), ["sip:long"]);
    clock.advance(LIFETIME);
    assertEquals(await store.lookup(aorOf("bob")), []);
  });

  test("a live binding can be refreshed beside one that has expired", async (store, clock) => {
    const short = bindingAt(clock, "sip:bob", { expiresAt: clock.now() + 1_000 });
    const long = bindingAt(clock, "sip:bob");
    for (const [user, bindings] of [["first", [short, long]], ["last", [long, short]]] as const) {
      await store.update(aorOf(user), () => bindings);
    }
    clock.advance(2_000);
    for (const user of ["first", "last"]) {
      await store.update(aorOf(user), ([live]) => [{ ...live, cseq: 7 }]);
      assertEquals(await store.lookup(aorOf(user)), [{ ...long, cseq: 7 }]);
    }
  });

  test("one AoR can have many bindings", async (store, clock) => {
    const many = Array.from({ length: 90 }, (_, i) => bindingAt(clock, `sip:bob@192.0.2.${i}`, { cseq: i }));
    for (let i = 0; i < many.length; i++) {
      await store.update(aorOf("bob"), (live) => [...live, many[i]]);
    }
    assertEquals(await store.lookup(aorOf("bob")), many);
  });

  test("AoRs are never mixed up, however alike they are", async (store, clock) => {
    const aors = ["sip:bob@example.com", "sip:bob@example.co", "sip:bob@example.comm", "sip:Bob@example.com"];
    for (const aor of aors) await store.update(aor as Aor, () => [bindingAt(clock, `${aor};of`)]);
    await store.update(aors[1] as Aor, () => []);
    for (const aor of aors) {
      assertEquals(contactsOf(await store.lookup(aor as Aor)), aor === aors[1] ? [] : [`${aor};of`]);
    }
  });

  test("every char a message can hold can be kept, beside others of its kind", async (store, clock) => {
    const binding = bindingAt(clock, ALL_CHARS, {
      params: ALL_CHARS,
      callId: ALL_CHARS,
      path: [ALL_CHARS.replace("\n", ""), "<sip:edge;lr>"],
    });
    const users = [`\u00e9${"\u00ff".repeat(70)}`, "\u00fc", "plain"];
    for (const user of users) await store.update(aorOf(user), () => [{ ...binding, callId: user }]);
    for (const user of users.toReversed()) {
      await store.update(aorOf(user), ([live]) => [{ ...live, params: live.params + "\u00e4" }]);
    }
    for (const user of users) {
      const expected = { ...binding, callId: user, params: ALL_CHARS + "\u00e4" };
      assertEquals(await store.lookup(aorOf(user)), [expected]);
    }
  });

  test(
    "a full store refuses what is new, keeps what it has, and still refreshes it",
    async (store, clock) => {
      const full = Array.from({ length: 100 }, (_, i) => bindingAt(clock, `sip:${i}`));
      await store.update(aorOf("bob"), () => full);
      const one = [bindingAt(clock, "sip:one")];
      await assertRejects(async () => await store.update(aorOf("carol"), () => one), StoreFullError);
      await assertRejects(
        async () => await store.update(aorOf("bob"), (live) => [...live, ...one]),
        StoreFullError,
      );
      assertEquals(await store.lookup(aorOf("bob")), full);
      assertEquals(await store.lookup(aorOf("carol")), []);
      await store.update(aorOf("bob"), (live) => live.map((binding) => ({ ...binding, cseq: 2 })));
      await store.update(aorOf("bob"), (live) => [...live.slice(1), ...one]);
      assertEquals((await store.lookup(aorOf("bob"))).length, 100);
    },
  );

  test("a full store has room again when something is taken out", async (store, clock) => {
    const full = Array.from({ length: 100 }, (_, i) => bindingAt(clock, `sip:${i}`));
    await store.update(aorOf("bob"), () => full);
    await store.update(aorOf("bob"), (live) => live.slice(1));
    await store.update(aorOf("carol"), () => [bindingAt(clock, "sip:carol")]);
    assertEquals((await store.lookup(aorOf("carol"))).length, 1);
  });

  test("bindings too large to keep are refused, and what was there stays", async (store, clock) => {
    const binding = bindingAt(clock, "sip:bob");
    await store.update(aorOf("bob"), () => [binding]);
    const huge = bindingAt(clock, "sip:bob", { params: ";".repeat(70_000) });
    await assertRejects(async () => await store.update(aorOf("bob"), () => [huge]), StoreFullError);
    assertEquals(await store.lookup(aorOf("bob")), [binding]);
  });

  test("changes of one AoR happen one after the other", async (store, clock) => {
    const names = Array.from({ length: 20 }, (_, i) => `sip:${i}`);
    await Promise.all(names.map(async (contact) => {
      await store.update(aorOf("bob"), (live) => [...live, bindingAt(clock, contact)]);
    }));
    assertEquals(new Set(contactsOf(await store.lookup(aorOf("bob")))), new Set(names));
  });

  test("taking out what is not there does nothing", async (store) => {
    assertEquals(await store.update(aorOf("bob"), () => []), []);
    assert((await store.lookup(aorOf("bob"))).length === 0);
  });
}
