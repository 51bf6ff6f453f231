import { FlowError } from "../../src/transport/mod.ts";
import { assertEquals, assertMatch, assertNotEquals } from "../support/assert.ts";
import { Core, targetAt } from "../support/core.ts";
import { PEER, RecordingTransport } from "../support/flows.ts";

const TO = { to: "<sip:ua@example.com>;tag=callee" };

Deno.test("an ACK is sent on without a transaction, and a copy of it has the same branch", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const ack = alice.send("ACK", `sip:ua@${bob.sentBy}`, { ...TO, maxForwards: "12" });
  const first = await bob.receives("ACK");
  alice.sendText(ack);
  const second = await bob.receives("ACK");
  assertEquals(first.text, second.text);
  assertMatch(first.via.branch!, /^z9hG4bK/);
  assertEquals([first.maxForwards, first.all("Via").length, core.layer.size, core.wheel.size], [11, 2, 0, 0]);
});

Deno.test("the ACKs of two calls have branches of their own", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const branches: unknown[] = [];
  const ways = [{}, { callId: "another" }, { cseq: 2 }, { branch: "z9hG4bKother" }];
  for (const way of ways) {
    const usual = { callId: "c", branch: "z9hG4bKx", ...TO };
    alice.send("ACK", `sip:ua@${bob.sentBy}`, { ...usual, ...way });
    branches.push((await bob.receives("ACK")).via.branch);
  }
  assertEquals(new Set(branches).size, ways.length);
});

Deno.test("an ACK of a peer that makes no branches is sent on as well", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const text = alice.text("ACK", `sip:ua@${bob.sentBy}`, TO).replace(/;branch=[^\r]+/, "");
  alice.sendText(text);
  assertMatch((await bob.receives("ACK")).via.branch!, /^z9hG4bK/);
});

Deno.test("a CANCEL for an INVITE we know nothing of is sent on without a transaction", async () => {
  using core = new Core();
  const [alice, bob, carol] = [core.peer(), core.peer(), core.peer()];
  core.route = (ctx) => ctx.fork([targetAt(bob), targetAt(carol)]);
  alice.send("CANCEL", "sip:ua@example.com");
  const cancel = await bob.receives("CANCEL");
  assertNotEquals(cancel.all("Via")[0], cancel.all("Via")[1]);
  assertEquals([carol.received.length, core.layer.size], [0, 0]);
});

Deno.test("an ACK that leads nowhere is dropped", async () => {
  const uris = ["sip:ua@unknown.example.net", "sip:ua@192.0.2.9;transport=tcp", "sip:ua@239.1.2.3", "tel:+1"];
  for (const uri of uris) {
    using core = new Core();
    const alice = core.peer();
    alice.send("ACK", uri, TO);
    await core.pass(100);
    assertEquals([core.network.sent.length, core.metrics.internalErrors], [1, 0], uri);
  }
});

Deno.test("an ACK for which no connection can be opened is dropped, and that is no error of ours", async () => {
  using core = new Core();
  const alice = core.peer();
  core.speakTcp(() => Promise.reject(new FlowError("refused")));
  alice.send("ACK", "sip:ua@192.0.2.50;transport=tcp", TO);
  await core.pass(100);
  assertEquals([core.network.sent.length, core.metrics.internalErrors], [1, 0]);
});

Deno.test("an ACK waits for its connection", async () => {
  const flow = new RecordingTransport("tcp").connect(PEER);
  using core = new Core();
  const alice = core.peer();
  core.speakTcp(() => Promise.resolve(flow));
  alice.send("ACK", "sip:ua@192.0.2.50;transport=tcp", TO);
  await core.pass(100);
  assertEquals(flow.headlines, ["ACK sip:ua@192.0.2.50;transport=tcp"]);
});

Deno.test("an ACK goes where a name leads, by the first address", async () => {
  const addresses = () => Promise.resolve(["198.51.100.11", "198.51.100.12"]);
  using core = new Core({ dns: { addresses } });
  const [alice, bob, carol] = [core.peer(), core.peer(), core.peer()];
  alice.send("ACK", "sip:ua@example.net", TO);
  await bob.receives("ACK");
  assertEquals(carol.received.length, 0);
});

Deno.test("an ACK goes over a flow of ours if the route says so", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  core.route = (ctx) => ctx.relay({ via: core.flowTo(bob) });
  alice.send("ACK", "sip:ua@203.0.113.2", TO);
  assertEquals((await bob.receives("ACK")).uriText, "sip:ua@203.0.113.2");
});
