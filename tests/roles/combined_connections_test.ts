import type { IncomingCall, OutgoingCall, UserAgent } from "../../src/agent/mod.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { contactsOf } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";
const ALICE = "sip:alice@example.com";

/** Virtual ms that a few messages take, and that no timer fits into. */
const AT_ONCE = 10;

const CONNECTING = ["tcp", "tls", "ws", "wss"] as const;

function worldOf(config: Record<string, unknown> = {}): World {
  return World.of({ config, speaks: CONNECTING });
}

/** The status a call ends with, and how many ms that took. */
async function endOf(world: World, call: OutgoingCall): Promise<[status: number, ms: number]> {
  const start = world.clock.monotonic();
  return [(await call.final()).status, world.clock.monotonic() - start];
}

async function assertEndsAtOnce(world: World, call: OutgoingCall, status: number): Promise<void> {
  const [told, ms] = await endOf(world, call);
  assertEquals(told, status);
  assert(ms <= AT_ONCE, `${ms} ms`);
}

async function answered(call: OutgoingCall, bob: UserAgent): Promise<IncomingCall> {
  const incoming = await bob.receives("INVITE");
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();
  return incoming;
}

async function ringing(world: World, call: OutgoingCall, bob: UserAgent): Promise<IncomingCall> {
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  await call.receives(180);
  await world.pass(1_000);
  return incoming;
}

for (const one of ["udp", ...CONNECTING] as const) {
  for (const other of CONNECTING) {
    Deno.test(`a call from ${one} to ${other} is answered, changed by both sides and hung up by either`, async () => {
      for (const isCallerFirst of [true, false]) {
        await using world = worldOf();
        const alice = one === "udp" ? world.userAgent("alice") : await world.connected("alice", one);
        const bob = await world.connected("bob", other);
        assertEquals((await bob.register()).status, 200);
        const call = alice.invite(BOB);
        const incoming = await answered(call, bob);
        for (
          const [from, dialog, to] of [[bob, incoming.dialog!, alice], [alice, call.dialog!, bob]] as const
        ) {
          const again = from.sendInDialog(dialog, "INVITE", "v=0\r\n");
          const received = await to.receives("INVITE");
          received.reply(200);
          await again.receives(200);
          from.acknowledge(dialog);
          await received.acknowledged();
        }
        const bye = isCallerFirst ? call.bye() : incoming.bye();
        (await (isCallerFirst ? bob : alice).receives("BYE")).reply(200);
        await bye.receives(200);
        assertEquals(world.network.dialed.length, one === "udp" ? 1 : 2);
        assertEquals(world.server.metrics.retransmissionsSent, 0);
      }
    });
  }
}

Deno.test("a caller who has only a connection, registered or not, gets the callee's BYE over it", async () => {
  for (const isRegistered of [true, false]) {
    await using world = worldOf();
    const [alice, bob] = [await world.connected("alice", "ws"), world.userAgent("bob")];
    await bob.register();
    if (isRegistered) await alice.register();
    const call = alice.invite(BOB);
    const incoming = await answered(call, bob);
    assertMatch(incoming.request.text, /^Contact: <sip:alice@[a-z2-7]+\.invalid;transport=ws>/m);
    const bye = incoming.bye();
    const received = await alice.receives("BYE");
    assertEquals(received.request.uriText, alice.contact);
    received.reply(200);
    await bye.receives(200);
  }
});

Deno.test("a BYE to one whose connection has ended is answered 430, and nobody is dialed for it", async () => {
  await using world = worldOf();
  const [alice, bob] = [await world.connected("alice", "tcp"), world.userAgent("bob")];
  await bob.register();
  const incoming = await answered(alice.invite(BOB), bob);
  world.dropConnection(alice);
  await incoming.bye().receives(430);
  assertEquals(world.network.dialed.length, 1);
});

Deno.test("a Route with a connection somebody has made up is refused and counted", async () => {
  await using world = worldOf();
  const alice = world.peer();
  const headers = [["Route", "<sip:aaaaaaaaaaaaaaaa1@192.0.2.1;transport=tcp;lr>"]] as const;
  alice.send("BYE", "sip:bob@k3.invalid", { to: `<${BOB}>;tag=b`, headers });
  await alice.hears(403);
  alice.send("ACK", "sip:bob@k3.invalid", { to: `<${BOB}>;tag=b`, headers });
  await world.pass(100);
  assertEquals([alice.received.length, world.server.metrics.tokensForged], [1, 2]);
});

