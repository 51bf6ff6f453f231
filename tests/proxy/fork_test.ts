import type { FailedBranch, ForkOptions, RelayOptions, Target } from "../../src/proxy/mod.ts";
import { parseUri, SipError, type SipRequest } from "../../src/sip/mod.ts";
import { type Flow, FlowError } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { Core, targetAt } from "../support/core.ts";
import { PEER, RecordingTransport } from "../support/flows.ts";
import type { Peer } from "../support/peer.ts";

/** Long enough for everything to be over: timers B and C, then H or D, and what waits for copies. */
const ALL_TIMERS = 300_000;

/** A core that sends everything from alice to these targets. */
function forking(core: Core, targets: readonly Target[], options?: ForkOptions): void {
  core.route = (ctx) => ctx.fork(targets, options);
}

/** A core with the peers alice, bob, carol and dave. */
function withPeers(core: Core): { alice: Peer; bob: Peer; carol: Peer; dave: Peer } {
  return { alice: core.peer(), bob: core.peer(), carol: core.peer(), dave: core.peer() };
}

async function assertReleased(core: Core): Promise<void> {
  await core.pass(ALL_TIMERS);
  assertEquals([core.layer.size, core.wheel.size, core.layer.underWay], [0, 0, 0]);
}

Deno.test("another flow of the same user agent is tried after 430 and after 403", async () => {
  for (const status of [430, 403]) {
    using core = new Core();
    const { alice, bob, carol } = withPeers(core);
    forking(core, [targetAt(bob, { alternates: [targetAt(carol)] })]);
    alice.send("INVITE", "sip:ua@example.com");
    bob.reply(await bob.receives("INVITE"), status);
    const second = await carol.receives("INVITE");
    assertEquals(second.all("Via").length, 2);
    carol.reply(second, 200);
    await alice.hears(200);
    assertEquals(alice.statuses("INVITE").filter((status) => status >= 200), [200]);
  }
});

Deno.test("another flow of the same user agent is tried after silence", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  forking(core, [targetAt(bob, { alternates: [targetAt(carol)] })]);
  alice.send("INVITE", "sip:ua@example.com");
  carol.reply(await carol.receives("INVITE"), 200);
  assertEquals(bob.requests("INVITE").length, 7);
  assertEquals(new Set(bob.requests("INVITE").map(({ text }) => text)).size, 1);
});

