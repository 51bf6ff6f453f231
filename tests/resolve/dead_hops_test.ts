import { DeadHops, type DeadHopsOptions, type Hop } from "../../src/resolve/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const hop = (last: number, protocol: Hop["protocol"] = "udp"): Hop => {
  return { protocol, address: `192.0.2.${last}`, port: 5060 };
};

function remembering(options: Partial<DeadHopsOptions> = {}) {
  const clock = new VirtualClock();
  return { clock, dead: new DeadHops(clock, options) };
}

Deno.test("a dead hop is passed over for its time, and then no longer", () => {
  const { clock, dead } = remembering({ time: 1_000 });
  dead.add(hop(1));
  dead.add(hop(2), 5_000);
  clock.advance(999);
  assertEquals([dead.has(hop(1)), dead.has(hop(2))], [true, true]);
  clock.advance(1);
  assertEquals([dead.has(hop(1)), dead.has(hop(2))], [false, true]);
  clock.advance(4_000);
  assertEquals([dead.has(hop(2)), dead.size], [false, 0]);
});

Deno.test("protocol, address and port make a hop, and its name does not", () => {
  const { dead } = remembering();
  dead.add(hop(1));
  assertEquals([dead.has(hop(1, "tcp")), dead.has({ ...hop(1), port: 5061 }), dead.has(hop(2))], [
    false,
    false,
    false,
  ]);
  assertEquals(dead.has({ ...hop(1), host: "example.com" }), true);
});

Deno.test("a hop that said something is dead no more", () => {
  const { dead } = remembering();
  dead.add(hop(1));
  dead.remove(hop(1));
  assertEquals([dead.has(hop(1)), dead.size], [false, 0]);
});

Deno.test("dead hops come after the others, each in their order", () => {
  const { dead } = remembering();
  const hops = [1, 2, 3, 4].map((i) => hop(i));
  assertEquals(dead.lastOf(hops), hops);
  dead.add(hops[2]);
  dead.add(hops[0]);
  assertEquals(dead.lastOf(hops), [hops[1], hops[3], hops[0], hops[2]]);
  for (const each of hops) dead.add(each);
  assertEquals(dead.lastOf(hops), hops);
});

Deno.test("the hop that was noted first is forgotten first", () => {
  const { dead } = remembering({ capacity: 2 });
  for (const i of [1, 2, 1, 3]) dead.add(hop(i));
  assertEquals([1, 2, 3].map((i) => dead.has(hop(i))), [true, false, true]);
});

Deno.test("with no time at all nothing is ever dead", () => {
  const { dead } = remembering({ time: 0 });
  dead.add(hop(1));
  dead.add(hop(2), 60_000);
  assertEquals(dead.size, 0);
});
