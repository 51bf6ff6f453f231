import { buildReply, parseText, type SipRequest } from "../../src/sip/mod.ts";
import { type Flow, FlowError } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { Core, type CoreOptions, targetAt } from "../support/core.ts";
import { type RecordingFlow, RecordingTransport } from "../support/flows.ts";
import type { Peer } from "../support/peer.ts";

const LONG = "x".repeat(1_300);

/** How connections come about. */
type Opening = (open: () => RecordingFlow) => Flow | Promise<Flow>;

/** A core that also speaks TCP, and sends everything from alice to bob. */
function switching(opening: Opening, options: CoreOptions = {}) {
  const core = new Core(options);
  const [alice, bob] = [core.peer(), core.peer()];
  const tcp = new RecordingTransport("tcp");
  /** Whom it tried to connect to. */
  const dialed: string[] = [];
  core.speakTcp((peer) => {
    dialed.push(`${peer.address}:${peer.port}`);
    return opening(() => tcp.connect(peer));
  });
  core.route = (ctx) => ctx.fork([targetAt(bob)]);
  const flow = tcp.connect({ address: bob.sentBy.split(":")[0], port: 5060 });
  return { core, alice, bob, dialed, flow };
}

const refused: Opening = () => Promise.reject(new FlowError("refused"));
const opened: Opening = (open) => Promise.resolve(open());
const isOpen: Opening = (open) => open();

/** Answers what was sent last over a connection. */
function answer(core: Core, flow: RecordingFlow, status: number): void {
  const request = parseText(flow.sent.at(-1)!) as SipRequest;
  core.layer.receive(parseText(buildReply(request, status, { toTag: "t" }))!, flow);
}

function sendLong(alice: Peer, method = "MESSAGE"): void {
  alice.send(method, "sip:ua@example.com", { body: LONG });
}

for (const [what, opening] of [["that is opened for it", opened], ["that is there", isOpen]] as const) {
  Deno.test(`a request too long for UDP goes to the same place by a connection ${what}`, async () => {
    const { core, alice, bob, dialed, flow } = switching(opening);
    using _ = core;
    sendLong(alice);
    await core.pass(10);
    assertEquals(dialed, [bob.sentBy]);
    assertEquals([flow.sent.length, bob.received.length], [1, 0]);
    const { via } = parseText(flow.sent[0]) as SipRequest;
    assertEquals([via.transport, (parseText(flow.sent[0]) as SipRequest).all("Via").length], ["TCP", 2]);
    answer(core, flow, 200);
    await alice.hears(200);
    await core.pass(60_000);
    assertEquals([core.layer.size, core.wheel.size, flow.sent.length, flow.watchers], [0, 0, 1, 0]);
  });
}

Deno.test("it is the length of what leaves that counts, to the byte", async () => {
  const { core, alice, bob, dialed, flow } = switching(isOpen, { maxUdpBytes: 1_000 });
  using _ = core;
  for (let size = 500; size < 700; size++) {
    alice.send("MESSAGE", "sip:ua@example.com", { body: "x".repeat(size) });
  }
  await core.pass(10);
  const overUdp = bob.requests("MESSAGE").map(({ text }) => text.length);
  const overTcp = flow.sent.map((text) => text.length);
  assertEquals([overUdp.length + overTcp.length, dialed.length], [200, overTcp.length]);
  assert(Math.max(...overUdp) <= 1_000 && Math.max(...overUdp) > 980);
  assert(Math.min(...overTcp) > 1_000 && Math.min(...overTcp) < 1_020);
});

Deno.test("with no limit everything goes over UDP", async () => {
  const { core, alice, bob, dialed } = switching(isOpen, { maxUdpBytes: 0 });
  using _ = core;
  sendLong(alice);
  await bob.receives("MESSAGE");
  assertEquals(dialed, []);
});

Deno.test("a request within the limit goes over UDP, though there is a connection", async () => {
  const { core, alice, bob, dialed } = switching(isOpen);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.com");
  await bob.receives("MESSAGE");
  assertEquals(dialed, []);
});

