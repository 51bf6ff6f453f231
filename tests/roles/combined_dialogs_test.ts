import type { IncomingCall, OutgoingCall, UserAgent } from "../../src/agent/mod.ts";
import type { HeaderList } from "../../src/sip/mod.ts";
import { assertEquals, assertNotEquals } from "../support/assert.ts";
import type { Peer } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";
const US = "<sip:192.0.2.1:5060;lr>";
const V4 = { address: "192.0.2.1", port: 5060 };
const V6 = { address: "2001:db8::1", port: 5060 };

/** A call that is up. */
interface Call {
  readonly alice: UserAgent;
  readonly bob: UserAgent;
  readonly call: OutgoingCall;
  readonly incoming: IncomingCall;
}

async function connected(world: World, alice: UserAgent, bob: UserAgent): Promise<Call> {
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await bob.receives("INVITE");
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();
  await world.pass(100);
  return { alice, bob, call, incoming };
}

/** Lets both sides invite again, and one of them hang up. */
async function assertWorksBothWays({ alice, bob, call, incoming }: Call): Promise<void> {
  const ways = [[alice, call.dialog!, bob], [bob, incoming.dialog!, alice]] as const;
  for (const [from, dialog, to] of ways) {
    const again = from.sendInDialog(dialog, "INVITE", "v=0\r\n");
    const received = await to.receives("INVITE");
    received.reply(200);
    await again.receives(200);
    from.acknowledge(dialog);
    await received.acknowledged();
  }
  const bye = incoming.bye();
  (await alice.receives("BYE")).reply(200);
  await bye.receives(200);
}

/** A caller and a phone that do nothing by themselves; the phone is bob's. */
async function withPeers(world: World): Promise<{ alice: Peer; bob: Peer }> {
  const [alice, bob] = [world.peer(), world.peer()];
  await bob.register(BOB);
  return { alice, bob };
}

const IN_DIALOG = { to: `<${BOB}>;tag=bobs` };

const routed = (...routes: string[]): HeaderList => routes.map((route) => ["Route", route] as const);

Deno.test("within a call both sides can invite again and hang up, all of it by way of the server", async () => {
  await using world = World.of();
  const call = await connected(world, world.userAgent("alice"), world.userAgent("bob"));
  const before = world.network.sent.length;
  await assertWorksBothWays(call);
  const later = world.network.sent.slice(before);
  assertEquals(later.filter(({ from, to }) => ![from.address, to.address].includes(V4.address)), []);
});

Deno.test("without record-route the sides of a call speak to each other directly", async () => {
  await using world = World.of({ config: { proxy: { recordRoute: false } } });
  const call = await connected(world, world.userAgent("alice"), world.userAgent("bob"));
  const before = world.network.sent.length;
  await assertWorksBothWays(call);
  const later = world.network.sent.slice(before);
  assertEquals(later.filter(({ from, to }) => [from.address, to.address].includes(V4.address)), []);
});

Deno.test("a call between IPv4 and IPv6 works from both sides, by the listener each can reach", async () => {
  for (const isFromV4 of [true, false]) {
    await using world = World.of({ listen: [V4, V6] });
    const v4 = world.userAgent(isFromV4 ? "alice" : "bob");
    const v6 = world.userAgent(isFromV4 ? "bob" : "alice", { address: "2001:db8::99", port: 5060 });
    const call = isFromV4 ? await connected(world, v4, v6) : await connected(world, v6, v4);
    const routes = ["<sip:192.0.2.1:5060;lr;r2=on>", "<sip:[2001:db8::1]:5060;lr;r2=on>"];
    assertEquals(call.incoming.request.all("Record-Route"), isFromV4 ? routes.toReversed() : routes);
    await assertWorksBothWays(call);
    assertEquals(world.server.metrics.strayResponses, 0);
  }
});

Deno.test("requests that make dialogs are record-routed, and no others", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const table = { INVITE: [US], SUBSCRIBE: [US], REFER: [US], MESSAGE: [], OPTIONS: [], PUBLISH: [] };
  for (const [method, routes] of Object.entries(table)) {
    alice.send(method, BOB);
    assertEquals((await bob.receives(method)).all("Record-Route"), routes, method);
  }
});

