import { Metrics } from "../../src/lib/metrics.ts";
import { Arrival, type Flow, FlowIds, UdpFlow } from "../../src/transport/mod.ts";
import { UdpFlowCache } from "../../src/transport/udp_flow.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { MemoryListener, Network } from "../support/network.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const arrival = new Arrival({
  receive: () => {},
  metrics: new Metrics(),
  limits: { bytes: 65_535, headers: 100 },
  forceRport: false,
});
const network = new Network(new VirtualClock());
const listener = new MemoryListener(network, { address: "192.0.2.1", port: 5060 }, arrival);

function flowOf(id: number): UdpFlow {
  return new UdpFlow(id, listener, { address: "192.0.2.9", port: id }, new Uint32Array(0));
}

/** A cache of the capacity with flows 1 to `count`, each under its id. */
function cacheOf(capacity: number, count: number): UdpFlowCache<number> {
  const cache = new UdpFlowCache<number>(capacity);
  for (let id = 1; id <= count; id++) cache.set(id, flowOf(id));
  return cache;
}

Deno.test("flow ids are never used again", () => {
  const ids = new FlowIds();
  const given = Array.from({ length: 1_000 }, () => ids.next());
  assertEquals(new Set(given).size, 1_000);
  assertEquals(given.toSorted((a, b) => a - b), given);
});

Deno.test("a cache knows what was put in until twice its capacity came after", () => {
  const cache = cacheOf(10, 20);
  for (let id = 1; id <= 20; id++) assertEquals(cacheOf(10, 20).get(id)?.id, id);
  for (let id = 21; id <= 30; id++) cache.set(id, flowOf(id));
  for (let id = 1; id <= 10; id++) assertEquals(cache.get(id), undefined);
});

Deno.test("a flow that is asked for now and then is never forgotten", () => {
  const cache = cacheOf(10, 1);
  const first = cache.get(1);
  for (let id = 2; id <= 200; id++) {
    cache.set(id, flowOf(id));
    if (id % 5 === 0) assert(cache.get(1) === first);
  }
});

Deno.test("a cache holds no more than twice its capacity", () => {
  const cache = cacheOf(10, 1_000);
  const known = Array.from({ length: 1_000 }, (_, i) => i + 1).filter((id) => cache.get(id) !== undefined);
  assert(known.length <= 20 && known.length >= 10, String(known.length));
});

Deno.test("a cache of one still gives back what was put in last", () => {
  const cache = cacheOf(1, 3);
  assertEquals(cache.get(3)?.id, 3);
  assertEquals(cache.get(1), undefined);
});

Deno.test("everyone who watches a flow is told once that it failed, unless they stopped watching", () => {
  const flow = flowOf(1);
  const told: string[] = [];
  const watcher = (name: string) => ({ flowClosed: (of: Flow) => told.push(`${name} ${of.id}`) });
  const [a, b] = [watcher("a"), watcher("b")];
  flow.watch(a);
  flow.watch(b);
  flow.watch(watcher("c"));
  flow.unwatch(b);
  flow.failed();
  flow.failed();
  assertEquals(told, ["a 1", "c 1"]);
});

Deno.test("who watches again while being told waits for the next failure", () => {
  const flow = flowOf(1);
  let told = 0;
  const stubborn = {
    flowClosed() {
      told++;
      flow.watch(stubborn);
    },
  };
  flow.watch(stubborn);
  flow.failed();
  assertEquals(told, 1);
  flow.failed();
  assertEquals(told, 2);
});

Deno.test("a flow that failed may be used again", () => {
  const flow = flowOf(1);
  flow.failed();
  assert(flow.send("again"));
  assertEquals(network.sent.map(({ text }) => text), ["again"]);
});