Deno.test("a short request that its path makes too long goes over TCP as well", async () => {
  const { core, alice, bob, dialed } = switching(opened);
  using _ = core;
  const path = [`<sip:${bob.sentBy};lr;${"x".repeat(1_300)}>`];
  core.route = (ctx) => ctx.fork([targetAt(bob, { path })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  await core.pass(10);
  assertEquals(dialed, [bob.sentBy]);
});

Deno.test("it goes over UDP after all when the connection is refused, and the next one at once", async () => {
  const { core, alice, bob, dialed } = switching(refused);
  using _ = core;
  sendLong(alice);
  const first = await bob.receives("MESSAGE");
  assertEquals([first.via.transport, first.all("Via").length, first.all("Max-Breadth").length], [
    "UDP",
    2,
    1,
  ]);
  bob.reply(first, 200);
  await alice.hears(200);
  sendLong(alice);
  bob.reply(await bob.receives("MESSAGE"), 200);
  await alice.hears(200);
  assertEquals([dialed.length, core.deadHops.size, core.udpOnly.size], [1, 0, 1]);
  await core.pass(300_000);
  sendLong(alice);
  await bob.receives("MESSAGE");
  assertEquals(dialed.length, 2);
});

Deno.test("it goes over UDP after all when the connection is lost before anything was heard", async () => {
  const { core, alice, bob, flow } = switching(opened);
  using _ = core;
  sendLong(alice);
  await core.pass(10);
  flow.close();
  bob.reply(await bob.receives("MESSAGE"), 200);
  await alice.hears(200);
  assertEquals(flow.watchers, 0);
});

Deno.test("it goes over UDP after all when the connection turns out dead at once", async () => {
  const { core, alice, bob } = switching((open) => {
    const flow = open();
    flow.goDead();
    return flow;
  });
  using _ = core;
  sendLong(alice);
  bob.reply(await bob.receives("MESSAGE"), 200);
  await alice.hears(200);
});

Deno.test("a connection lost while a call rings ends it, and it does not ring anew over UDP", async () => {
  const { core, alice, bob, flow } = switching(opened);
  using _ = core;
  sendLong(alice, "INVITE");
  await core.pass(10);
  answer(core, flow, 180);
  await alice.hears(180);
  flow.close();
  await alice.hears(500);
  assertEquals(bob.received.length, 0);
});

Deno.test("without a listener for TCP it goes over UDP", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  core.route = (ctx) => ctx.fork([targetAt(bob)]);
  sendLong(alice);
  assertEquals((await bob.receives("MESSAGE")).via.transport, "UDP");
});

Deno.test("what goes to a flow of ours stays on it, however long it is", async () => {
  const { core, alice, bob, dialed } = switching(opened);
  using _ = core;
  core.route = (ctx) => ctx.relay({ via: core.flowTo(bob) });
  sendLong(alice);
  await bob.receives("MESSAGE");
  assertEquals(dialed, []);
});

Deno.test("an ACK goes over UDP, however long it is", async () => {
  const { core, alice, bob, dialed } = switching(opened);
  using _ = core;
  sendLong(alice, "ACK");
  await bob.receives("ACK");
  assertEquals(dialed, []);
});

Deno.test("a call cancelled while it is connected is sent neither way", async () => {
  const opening = Promise.withResolvers<Flow>();
  const { core, alice, bob, flow } = switching(() => opening.promise);
  using _ = core;
  alice.send("INVITE", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c", body: LONG });
  await core.pass(10);
  alice.send("CANCEL", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await alice.hears(487);
  opening.reject(new FlowError("refused"));
  await core.pass(300_000);
  assertEquals([bob.received.length, flow.sent.length, core.layer.size, core.wheel.size], [0, 0, 0, 0]);
});

Deno.test("the next hop is tried, over TCP first, when one fails both ways", async () => {
  const hosts: string[] = [];
  const { core, alice, bob, dialed } = switching(refused, { dns: { addresses: () => hosts } });
  using _ = core;
  const carol = core.peer();
  hosts.push(...[bob, carol].map(({ sentBy }) => sentBy.split(":")[0]));
  core.route = (ctx) => ctx.fork([{ uri: "sip:ua@example.net", path: [], q: 1, alternates: [] }]);
  core.cutOff(bob);
  sendLong(alice);
  const message = await carol.receives("MESSAGE");
  assertEquals(dialed, [bob.sentBy, carol.sentBy]);
  assertMatch(message.all("Via")[0], /^SIP\/2.0\/UDP /);
  assert(core.deadHops.has({ protocol: "udp", address: hosts[0], port: 5060 }));
});

Deno.test("a hop that was silent over TCP is given up like any other", async () => {
  const hosts: string[] = [];
  const { core, alice, bob, dialed, flow } = switching(opened, { dns: { addresses: () => hosts } });
  using _ = core;
  const carol = core.peer();
  hosts.push(...[bob, carol].map(({ sentBy }) => sentBy.split(":")[0]));
  core.route = (ctx) => ctx.fork([{ uri: "sip:ua@example.net", path: [], q: 1, alternates: [] }]);
  sendLong(alice, "INVITE");
  await core.pass(33_000);
  assertEquals([dialed, flow.sent.length], [[bob.sentBy, carol.sentBy], 1]);
  assert(core.deadHops.has({ protocol: "udp", address: hosts[0], port: 5060 }));
});