Deno.test("an ACK to a success reaches the phone, and a copy of it as a copy", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, { callId: "c", from: "<sip:alice@example.com>;tag=a" });
  bob.reply(await bob.receives("INVITE"), 200, { toTag: "bobs" });
  await alice.hears(200);
  const ack = alice.send("ACK", bob.contact, {
    ...IN_DIALOG,
    callId: "c",
    from: "<sip:alice@example.com>;tag=a",
    headers: routed(US),
  });
  const first = await bob.receives("ACK");
  alice.sendText(ack);
  const second = await bob.receives("ACK");
  assertEquals(first.text, second.text);
  assertEquals([first.uriText, first.all("Route").length, first.maxForwards], [bob.contact, 0, 69]);
});

Deno.test("an ACK of a client that gives it the branch of its INVITE reaches the phone too", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const same = { branch: "z9hG4bKold", callId: "c", from: "<sip:alice@example.com>;tag=a" };
  alice.send("INVITE", BOB, same);
  const invite = await bob.receives("INVITE");
  bob.reply(invite, 200, { toTag: "bobs" });
  await alice.hears(200);
  alice.send("ACK", bob.contact, { ...same, ...IN_DIALOG, headers: routed(US) });
  assertNotEquals((await bob.receives("ACK")).via.branch, invite.via.branch);
});

Deno.test("an ACK to a failure within a dialog is the server's, and ends the repeats", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const same = { ...IN_DIALOG, branch: "z9hG4bKsame", callId: "c", from: "<sip:alice@example.com>;tag=a" };
  const refused = [{ maxForwards: "0", status: 483 }, { uri: "sip:bob@203.0.113.9", status: 404 }];
  for (const [i, { maxForwards, uri = bob.contact, status }] of refused.entries()) {
    const headers = status === 404 ? [] : routed(US);
    const invite = { ...same, branch: `z9hG4bK${i}`, headers };
    alice.send("INVITE", uri, { ...invite, maxForwards });
    await alice.hears(status);
    await alice.hears(status);
    alice.send("ACK", uri, invite);
    await world.pass(40_000);
    assertEquals(alice.statuses("INVITE").filter((told) => told === status).length, 2);
  }
  assertEquals(bob.requests("ACK").length, 0);
});

Deno.test("a request within a dialog goes where its Route leads, and else to its Request-URI", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const next = world.peer();
  const uri = "sip:bob@203.0.113.9";
  const headers = routed(`${US}, <sip:${next.sentBy};lr>`, "<sip:203.0.113.8;lr>");
  alice.send("BYE", uri, { ...IN_DIALOG, headers });
  const bye = await next.receives("BYE");
  assertEquals(bye.uriText, uri);
  assertEquals(bye.all("Route"), [`<sip:${next.sentBy};lr>`, "<sip:203.0.113.8;lr>"]);
  alice.send("BYE", bob.contact, { ...IN_DIALOG, headers: routed(US) });
  assertEquals((await bob.receives("BYE")).uriText, bob.contact);
});

Deno.test("a request within a dialog that does not come by our Route goes nowhere but to our users", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("BYE", bob.contact, IN_DIALOG);
  await alice.hears(404);
  alice.send("BYE", bob.contact, { ...IN_DIALOG, headers: routed("<sip:203.0.113.8;lr>", US) });
  await alice.hears(404);
  alice.send("ACK", bob.contact, IN_DIALOG);
  alice.send("BYE", BOB, IN_DIALOG);
  assertEquals((await bob.receives("BYE")).uriText, bob.contact);
  assertEquals([bob.requests("ACK").length, alice.received.length], [0, 2]);
});

Deno.test("where foreign requests are sent on, so are those within dialogs", async () => {
  await using world = World.of({ config: { proxy: { relayForeign: true } } });
  const [alice, carol] = [world.peer(), world.peer()];
  alice.send("BYE", carol.contact, IN_DIALOG);
  assertEquals((await carol.receives("BYE")).uriText, carol.contact);
});