Deno.test("for what is no INVITE there is no time left after silence: nobody else is asked", async () => {
  using core = new Core();
  const { alice, bob, carol, dave } = withPeers(core);
  forking(core, [targetAt(bob, { alternates: [targetAt(carol)] }), targetAt(dave, { q: 0.1 })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  await core.pass(40_000);
  assertEquals([bob.requests("MESSAGE").length, carol.received.length, dave.received.length], [11, 0, 0]);
  await assertReleased(core);
});

Deno.test("another flow of the same user agent is tried at once when the first is dead", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  core.cutOff(bob);
  forking(core, [targetAt(bob, { via: core.flowTo(bob), alternates: [targetAt(carol)] })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  await core.pass(5);
  assertEquals(carol.requests("MESSAGE").length, 1);
});

Deno.test("no other flow is tried after an answer of the user agent itself", async () => {
  for (const status of [302, 404, 480, 486, 487, 500, 503, 600]) {
    using core = new Core();
    const { alice, bob, carol } = withPeers(core);
    forking(core, [targetAt(bob, { alternates: [targetAt(carol)] })]);
    alice.send("MESSAGE", "sip:ua@example.com");
    bob.reply(await bob.receives("MESSAGE"), status);
    await alice.hears(status === 503 ? 500 : status);
    await core.pass(1_000);
    assertEquals(carol.received.length, 0, String(status));
  }
});

Deno.test("the flows of a user agent are tried one after the other, and the last failure is told", async () => {
  using core = new Core();
  const { alice, bob, carol, dave } = withPeers(core);
  forking(core, [targetAt(bob, { alternates: [targetAt(carol), targetAt(dave)] })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 430);
  carol.reply(await carol.receives("MESSAGE"), 430);
  dave.reply(await dave.receives("MESSAGE"), 430);
  await alice.hears(430);
  await assertReleased(core);
});

Deno.test("an alternate gets the request as it came, whatever became of it for others meanwhile", async () => {
  using core = new Core({ maxBreadth: 2 });
  const { alice, bob, carol, dave } = withPeers(core);
  const last = core.peer();
  forking(core, [targetAt(bob, { alternates: [targetAt(last)] }), targetAt(carol), targetAt(dave)]);
  alice.send("MESSAGE", "sip:ua@example.com");
  carol.reply(await carol.receives("MESSAGE"), 486);
  await dave.receives("MESSAGE");
  bob.reply(await bob.receives("MESSAGE"), 430);
  assertEquals((await last.receives("MESSAGE")).all("Via").length, 2);
});

Deno.test("an alternate is tried before the targets of lower q", async () => {
  using core = new Core();
  const { alice, bob, carol, dave } = withPeers(core);
  forking(core, [targetAt(bob, { alternates: [targetAt(carol)] }), targetAt(dave, { q: 0.5 })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 430);
  const second = await carol.receives("MESSAGE");
  assertEquals(dave.received.length, 0);
  carol.reply(second, 480);
  await dave.receives("MESSAGE");
});

Deno.test("each failed branch is told, with what it said and whether it was the flow", async () => {
  using core = new Core();
  const { alice, bob, carol, dave } = withPeers(core);
  const told: FailedBranch[] = [];
  const targets = [targetAt(bob), targetAt(carol), targetAt(dave)];
  forking(core, targets, { onBranchFailure: (branch) => told.push(branch) });
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 430);
  carol.reply(await carol.receives("MESSAGE"), 486);
  await alice.hears(430);
  const seen = told.map(({ target, response, flowFailed }) => [target.uri, response?.status, flowFailed]);
  assertEquals(seen, [
    [targets[0].uri, 430, true],
    [targets[1].uri, 486, false],
    [targets[2].uri, undefined, true],
  ]);
});

Deno.test("after a 6xx no other flow is tried, though a branch falls silent", async () => {
  using core = new Core();
  const { alice, bob, carol, dave } = withPeers(core);
  forking(core, [targetAt(bob), targetAt(carol, { alternates: [targetAt(dave)] })]);
  alice.send("INVITE", "sip:ua@example.com");
  bob.reply(await bob.receives("INVITE"), 603);
  await alice.hears(603);
  await assertReleased(core);
  assertEquals(dave.received.length, 0);
});

Deno.test("a 6xx ends branches that are not on their way yet, and they count as no dead flow", async () => {
  const lookup = Promise.withResolvers<string[]>();
  using core = new Core({ dns: { addresses: () => lookup.promise } });
  const { alice, bob, carol } = withPeers(core);
  const told: FailedBranch[] = [];
  const slow = targetAt(carol, { uri: "sip:ua@slow.example.net", alternates: [targetAt(carol)] });
  forking(core, [targetAt(bob), slow], { onBranchFailure: (branch) => told.push(branch) });
  alice.send("INVITE", "sip:ua@example.com");
  bob.reply(await bob.receives("INVITE"), 603);
  await alice.hears(603);
  lookup.resolve(["198.51.100.12"]);
  await assertReleased(core);
  assertEquals(carol.received.length, 0);
  assertEquals(told.map(({ flowFailed }) => flowFailed), [false, false]);
});

Deno.test("a call cancelled while a name is looked up goes nowhere", async () => {
  const lookup = Promise.withResolvers<string[]>();
  using core = new Core({ dns: { addresses: () => lookup.promise } });
  const { alice, bob } = withPeers(core);
  const told: FailedBranch[] = [];
  const slow = targetAt(bob, { uri: "sip:ua@slow.example.net", alternates: [targetAt(bob)] });
  forking(core, [slow], { onBranchFailure: (branch) => told.push(branch) });
  const branch = "z9hG4bKsame";
  alice.send("INVITE", "sip:ua@example.com", { branch, callId: "c" });
  await core.pass(10);
  alice.send("CANCEL", "sip:ua@example.com", { branch, callId: "c" });
  await alice.hears(487);
  lookup.resolve(["198.51.100.11"]);
  await assertReleased(core);
  assertEquals(bob.received.length, 0);
  assertEquals(told.map(({ flowFailed }) => flowFailed), [false]);
});

/** A core that finds these peers at example.net, and sends everything there. */
function hopping(peers: (core: Core) => Peer[]): { core: Core; hops: Peer[]; alice: Peer } {
  let hops: Peer[] = [];
  const core = new Core({
    dns: { addresses: () => Promise.resolve(hops.map(({ sentBy }) => sentBy.split(":")[0])) },
  });
  const alice = core.peer();
  hops = peers(core);
  core.route = (ctx) => ctx.fork([{ uri: "sip:ua@example.net", path: [], q: 1, alternates: [] }]);
  return { core, hops, alice };
}

const branchOf = ({ via }: SipRequest) => via.branch;

Deno.test("the next hop is tried after a dead flow, after 503 and after silence, each with its own branch", async () => {
  const { core, hops, alice } = hopping((core) => [core.peer(), core.peer(), core.peer(), core.peer()]);
  using _ = core;
  const [dead, busy, silent, last] = hops;
  core.cutOff(dead);
  alice.send("INVITE", "sip:ua@example.net");
  const second = await busy.receives("INVITE");
  busy.reply(second, 503);
  const fourth = await last.receives("INVITE");
  const third = silent.requests("INVITE");
  assertEquals(third.length, 7);
  assertEquals(new Set([second, third[0], fourth].map(branchOf)).size, 3);
  assertEquals(fourth.all("Via").length, 2);
  last.reply(fourth, 200);
  await alice.hears(200);
  assertEquals(await busy.receives("ACK").then(branchOf), branchOf(second));
  await assertReleased(core);
});

Deno.test("a flow found dead while a hop is silent leads to the next", async () => {
  const { core, hops, alice } = hopping((core) => [core.peer(), core.peer()]);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.net");
  await hops[0].receives("MESSAGE");
  (core.flowTo(hops[0]) as unknown as { failed(): void }).failed();
  hops[1].reply(await hops[1].receives("MESSAGE"), 200);
  await alice.hears(200);
});

Deno.test("no further hop is tried once one has rung", async () => {
  const ends: ((core: Core, hop: Peer, invite: SipRequest) => void)[] = [
    (_core, hop, invite) => hop.reply(invite, 503),
    (core, hop) => (core.flowTo(hop) as unknown as { failed(): void }).failed(),
    () => {},
  ];
  for (const end of ends) {
    const { core, hops, alice } = hopping((core) => [core.peer(), core.peer()]);
    using _ = core;
    alice.send("INVITE", "sip:ua@example.net");
    const invite = await hops[0].receives("INVITE");
    hops[0].reply(invite, 180);
    await alice.hears(180);
    end(core, hops[0], invite);
    assert((await alice.final()).status >= 400);
    assertEquals(hops[1].received.length, 0);
  }
});

Deno.test("a 503 after a mere 100 still leads to the next hop", async () => {
  const { core, hops, alice } = hopping((core) => [core.peer(), core.peer()]);
  using _ = core;
  alice.send("INVITE", "sip:ua@example.net");
  const invite = await hops[0].receives("INVITE");
  hops[0].reply(invite, 100);
  hops[0].reply(invite, 503);
  hops[1].reply(await hops[1].receives("INVITE"), 200);
  await alice.hears(200);
});

Deno.test("no further hop is tried after any other answer", async () => {
  for (const status of [200, 302, 404, 500, 504, 600]) {
    const { core, hops, alice } = hopping((core) => [core.peer(), core.peer()]);
    using _ = core;
    alice.send("MESSAGE", "sip:ua@example.net");
    hops[0].reply(await hops[0].receives("MESSAGE"), status);
    await alice.hears(status);
    await core.pass(1_000);
    assertEquals(hops[1].received.length, 0);
  }
});

Deno.test("no further hop is tried for a call that was cancelled", async () => {
  const { core, hops, alice } = hopping((core) => [core.peer(), core.peer()]);
  using _ = core;
  alice.send("INVITE", "sip:ua@example.net", { branch: "z9hG4bKsame", callId: "c" });
  const invite = await hops[0].receives("INVITE");
  alice.send("CANCEL", "sip:ua@example.net", { branch: "z9hG4bKsame", callId: "c" });
  await alice.hears(200);
  hops[0].reply(invite, 503);
  await alice.hears(500);
  await assertReleased(core);
  assertEquals(hops[1].received.length, 0);
});

Deno.test("a target that cannot be reached counts as 503, and the caller is told 500", async () => {
  const nowhere = [
    "sip:ua@unknown.example.net",
    "sip:ua@198.51.100.99;transport=tcp",
    "sip:ua@[2001:db8::99]",
    "sip:ua@198.51.100.99;transport=pigeon",
    "sips:ua@198.51.100.99",
    "tel:+123",
    "sip:broken uri",
  ];
  for (const uri of nowhere) {
    using core = new Core();
    const { alice } = withPeers(core);
    const told: FailedBranch[] = [];
    const target = { uri, path: [], q: 1, alternates: [] };
    forking(core, [target], { onBranchFailure: (branch) => told.push(branch) });
    alice.send("MESSAGE", "sip:ua@example.com");
    await alice.hears(500);
    assertEquals(told, [{ target, response: undefined, flowFailed: true, isGone: false }], uri);
    assertEquals(alice.received.length, 1);
  }
});

Deno.test("nothing is sent to addresses that are nobody's own", async () => {
  const nobody = [
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "[::]",
    "[ff02::1]",
  ];
  for (const host of nobody) {
    using core = new Core({ dns: { addresses: () => Promise.resolve([host.replace(/[[\]]/g, "")]) } });
    const { alice, bob } = withPeers(core);
    core.cutOff(bob);
    const uris = [`sip:ua@${host}`, `sip:ua@${bob.sentBy};maddr=${host}`, "sip:ua@example.net"];
    forking(core, uris.map((uri) => ({ uri, path: [], q: 1, alternates: [] })));
    alice.send("MESSAGE", "sip:ua@example.com");
    await alice.hears(500);
    assertEquals(core.network.sent.map(({ to }) => to.address), ["192.0.2.1", "198.51.100.10"], host);
  }
});

Deno.test("a target that fails at once does not end the others of its group", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  core.cutOff(bob);
  forking(core, [targetAt(bob), targetAt(carol), { ...targetAt(bob), uri: "sip:no one" }]);
  alice.send("INVITE", "sip:ua@example.com");
  carol.reply(await carol.receives("INVITE"), 200);
  await alice.hears(200);
  await assertReleased(core);
});

Deno.test("a target goes by its path, above what Route is left", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  const path = [`<sip:${bob.sentBy};lr>`, "<sip:edge.example.net;lr;ob>"];
  forking(core, [targetAt(carol, { path })]);
  alice.send("MESSAGE", "sip:ua@example.com", { headers: [["Route", "<sip:last.example.net;lr>"]] });
  const message = await bob.receives("MESSAGE");
  assertEquals(message.uriText, `sip:user@${carol.sentBy}`);
  assertEquals(message.all("Route"), [...path, "<sip:last.example.net;lr>"]);
});

Deno.test("what the options say goes before Route and Request-URI, and leaves both as they are", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  const ways: [peer: Peer, options: RelayOptions][] = [
    [bob, { to: parseUri(`sip:${bob.sentBy}`) }],
    [carol, { via: core.flowTo(carol) }],
  ];
  for (const [peer, options] of ways) {
    core.route = (ctx) => ctx.relay(options);
    alice.send("MESSAGE", "sip:ua@203.0.113.2", { headers: [["Route", "<sip:203.0.113.1;lr>"]] });
    const message = await peer.receives("MESSAGE");
    assertEquals([message.uriText, ...message.all("Route")], ["sip:ua@203.0.113.2", "<sip:203.0.113.1;lr>"]);
  }
});

Deno.test("the script edits responses, but is not asked about 100", async () => {
  using core = new Core();
  const { alice, bob } = withPeers(core);
  const seen: number[] = [];
  forking(core, [targetAt(bob)], {
    onResponse(response, draft) {
      seen.push(response.status);
      draft.set("Server", "edited");
    },
  });
  alice.send("INVITE", "sip:ua@example.com");
  const invite = await bob.receives("INVITE");
  for (const status of [100, 180, 486]) bob.reply(invite, status, { headers: [["Server", "bob"]] });
  assertEquals((await alice.hears(180)).all("Server"), ["edited"]);
  assertEquals((await alice.hears(486)).all("Server"), ["edited"]);
  assertEquals(seen, [180, 486]);
});

Deno.test("the script may choose another status for the final failure", async () => {
  using core = new Core();
  const { alice, bob } = withPeers(core);
  forking(core, [targetAt(bob)], { onFailure: ({ status }) => status === 430 ? 480 : undefined });
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 430, { headers: [["X-Of", "bob"]] });
  const response = await alice.hears(480);
  assertEquals([response.reason, response.get("X-Of")], ["Temporarily Unavailable", undefined]);
});

