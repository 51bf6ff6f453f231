import { mixHash } from "../../src/lib/hash.ts";
import { srvOrder } from "../../src/resolve/srv_order.ts";
import { assert, assertEquals } from "../support/assert.ts";

const record = (target: string, priority: number, weight: number) => ({
  target,
  priority,
  weight,
  port: 5060,
});

/** Draws that are the same in every run. */
function seeded(): () => number {
  let state = 1;
  return () => (state = mixHash(state + 0x9e3779b9)) / 2 ** 32;
}

/** How often each of them comes first in 10,000 draws. */
function firsts(weights: Record<string, number>): Record<string, number> {
  const records = Object.entries(weights).map(([target, weight]) => record(target, 0, weight));
  const random = seeded();
  const counts: Record<string, number> = {};
  for (let i = 0; i < 10_000; i++) {
    const [{ target }] = srvOrder(records, random);
    counts[target] = (counts[target] ?? 0) + 1;
  }
  return counts;
}

function assertNear(actual: number, expected: number): void {
  assert(Math.abs(actual - expected) < 200, `${actual} is not about ${expected}`);
}

Deno.test("servers come by priority, the lower first, whatever their weight", () => {
  const records = [record("c", 30, 65_535), record("a", 10, 0), record("b", 20, 1)];
  for (const draw of [0, 0.5, 0.999999]) {
    assertEquals(srvOrder(records, () => draw).map(({ target }) => target), ["a", "b", "c"]);
  }
});

Deno.test("servers of one priority come first as often as their weight says", () => {
  const { a, b, c } = firsts({ a: 100, b: 300, c: 600 });
  assertNear(a, 1_000);
  assertNear(b, 3_000);
  assertNear(c, 6_000);
});

Deno.test("a server without weight is seldom first beside others, and not never", () => {
  const { a } = firsts({ a: 0, b: 50, c: 49 });
  assert(a > 50 && a < 200);
});

Deno.test("every server comes once, and those behind are drawn by weight as well", () => {
  const records = [record("a", 0, 1_000_000), record("b", 0, 100), record("c", 0, 300)];
  const random = seeded();
  let second = 0;
  for (let i = 0; i < 10_000; i++) {
    const order = srvOrder(records, random).map(({ target }) => target);
    assertEquals(order.toSorted(), ["a", "b", "c"]);
    if (order[1] === "c") second++;
  }
  assertNear(second, 7_500);
});

Deno.test("one server, or none, needs no draw", () => {
  const never = () => {
    throw new Error("drawn");
  };
  assertEquals(srvOrder([], never), []);
  assertEquals(srvOrder([record("a", 0, 1)], never).length, 1);
});
