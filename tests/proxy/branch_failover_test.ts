import type { SipRequest } from "../../src/sip/mod.ts";
import { FlowError } from "../../src/transport/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { Core } from "../support/core.ts";
import { RecordingTransport } from "../support/flows.ts";
import type { Peer } from "../support/peer.ts";

/** Past timers B and F, and not long past. */
const SILENCE = 33_000;

/** A core that finds these peers at example.net, in this order, and sends everything there. */
function hopping(count: number): { core: Core; hops: Peer[]; alice: Peer } {
  const hops: Peer[] = [];
  const core = new Core({ dns: { addresses: () => hops.map(({ sentBy }) => sentBy.split(":")[0]) } });
  const alice = core.peer();
  for (let i = 0; i < count; i++) hops.push(core.peer());
  core.route = (ctx) => ctx.fork([{ uri: "sip:ua@example.net", path: [], q: 1, alternates: [] }]);
  return { core, hops, alice };
}

/** Has alice send a MESSAGE that this peer gets and answers. */
async function isServedBy(alice: Peer, peer: Peer, status = 200): Promise<SipRequest> {
  alice.send("MESSAGE", "sip:ua@example.net");
  const message = await peer.receives("MESSAGE");
  peer.reply(message, status);
  await alice.hears(status);
  return message;
}

/** Has the first hop time out with an INVITE that the second answers. */
async function silenceFirst(alice: Peer, hops: Peer[]): Promise<void> {
  alice.send("INVITE", "sip:ua@example.net");
  hops[1].reply(await hops[1].receives("INVITE"), 200);
  await alice.hears(200);
}

Deno.test("a hop that was silent is passed over for a while, and then tried again", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  await silenceFirst(alice, hops);
  await isServedBy(alice, hops[1]);
  assertEquals(hops[0].requests("MESSAGE").length, 0);
  await core.pass(30_000);
  await isServedBy(alice, hops[0]);
});

Deno.test("a hop that cannot be sent to is passed over for a while", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  core.cutOff(hops[0]);
  await isServedBy(alice, hops[1]);
  core.network.unreachable.clear();
  await isServedBy(alice, hops[1]);
  assertEquals(hops[0].received.length, 0);
  await core.pass(30_000);
  await isServedBy(alice, hops[0]);
});

Deno.test("a hop that is busy is passed over for as long as it wants to be", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.net");
  hops[0].reply(await hops[0].receives("MESSAGE"), 503, {
    headers: [["Retry-After", "120 (lunch);duration=9"]],
  });
  hops[1].reply(await hops[1].receives("MESSAGE"), 200);
  await alice.hears(200);
  await core.pass(110_000);
  await isServedBy(alice, hops[1]);
  await core.pass(10_000);
  await isServedBy(alice, hops[0]);
});

Deno.test("a busy hop is believed for an hour at most, and one that names no time not at all", async () => {
  for (const [retryAfter, wait] of [["99999999", 3_600_000], [undefined, 1], ["soon", 1]] as const) {
    const { core, hops, alice } = hopping(2);
    using _ = core;
    alice.send("MESSAGE", "sip:ua@example.net");
    const headers = retryAfter === undefined ? [] : [["Retry-After", retryAfter] as const];
    hops[0].reply(await hops[0].receives("MESSAGE"), 503, { headers });
    hops[1].reply(await hops[1].receives("MESSAGE"), 200);
    await alice.hears(200);
    await core.pass(wait);
    await isServedBy(alice, hops[0]);
  }
});

Deno.test("when all hops are dead they are tried nevertheless, in their order", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  for (const hop of hops) core.cutOff(hop);
  alice.send("MESSAGE", "sip:ua@example.net");
  await alice.hears(500);
  assertEquals(core.deadHops.size, 2);
  core.network.unreachable.clear();
  await isServedBy(alice, hops[0]);
});

Deno.test("a dead hop is the last resort when the others fail", async () => {
  const { core, hops, alice } = hopping(3);
  using _ = core;
  core.cutOff(hops[0]);
  await isServedBy(alice, hops[1]);
  core.network.unreachable.clear();
  core.cutOff(hops[1]);
  core.cutOff(hops[2]);
  await isServedBy(alice, hops[0]);
});

Deno.test("a hop that answers is dead no more, whatever it says", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  core.cutOff(hops[0]);
  await isServedBy(alice, hops[1]);
  core.network.unreachable.clear();
  core.cutOff(hops[1]);
  await isServedBy(alice, hops[0], 404);
  core.network.unreachable.clear();
  await isServedBy(alice, hops[0]);
});

Deno.test("a hop that is trying is not dead, though it never comes to an end", async () => {
  const { core, hops, alice } = hopping(2);
  using _ = core;
  alice.send("MESSAGE", "sip:ua@example.net");
  hops[0].reply(await hops[0].receives("MESSAGE"), 100);
  await core.pass(SILENCE);
  assertEquals(core.deadHops.size, 0);
});

Deno.test("of who has one address only nothing is remembered, and it is always tried", async () => {
  const { core, hops, alice } = hopping(1);
  using _ = core;
  const [phone] = hops;
  core.cutOff(phone);
  alice.send("MESSAGE", "sip:ua@example.net");
  await alice.hears(500);
  core.network.unreachable.clear();
  await isServedBy(alice, phone);
  alice.send("INVITE", "sip:ua@example.net");
  await alice.hears(408);
  assertEquals(core.deadHops.size, 0);
});

Deno.test("a hop that refuses connections is passed over for a while", async () => {
  using core = new Core({ dns: { addresses: () => ["192.0.2.50", "192.0.2.51"] } });
  const alice = core.peer();
  const tcp = new RecordingTransport("tcp");
  const tried: string[] = [];
  core.speakTcp((peer) => {
    tried.push(peer.address);
    return peer.address === "192.0.2.50" ? Promise.reject(new FlowError("refused")) : tcp.connect(peer);
  });
  core.route = (ctx) => {
    ctx.fork([{ uri: "sip:ua@example.net;transport=tcp", path: [], q: 1, alternates: [] }]);
  };
  for (let i = 0; i < 2; i++) {
    alice.send("MESSAGE", "sip:ua@example.com");
    await core.pass(10);
  }
  assertEquals(tried, ["192.0.2.50", "192.0.2.51", "192.0.2.51"]);
});

Deno.test("a hop is not dead because a connection to it was lost", async () => {
  using core = new Core({ dns: { addresses: () => ["192.0.2.50", "192.0.2.51"] } });
  const alice = core.peer();
  const tcp = new RecordingTransport("tcp");
  core.speakTcp((peer) => tcp.connect(peer));
  core.route = (ctx) => {
    ctx.fork([{ uri: "sip:ua@example.net;transport=tcp", path: [], q: 1, alternates: [] }]);
  };
  alice.send("MESSAGE", "sip:ua@example.com");
  await core.pass(10);
  const [first, second] = ["192.0.2.50", "192.0.2.51"].map((address) => tcp.connect({ address, port: 5060 }));
  first.close();
  assertEquals([first.sent.length, second.sent.length, core.deadHops.size], [1, 1, 0]);
});