Deno.test("targets beyond the limit are left out, those of the lowest q first", async () => {
  using core = new Core({ maxTargets: 2 });
  const { alice, bob, carol, dave } = withPeers(core);
  forking(core, [targetAt(bob, { q: 0.1 }), targetAt(carol, { q: 0.5 }), targetAt(dave, { q: 0.9 })]);
  alice.send("MESSAGE", "sip:ua@example.com");
  dave.reply(await dave.receives("MESSAGE"), 480);
  carol.reply(await carol.receives("MESSAGE"), 480);
  await alice.hears(480);
  assertEquals([bob.received.length, core.metrics.targetsShed], [0, 1]);
});

Deno.test("no targets at all are nobody there", async () => {
  using core = new Core();
  const { alice } = withPeers(core);
  forking(core, []);
  alice.send("INVITE", "sip:ua@example.com");
  await alice.hears(480);
});

Deno.test("an unknown method is forked like any other", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  forking(core, [targetAt(bob), targetAt(carol)]);
  alice.send("DANCE", "sip:ua@example.com");
  bob.reply(await bob.receives("DANCE"), 480);
  carol.reply(await carol.receives("DANCE"), 299);
  await alice.hears(299);
});

Deno.test("a 2xx to another method than INVITE is told once, whoever else succeeds", async () => {
  using core = new Core();
  const { alice, bob, carol } = withPeers(core);
  forking(core, [targetAt(bob), targetAt(carol)]);
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 200);
  carol.reply(await carol.receives("MESSAGE"), 202);
  await core.pass(100);
  assertEquals(alice.statuses("MESSAGE"), [200]);
  await assertReleased(core);
});

