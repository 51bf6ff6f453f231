import fc from "fast-check";
import { FlowTokens } from "../../src/modules/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PEER, type RecordingFlow, RecordingTransport } from "../support/flows.ts";

/** Some open connections, by their ids, and the tokens of their process. */
function process(): { flows: RecordingFlow[]; tokens: FlowTokens; byId: Map<number, RecordingFlow> } {
  const listener = new RecordingTransport("tcp");
  const flows = Array.from({ length: 40 }, (_, i) => listener.accept({ ...PEER, port: 40_000 + i }));
  const byId = new Map(flows.map((flow) => [flow.id, flow]));
  return { flows, byId, tokens: new FlowTokens((id) => byId.get(id)) };
}

Deno.test("a token leads back to its flow, is the same each time, and differs from all others", () => {
  const { flows, tokens } = process();
  for (const flow of flows) {
    const named = tokens.read(tokens.of(flow));
    assert(named.kind === "flow" && named.flow === flow);
    assertEquals(tokens.of(flow), tokens.of(flow));
  }
  assertEquals(new Set(flows.map((flow) => tokens.of(flow))).size, flows.length);
});

Deno.test("a token needs no escapes in the user part of a URI", () => {
  const { flows, tokens } = process();
  for (const flow of flows) assert(/^[\w-]+$/.test(tokens.of(flow)));
});

Deno.test("a token whose connection has ended names one that is gone, also when nobody knows it any more", () => {
  const { flows: [flow, other], tokens, byId } = process();
  const token = tokens.of(flow);
  flow.goDead();
  assertEquals(tokens.read(token), { kind: "gone" });
  byId.delete(flow.id);
  assertEquals(tokens.read(token), { kind: "gone" });
  assertEquals(tokens.read(tokens.of(other)).kind, "flow");
});

Deno.test("a token of another process is forged, though there is a connection of the same id", () => {
  const [here, there] = [process(), process()];
  assertEquals(here.tokens.read(there.tokens.of(there.flows[0])), { kind: "forged" });
});

Deno.test("the token of one connection with the id of another is forged", () => {
  const { flows, tokens } = process();
  const [one, two] = flows.map((flow) => tokens.of(flow));
  assertEquals(tokens.read(one.slice(0, 16) + two.slice(16)).kind, "forged");
  assertEquals(tokens.read(one.slice(0, 16) + one.slice(16).padStart(3, "0")).kind, "forged");
});

const char = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

Deno.test("a token of which a char was changed, taken away or added is forged, wherever that is", () => {
  const { flows, tokens, byId } = process();
  const dead = flows.slice(20);
  const all = flows.map((flow) => tokens.of(flow));
  for (const flow of dead) byId.delete(flow.id);
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.nat(), fc.nat({ max: 2 }), char, (token, at, way, char) => {
      const place = at % (token.length + 1);
      const tail = token.slice(way === 0 ? place : place + 1);
      const changed = token.slice(0, place) + (way === 1 ? "" : char) + tail;
      if (changed !== token) assertEquals(tokens.read(changed).kind, "forged");
    }),
  );
});

Deno.test("no text is more than forged, and none makes it throw", () => {
  const { tokens } = process();
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: char, maxLength: 40 }),
    fc.stringMatching(/^[\w-]{16,30}$/),
  );
  fc.assert(fc.property(texts, (text) => assertEquals(tokens.read(text), { kind: "forged" })));
  assertEquals(tokens.read("x".repeat(65_000)), { kind: "forged" });
});