Deno.test("a phone that is connected is called over its connection, and its address is never dialed", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "tcp", { isListening: true })];
  const from = world.network.sent.length;
  await bob.register();
  const { port } = world.network.sent.slice(from).find(({ protocol }) => protocol === "tcp")!.from;
  const host = bob.contact.slice("sip:bob@".length, bob.contact.lastIndexOf(":"));
  for (const contact of [bob.contact, `sip:bob@${host}:${port};transport=tcp`]) {
    await bob.register({ contact: "*" });
    await bob.register({ contact });
    const message = alice.send("MESSAGE", BOB);
    const received = await bob.receives("MESSAGE");
    assertEquals(received.request.uriText, contact);
    received.reply(200);
    await message.receives(200);
  }
  assertEquals(world.network.dialed, ["tcp:192.0.2.1:5060"]);
});

Deno.test("a request to the port a connection came from goes over that connection", async () => {
  await using world = worldOf({ proxy: { relayForeign: true } });
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "tcp")];
  await bob.register();
  const { from } = world.network.sent.find(({ protocol }) => protocol === "tcp")!;
  const message = alice.send("MESSAGE", `sip:bob@${from.address}:${from.port};transport=tcp`);
  (await bob.receives("MESSAGE")).reply(200);
  await message.receives(200);
  assertEquals(world.network.dialed, ["tcp:192.0.2.1:5060"]);
});

Deno.test("whose connection has ended is unavailable at once, and unknown when the registration would have expired", async () => {
  for (const protocol of CONNECTING) {
    await using world = worldOf();
    const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", protocol)];
    await bob.register({ expires: 600 });
    world.dropConnection(bob);
    await assertEndsAtOnce(world, alice.invite(BOB), 480);
    await world.pass(600_000);
    await assertEndsAtOnce(world, alice.invite(BOB), 404);
  }
});

Deno.test("when the connection to one phone has ended, the others are called at once", async () => {
  await using world = worldOf();
  const alice = world.userAgent("alice");
  const [browser, desk] = [await world.connected("bob", "wss"), world.userAgent("bob")];
  await browser.register({ params: ";q=1" });
  await desk.register({ params: ";q=0.5" });
  world.dropConnection(browser);
  const start = world.clock.monotonic();
  await answered(alice.invite(BOB), desk);
  assert(world.clock.monotonic() - start <= AT_ONCE);
});

Deno.test("a call whose phone loses its connection while it rings ends at once with 480", async () => {
  for (const method of ["INVITE", "MESSAGE"]) {
    await using world = worldOf();
    const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "ws")];
    await bob.register();
    if (method === "INVITE") {
      const call = alice.invite(BOB);
      await ringing(world, call, bob);
      world.dropConnection(bob);
      await assertEndsAtOnce(world, call, 480);
    } else {
      const message = alice.send("MESSAGE", BOB);
      await bob.receives("MESSAGE");
      const start = world.clock.monotonic();
      world.dropConnection(bob);
      await message.receives(480);
      assert(world.clock.monotonic() - start <= AT_ONCE);
    }
    assertEquals([world.server.metrics.bindingsDropped, world.server.metrics.timeouts], [1, 0]);
  }
});

Deno.test("a call whose first phone loses its connection while it rings goes to the next at once", async () => {
  await using world = worldOf();
  const alice = world.userAgent("alice");
  const [browser, desk] = [await world.connected("bob", "wss"), await world.connected("bob", "tcp")];
  await browser.register({ params: ";q=1" });
  await desk.register({ params: ";q=0.5" });
  const call = alice.invite(BOB);
  await ringing(world, call, browser);
  const start = world.clock.monotonic();
  world.dropConnection(browser);
  await answered(call, desk);
  assert(world.clock.monotonic() - start <= AT_ONCE);
  assertEquals(contactsOf(await desk.register()).length, 1);
});

Deno.test("of phones that ring together, the one that loses its connection does not end the call", async () => {
  await using world = worldOf();
  const alice = world.userAgent("alice");
  const [one, two] = [await world.connected("bob", "ws"), await world.connected("bob", "ws")];
  for (const phone of [one, two]) await phone.register();
  const call = alice.invite(BOB);
  await one.receives("INVITE");
  const incoming = await ringing(world, call, two);
  world.dropConnection(one);
  await world.pass(1_000);
  assertEquals(call.untaken, []);
  incoming.reply(200);
  await call.receives(200);
});