Deno.test("a 408 to another method than INVITE is never told, even if somebody else said it", async () => {
  using core = new Core();
  const { alice, bob } = withPeers(core);
  forking(core, [targetAt(bob)]);
  alice.send("MESSAGE", "sip:ua@example.com");
  bob.reply(await bob.receives("MESSAGE"), 408);
  await assertReleased(core);
  assertEquals(alice.statuses("MESSAGE").filter((status) => status >= 200), []);
});

Deno.test("a call is forgotten altogether once its timers have run, however it ends", async () => {
  const ends: [name: string, statuses: number[]][] = [
    ["answered", [180, 200]],
    ["refused", [180, 486]],
    ["declined", [603]],
    ["ringing on", [180]],
    ["silent", []],
  ];
  for (const [name, statuses] of ends) {
    using core = new Core();
    const { alice, bob, carol } = withPeers(core);
    forking(core, [targetAt(bob), targetAt(carol, { q: 0.5 })]);
    alice.send("INVITE", "sip:ua@example.com");
    const invite = await bob.receives("INVITE");
    for (const status of statuses) bob.reply(invite, status);
    await core.pass(250_000);
    assert(alice.statuses("INVITE").some((status) => status >= 200), name);
    await assertReleased(core);
  }
});

/** A core that also speaks TCP, where each connection is opened by the promise that is next. */
function connecting(openings: Promise<Flow>[]): { core: Core; alice: Peer } {
  const core = new Core({
    dns: { addresses: () => Promise.resolve(openings.map((_, i) => `192.0.2.${50 + i}`)) },
  });
  core.speakTcp(() => openings.shift()!);
  forking(core, [{ uri: "sip:ua@example.net;transport=tcp", path: [], q: 1, alternates: [] }]);
  return { core, alice: core.peer() };
}

