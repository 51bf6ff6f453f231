import { FlowBindings } from "../../src/modules/flow_bindings.ts";
import type { Aor } from "../../src/usrloc/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { PEER, type RecordingFlow, RecordingTransport } from "../support/flows.ts";

const [ALICE, BOB, CAROL, DAVE] = ["sip:alice@x", "sip:bob@x", "sip:carol@x", "sip:dave@x"] as Aor[];

/** What is told of connections that end, and some that are open. */
function watching(capacity?: number) {
  const told: [aor: Aor, flowId: number][] = [];
  const bindings = new FlowBindings((aor, { id }) => told.push([aor, id]), capacity);
  const listener = new RecordingTransport("tcp");
  const flows: RecordingFlow[] = [1, 2, 3].map((port) => listener.accept({ ...PEER, port }));
  return { bindings, told, flows };
}

Deno.test("when a connection ends, each AoR that was registered over it is told once", () => {
  const { bindings, told, flows: [flow] } = watching();
  for (const aor of [BOB, ALICE, BOB]) bindings.note(aor, flow);
  assertEquals([told.length, flow.watchers], [0, 1]);
  flow.close();
  assertEquals(told, [[BOB, 1], [ALICE, 1]]);
  bindings.flowClosed(flow);
  assertEquals(told.length, 2);
});

Deno.test("an AoR with several connections is told of each that ends, and of no other", () => {
  const { bindings, told, flows: [one, two, three] } = watching();
  for (const flow of [one, two, three]) bindings.note(BOB, flow);
  bindings.note(CAROL, three);
  two.close();
  assertEquals(told, [[BOB, 2]]);
  three.close();
  assertEquals(told, [[BOB, 2], [BOB, 3], [CAROL, 3]]);
});

Deno.test("a connection that ended before it could be noted is told of at once", () => {
  const { bindings, told, flows: [flow] } = watching();
  flow.close();
  bindings.note(BOB, flow);
  assertEquals([told, flow.watchers], [[[BOB, 1]], 0]);
});

Deno.test("beyond what may be noted in all, a connection forgets its own oldest, and everyone has one", () => {
  const { bindings, told, flows: [many, one, late] } = watching(3);
  for (const aor of [ALICE, BOB, CAROL, ALICE]) bindings.note(aor, many);
  bindings.note(ALICE, one);
  bindings.note(DAVE, many);
  one.close();
  assertEquals(told, [[ALICE, 2]]);
  many.close();
  assertEquals(told.slice(1), [[BOB, 1], [CAROL, 1], [DAVE, 1]]);
  for (const aor of [ALICE, BOB, CAROL]) bindings.note(aor, late);
  late.close();
  assertEquals(told.slice(4).map(([aor]) => aor), [ALICE, BOB, CAROL]);
});