Deno.test("no dialog ends at the server itself", async () => {
  await using world = World.of();
  const alice = world.peer();
  for (const uri of ["sip:example.com", "sip:192.0.2.1:5060"]) {
    for (const method of ["BYE", "NOTIFY", "OPTIONS"]) {
      alice.send(method, uri, { ...IN_DIALOG, headers: routed(US) });
      await alice.hears(481);
    }
  }
});

Deno.test("a Route that a phone was given beforehand and that names us is taken away", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  for (const route of [US, "<sip:example.com;lr>", "<sip:EXAMPLE.com:5060;lr>", "<sip:192.0.2.1;lr=on>"]) {
    alice.send("INVITE", BOB, { headers: routed(route) });
    const invite = await bob.receives("INVITE");
    assertEquals([invite.has("Route"), ...invite.all("Record-Route")], [false, US]);
  }
});

Deno.test("what a strict router before us has done to a request is undone", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const next = world.peer();
  alice.send("BYE", "sip:192.0.2.1:5060;lr", { ...IN_DIALOG, headers: routed(`<${bob.contact}>`) });
  const bye = await bob.receives("BYE");
  assertEquals([bye.uriText, bye.has("Route")], [bob.contact, false]);
  const headers = routed(`<sip:${next.sentBy};lr>`, "<sip:203.0.113.8;lr>", `<${bob.contact}>`);
  alice.send("BYE", "sip:192.0.2.1:5060;lr", { ...IN_DIALOG, headers });
  const further = await next.receives("BYE");
  assertEquals(further.uriText, bob.contact);
  assertEquals(further.all("Route"), [`<sip:${next.sentBy};lr>`, "<sip:203.0.113.8;lr>"]);
});

Deno.test("a strict router behind us gets its URI as Request-URI, and the target at the end of the Route", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const strict = world.peer();
  const headers = routed(US, `<sip:${strict.sentBy};x=1>`, "<sip:203.0.113.8;lr>");
  alice.send("INVITE", bob.contact, { ...IN_DIALOG, headers });
  const invite = await strict.receives("INVITE");
  assertEquals(invite.uriText, `sip:${strict.sentBy};x=1`);
  assertEquals(invite.all("Route"), ["<sip:203.0.113.8;lr>", `<${bob.contact}>`]);
  strict.reply(invite, 486);
  const ack = await strict.receives("ACK");
  assertEquals([ack.uriText, ...ack.all("Route")], [invite.uriText, ...invite.all("Route")]);
});

Deno.test("a user is reached by every form of our domain and address", async () => {
  await using world = World.of({ config: { domains: ["example.com", "example.org"] }, listen: [V4, V6] });
  const { alice, bob } = await withPeers(world);
  const forms = [
    "sip:bob@EXAMPLE.com",
    "sip:bob@example.com:5060",
    "sip:%62ob@example.com;user=phone",
    "sip:bob@192.0.2.1",
    "sip:bob@192.0.2.1:5060;transport=udp",
    "sip:bob@[2001:db8::1]:5060",
    "sip:bob@[2001:DB8:0:0::1]",
    "sip:bob@example.com;maddr=192.0.2.1",
  ];
  for (const uri of forms) {
    alice.send("MESSAGE", uri);
    assertEquals((await bob.receives("MESSAGE")).uriText, bob.contact, uri);
  }
  alice.send("MESSAGE", "sip:bob@example.org");
  await alice.hears(404);
});

Deno.test("a user of one domain is nobody in the other", async () => {
  await using world = World.of({ config: { domains: ["example.com", "example.org"] } });
  const [alice, one, two] = [world.peer(), world.peer(), world.peer()];
  await one.register("sip:bob@example.com");
  await two.register("sip:bob@example.org");
  alice.send("MESSAGE", "sip:bob@example.org");
  await two.receives("MESSAGE");
  assertEquals(one.requests("MESSAGE").length, 0);
});