Deno.test("a hop no connection can be opened to is passed over", async () => {
  const flow = new RecordingTransport("tcp").connect(PEER);
  const { core, alice } = connecting([Promise.reject(new FlowError("refused")), Promise.resolve(flow)]);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.com");
  await core.pass(10);
  assertEquals(flow.headlines, ["MESSAGE sip:ua@example.net;transport=tcp"]);
  assertMatch(flow.sent[0], /Via: SIP\/2.0\/TCP 192.0.2.1:5060;branch=z9hG4bK/);
});

Deno.test("a target none of whose hops can be connected to cannot be reached", async () => {
  const refused = [1, 2].map(() => Promise.reject(new FlowError("refused")));
  const { core, alice } = connecting(refused);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.com");
  await alice.hears(500);
});

Deno.test("a call cancelled while a connection is opened is not sent", async () => {
  const flow = new RecordingTransport("tcp").connect(PEER);
  const opening = Promise.withResolvers<Flow>();
  const { core, alice } = connecting([opening.promise]);
  using _ = core;
  alice.send("INVITE", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await core.pass(10);
  alice.send("CANCEL", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await alice.hears(487);
  opening.resolve(flow);
  await assertReleased(core);
  assertEquals([flow.sent.length, flow.watchers], [0, 0]);
});

Deno.test("a connection lost while a call rings ends it, and is not watched any longer", async () => {
  const flow = new RecordingTransport("tcp").connect(PEER);
  const { core, alice } = connecting([Promise.resolve(flow)]);
  using _ = core;
  alice.send("INVITE", "sip:ua@example.com");
  await core.pass(10);
  flow.close();
  await alice.hears(500);
  await assertReleased(core);
  assertEquals(flow.watchers, 0);
});

Deno.test("an error of the script's is answered and ends the fork, when it comes with a response", async () => {
  for (const options of [{ onBranchFailure: breaking }, { onFailure: breaking }, { onResponse: breaking }]) {
    using core = new Core();
    const { alice, bob, carol } = withPeers(core);
    forking(core, [targetAt(bob), targetAt(carol)], options);
    alice.send("INVITE", "sip:ua@example.com");
    for (const peer of [bob, carol]) peer.reply(await peer.receives("INVITE"), 486);
    assertEquals((await alice.hears(499)).reason, "From The Script");
    await assertReleased(core);
  }
});

Deno.test("an error of the script's over any response is answered, and who still rings is cancelled", async () => {
  for (const status of [180, 200, 486]) {
    using core = new Core();
    const { alice, bob, carol } = withPeers(core);
    const options = status === 486 ? { onBranchFailure: breaking } : { onResponse: breaking };
    forking(core, [targetAt(bob), targetAt(carol)], options);
    alice.send("INVITE", "sip:ua@example.com");
    carol.reply(await carol.receives("INVITE"), 100);
    bob.reply(await bob.receives("INVITE"), status);
    await alice.hears(499);
    await core.pass(10);
    assertEquals(carol.requests("CANCEL").length, 1);
    await assertReleased(core);
  }
});

Deno.test("an error of the script's over a cancelled call is answered too", async () => {
  using core = new Core({ dns: { addresses: () => new Promise(() => {}) } });
  const { alice } = withPeers(core);
  const target = { uri: "sip:ua@slow.example.net", path: [], q: 1, alternates: [] };
  forking(core, [target], { onFailure: breaking });
  alice.send("INVITE", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await core.pass(10);
  alice.send("CANCEL", "sip:ua@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await alice.hears(499);
  await assertReleased(core);
});

Deno.test("an error of the script's is answered and ends the fork, when nothing could be sent", async () => {
  for (const options of [{ onBranchFailure: breaking }, { onFailure: breaking }]) {
    using core = new Core();
    const { alice, bob } = withPeers(core);
    core.cutOff(bob);
    forking(core, [targetAt(bob), targetAt(bob)], options);
    alice.send("INVITE", "sip:ua@example.com");
    await alice.hears(499);
    await assertReleased(core);
  }
});

function breaking(): never {
  throw new SipError(499, "From The Script");
}

Deno.test("an error in an edit is answered, also when it comes after a look-up", async () => {
  for (const host of ["198.51.100.11", "slow.example.net"]) {
    using core = new Core({ dns: { addresses: () => Promise.resolve(["198.51.100.11"]) } });
    const { alice } = withPeers(core);
    core.route = (ctx) => {
      ctx.onForward(() => {
        throw new TypeError("a bug");
      });
      ctx.fork([{ uri: `sip:ua@${host}`, path: [], q: 1, alternates: [] }]);
    };
    alice.send("INVITE", "sip:ua@example.com");
    await alice.hears(500);
    assertEquals([core.logged.length, core.metrics.internalErrors], [1, 1]);
    await assertReleased(core);
  }
});
