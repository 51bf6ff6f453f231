import { Departed } from "../../src/modules/departed.ts";
import type { Aor, Binding } from "../../src/usrloc/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { bindingAt } from "../usrloc/contract.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const BOB = "sip:bob@example.com" as Aor;
const clock = new VirtualClock();

/** Bindings that would have expired in so many ms. */
function expiring(...ms: number[]): Binding[] {
  return ms.map((left) => bindingAt(clock, "sip:phone", { expiresAt: clock.now() + left }));
}

Deno.test("who has departed is remembered until the last of the bindings would have expired", () => {
  const departed = new Departed();
  assertEquals(departed.has(BOB, clock.now()), false);
  departed.add(BOB, expiring(1_000, 5_000, 3_000));
  assertEquals(departed.has(BOB, clock.now() + 4_999), true);
  assertEquals(departed.has("sip:carol@example.com" as Aor, clock.now()), false);
  assertEquals(departed.has(BOB, clock.now() + 5_000), false);
  assertEquals(departed.has(BOB, clock.now()), false);
});

Deno.test("who has departed twice is remembered as of the second time", () => {
  const departed = new Departed();
  departed.add(BOB, expiring(5_000));
  departed.add(BOB, expiring(2_000));
  assertEquals(departed.has(BOB, clock.now() + 3_000), false);
});

Deno.test("who has come back, or said goodbye, has not departed", () => {
  const departed = new Departed();
  departed.delete(BOB);
  departed.add(BOB, expiring(1_000));
  departed.delete(BOB);
  assertEquals(departed.has(BOB, clock.now()), false);
});

Deno.test("of very many the earliest are forgotten", () => {
  const departed = new Departed();
  const name = (i: number) => `sip:${i}@example.com` as Aor;
  const bindings = expiring(1_000);
  for (let i = 0; i < 65_536; i++) departed.add(name(i), bindings);
  departed.add(name(0), bindings);
  departed.add(BOB, bindings);
  assertEquals([BOB, name(0), name(1), name(2)].map((aor) => departed.has(aor, clock.now())), [
    true,
    true,
    false,
    true,
  ]);
});