Deno.test("a phone that has lost its connection and accepts others is called over a new one", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "tcp", { isListening: true })];
  await bob.register();
  world.dropConnection(bob);
  const message = alice.send("MESSAGE", BOB);
  (await bob.receives("MESSAGE")).reply(200);
  await message.receives(200);
  assertEquals(world.network.dialed, [
    "tcp:192.0.2.1:5060",
    bob.contact.replace(/^sip:bob@(.*);.*/, "tcp:$1"),
  ]);
});

Deno.test("a phone whose contact accepts nobody is unavailable without its connection, and stays registered", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "tcp")];
  await bob.register();
  world.dropConnection(bob);
  for (let i = 0; i < 2; i++) await assertEndsAtOnce(world, alice.invite(BOB), 480);
  assertEquals(world.server.metrics.bindingsDropped, 0);
});

Deno.test("a phone that loses its connection while it rings is not given up if it can be called anew", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "tcp", { isListening: true })];
  await bob.register();
  const call = alice.invite(BOB);
  await ringing(world, call, bob);
  world.dropConnection(bob);
  await assertEndsAtOnce(world, call, 480);
  await answered(alice.invite(BOB), bob);
});

Deno.test("a phone that comes back by another connection is called over that", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "ws")];
  await bob.register();
  world.dropConnection(bob);
  await assertEndsAtOnce(world, alice.invite(BOB), 480);
  await world.patience(bob.connect(), "a connection");
  assertEquals(contactsOf(await bob.register()).length, 1);
  const incoming = await answered(alice.invite(BOB), bob);
  assertEquals(incoming.request.uriText, bob.contact);
  const bye = incoming.bye();
  (await alice.receives("BYE")).reply(200);
  await bye.receives(200);
});

Deno.test("an answer to one whose connection has ended reaches it where its Via says, if anybody accepts there", async () => {
  await using world = worldOf();
  const alice = await world.connected("alice", "tcp", { isListening: true });
  const bob = world.userAgent("bob");
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await ringing(world, call, bob);
  const seen = world.network.sent.length;
  world.dropConnection(alice);
  incoming.reply(486);
  await world.pass(100);
  const place = alice.contact.replace(/^sip:alice@(.*);.*/, "$1");
  assertEquals(world.network.dialed, ["tcp:192.0.2.1:5060", `tcp:${place}`]);
  const late = world.network.sent.slice(seen).filter(({ protocol }) => protocol === "tcp");
  assertEquals(late.map(({ text }) => text.split("\r\n")[0]).at(0), "SIP/2.0 486 Busy Here");
});

Deno.test("an answer to a browser whose connection has ended goes nowhere, and nobody is dialed", async () => {
  await using world = worldOf();
  const [alice, bob] = [await world.connected("alice", "ws"), world.userAgent("bob")];
  await bob.register();
  const incoming = await ringing(world, alice.invite(BOB), bob);
  world.dropConnection(alice);
  incoming.reply(486);
  await world.pass(60_000);
  assertEquals(world.network.dialed.length, 1);
});

Deno.test("bindings that are kept are told of, and lead to nobody until their phone is back", async () => {
  await using world = worldOf({ registrar: { onFlowClose: "keep" } });
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "ws")];
  await bob.register();
  world.dropConnection(bob);
  await assertEndsAtOnce(world, alice.invite(BOB), 480);
  await world.patience(bob.connect(), "a connection");
  assertEquals(contactsOf(await bob.register()).length, 1);
  await answered(alice.invite(BOB), bob);
});

Deno.test("two users of one connection both lose what they had over it, and nobody else does", async () => {
  await using world = worldOf();
  const [alice, bob] = [world.userAgent("alice"), await world.connected("bob", "ws")];
  await bob.register();
  const contact = bob.contact.replace("bob", "alice");
  const headers = [["Contact", `<${contact}>;q=0.1`]] as const;
  assertEquals((await bob.send("REGISTER", "sip:example.com", { to: ALICE, headers }).final()).status, 200);
  await alice.register();
  world.dropConnection(bob);
  assertEquals(world.server.metrics.bindingsDropped, 2);
  const call = world.userAgent("carol").invite(ALICE);
  await answered(call, alice);
});
