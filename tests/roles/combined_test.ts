import { mixHash } from "../../src/lib/hash.ts";
import type { SipRequest } from "../../src/sip/mod.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import type { Packet } from "../support/network.ts";
import { contactsOf } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";

/** A caller and a phone that do nothing by themselves; the phone is bob's. */
async function withPeers(world: World) {
  const [alice, bob] = [world.peer(), world.peer()];
  assertEquals((await bob.register(BOB)).status, 200);
  return { alice, bob };
}

/** The same transaction for an INVITE and its CANCEL. */
const SAME = { branch: "z9hG4bKsame", callId: "the-call", from: "<sip:alice@example.com>;tag=a" };

Deno.test("a phone registers, is called, and hangs up", async () => {
  await using world = World.of();
  const alice = world.userAgent("alice");
  const bob = world.userAgent("bob");
  assertEquals((await bob.register()).status, 200);

  const call = alice.invite(bob.aor);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  await call.receives(180);
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();

  const bye = call.bye();
  (await bob.receives("BYE")).reply(200);
  await bye.receives(200);
  assertEquals(world.server.metrics.retransmissionsSent, 0);
  assert(world.network.sent.length > 10);
});

Deno.test("a phone refreshes its registration, and takes it back", async () => {
  await using world = World.of();
  const bob = world.userAgent("bob");
  const alice = world.userAgent("alice");
  await bob.register({ expires: 600 });
  await world.pass(300_000);
  assertEquals(contactsOf(await bob.register({ expires: 600 })), [`<${bob.contact}>;expires=600`]);
  await world.pass(500_000);
  const message = alice.send("MESSAGE", BOB);
  (await bob.receives("MESSAGE")).reply(200);
  await message.receives(200);

  assertEquals(contactsOf(await bob.register({ expires: 0 })), []);
  await alice.send("MESSAGE", BOB).receives(404);
});

Deno.test("two phones of one user see each other, and one of them signs both off", async () => {
  await using world = World.of();
  const [desk, mobile] = [world.userAgent("bob"), world.userAgent("bob")];
  await desk.register();
  assertEquals(contactsOf(await mobile.register()).length, 2);
  assertEquals(contactsOf(await desk.register({ contact: "*" })), []);
  await desk.invite(BOB).receives(404);
});

Deno.test("an answer to REGISTER says nothing of Record-Route", async () => {
  await using world = World.of();
  const bob = world.peer();
  const response = await bob.register(BOB, "", [["Record-Route", "<sip:203.0.113.1;lr>"]]);
  assertEquals([response.status, response.has("Record-Route"), response.has("Date")], [200, false, true]);
});

Deno.test("a busy phone is reported to the caller, and its answer acknowledged by the server", async () => {
  await using world = World.of();
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  for (const status of [486, 603]) {
    const call = alice.invite(BOB);
    (await bob.receives("INVITE")).reply(status);
    await call.receives(status);
  }
  await world.pass(40_000);
  assertEquals([bob.metrics.retransmissionsSent, world.server.metrics.retransmissionsSent], [0, 0]);
});

Deno.test("the caller hears 100 from the server, once, without a tag, and never the phone's", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, { headers: [["Timestamp", "54"]] });
  const invite = await bob.receives("INVITE");
  bob.reply(invite, 100, { headers: [["Server", "phone"]] });
  const trying = await alice.hears(100);
  assertEquals([trying.toTag, trying.get("Server"), trying.get("Timestamp")], [undefined, "sluice", "54"]);
  bob.reply(invite, 180);
  bob.reply(invite, 100);
  await world.pass(1_000);
  assertEquals(alice.statuses("INVITE"), [100, 180]);
});

Deno.test("the phone's tag reaches the caller as it is, in every response", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  for (const status of [180, 183, 200]) {
    bob.reply(invite, status, { toTag: "bobs" });
    assertEquals((await alice.hears(status)).toTag, "bobs");
  }
});

Deno.test("a call that is cancelled while it rings ends with 487, and the CANCEL itself with 200", async () => {
  await using world = World.of();
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  await call.receives(180);
  call.cancel();
  await incoming.cancelled();
  await call.receives(487);
  await world.pass(40_000);
  assertEquals([alice.metrics.retransmissionsSent, world.server.metrics.retransmissionsSent], [0, 0]);
});

Deno.test("a CANCEL is answered at once, and the phone's is its INVITE's in all that names it", async () => {
  await using world = World.of({ config: { proxy: { relayForeign: true } } });
  const [alice, next] = [world.peer(), world.peer()];
  const uri = "sip:bob@203.0.113.9";
  const routes = `<sip:192.0.2.1;lr>, <sip:${next.sentBy};lr>, <sip:203.0.113.7;lr>`;
  alice.send("INVITE", uri, {
    ...SAME,
    headers: [["Route", routes], ["Require", "x"], ["Proxy-Require", ""]],
  });
  const invite = await next.receives("INVITE");
  next.reply(invite, 180);
  await alice.hears(180);
  alice.send("CANCEL", uri, {
    ...SAME,
    headers: [["Reason", "SIP;cause=600"], ["Reason", 'Q.850;cause=16;text="a, b"']],
  });
  assertEquals((await alice.hears(200)).cseq.method, "CANCEL");
  const cancel = await next.receives("CANCEL");
  const names = (request: SipRequest) => [
    request.uriText,
    ...request.all("Route"),
    ...["From", "To", "Call-ID"].map((name) => request.get(name)),
    request.cseq.number,
  ];
  assertEquals(names(cancel), names(invite));
  assertEquals(cancel.all("Via"), [invite.all("Via")[0]]);
  assertEquals([cancel.has("Require"), cancel.has("Proxy-Require")], [false, false]);
  assertEquals(cancel.all("Reason"), ["SIP;cause=600", 'Q.850;cause=16;text="a, b"']);
});

Deno.test("a CANCEL is held until the phone has said something", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, SAME);
  const invite = await bob.receives("INVITE");
  alice.send("CANCEL", BOB, SAME);
  await alice.hears(200);
  await world.pass(5_000);
  assertEquals(bob.requests("CANCEL").length, 0);
  bob.reply(invite, 100);
  bob.reply(await bob.receives("CANCEL"), 200);
  bob.reply(invite, 487);
  await alice.hears(487);
  await bob.receives("ACK");
});

Deno.test("a CANCEL that is still held when the phone answers is never sent", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, SAME);
  const invite = await bob.receives("INVITE");
  alice.send("CANCEL", BOB, SAME);
  await world.pass(10);
  bob.reply(invite, 200);
  await world.pass(40_000);
  assertEquals([alice.statuses("INVITE"), bob.requests("CANCEL").length], [[200], 0]);
});

Deno.test("a call cancelled while its phone is silent ends with 487 when that is given up", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, SAME);
  await bob.receives("INVITE");
  alice.send("CANCEL", BOB, SAME);
  await alice.hears(487);
  assertEquals(bob.requests("CANCEL").length, 0);
});

Deno.test("a CANCEL does nothing to a call that was answered", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, SAME);
  bob.reply(await bob.receives("INVITE"), 200);
  await alice.hears(200);
  alice.send("CANCEL", BOB, SAME);
  assertEquals((await alice.hears(200)).cseq.method, "CANCEL");
  await world.pass(1_000);
  assertEquals(bob.requests("CANCEL").length, 0);
});

Deno.test("a phone that never says anything is given up after 32 seconds, and the caller is told 408", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB);
  const start = world.clock.monotonic();
  await alice.hears(408);
  assertEquals(Math.round((world.clock.monotonic() - start) / 1_000), 32);
  assertEquals([bob.requests("INVITE").length, bob.requests("CANCEL").length], [7, 0]);
});

Deno.test("a phone that rings on is cancelled after timer C, and the caller is told how that ended", async () => {
  await using world = World.of();
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  const start = world.clock.monotonic();
  await incoming.cancelled();
  assertEquals(Math.round((world.clock.monotonic() - start) / 1_000), 185);
  await call.receives(180);
  await call.receives(487);
});

Deno.test("news of the phone put timer C off, but 100 is none", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  bob.reply(invite, 180);
  await world.pass(170_000);
  bob.reply(invite, 183);
  await world.pass(100_000);
  bob.reply(invite, 100);
  assertEquals(bob.requests("CANCEL").length, 0);
  await world.pass(85_010);
  assertEquals(bob.requests("CANCEL").length, 1);
});

Deno.test("a phone that rings on and ignores even the CANCEL is given up with 408", async () => {
  await using world = World.of({ config: { timers: { timerC: 60_000 } } });
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB);
  bob.reply(await bob.receives("INVITE"), 180);
  const start = world.clock.monotonic();
  await alice.hears(408);
  assertEquals(Math.round((world.clock.monotonic() - start) / 1_000), 92);
});

Deno.test("a copy of a request is absorbed, and hears again what was last said", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const text = alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  bob.reply(invite, 180);
  await alice.hears(180);
  alice.sendText(text);
  await alice.hears(180);
  bob.reply(invite, 486);
  await alice.hears(486);
  await alice.hears(486);
  assertEquals(bob.requests("INVITE").length, 1);
});

Deno.test("every copy of a phone's 2xx reaches the caller, and copies of the INVITE nobody then", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const text = alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  for (let i = 0; i < 3; i++) {
    bob.reply(invite, 200);
    await alice.hears(200);
    alice.sendText(text);
    await world.pass(4_000);
  }
  assertEquals([alice.statuses("INVITE"), bob.received.length], [[200, 200, 200], 2]);
});

Deno.test("an answer that cannot be delivered changes nothing: the caller may still ask again", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const text = alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  world.network.unreachable.add(alice.sentBy);
  bob.reply(invite, 486);
  await bob.receives("ACK");
  world.network.unreachable.clear();
  alice.sendText(text);
  await alice.hears(486);
  assertEquals(bob.requests("INVITE").length, 1);
});

Deno.test("a forged 2xx that answers nothing of ours is dropped", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB);
  const invite = await bob.receives("INVITE");
  const forged = invite.text.replace(/^INVITE.*/, "SIP/2.0 200 OK").replace(
    /branch=z9hG4bK/,
    "branch=z9hG4bKx",
  );
  bob.sendText(forged);
  await world.pass(100);
  assertEquals([alice.received.length, world.server.metrics.strayResponses], [0, 1]);
});

Deno.test("a message to a phone that is gone is never answered, but the caller knows it was heard", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("MESSAGE", BOB);
  const message = await bob.receives("MESSAGE");
  await world.pass(3_400);
  assertEquals(alice.received.length, 0);
  await alice.hears(100);
  await world.pass(40_000);
  bob.reply(message, 200);
  await world.pass(40_000);
  assertEquals(alice.statuses("MESSAGE"), [100]);
});

Deno.test("nothing but 100 is told of a message before its final answer", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("MESSAGE", BOB);
  const message = await bob.receives("MESSAGE");
  for (const status of [100, 180, 183]) bob.reply(message, status);
  await world.pass(100);
  assertEquals(alice.received.length, 0);
  bob.reply(message, 202);
  await alice.hears(202);
});

Deno.test("messages, subscriptions, references, options and unheard-of methods reach the phone", async () => {
  await using world = World.of();
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  for (const method of ["MESSAGE", "SUBSCRIBE", "REFER", "OPTIONS", "NOTIFY", "PUBLISH", "DANCE", "invite"]) {
    const exchange = alice.send(method, BOB, { body: "hello" });
    const incoming = await bob.receives(method);
    assertEquals(incoming.request.body, "hello");
    incoming.reply(200, { body: "yes" });
    assertEquals((await exchange.receives(200)).body, "yes");
  }
});

Deno.test("a call succeeds though the network loses a third of everything, and everybody sees it once", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    await using world = World.of();
    const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
    await bob.register();
    let count = 0;
    world.network.loses = () => mixHash(seed * 1_000 + count++) % 3 === 0;
    const call = alice.invite(BOB);
    const incoming = await bob.receives("INVITE");
    incoming.reply(200);
    await call.receives(200);
    await incoming.acknowledged();
    await world.pass(40_000);
    const bye = call.bye();
    (await bob.receives("BYE")).reply(200);
    await bye.receives(200);
    const toBob = ({ to, text }: Packet) => bob.contact.includes(to.address) && /^(INVITE|BYE)/.test(text);
    const texts = world.network.sent.filter(toBob).map(({ text }) => text);
    assertEquals([bob.untaken, new Set(texts).size], [[], 2], `seed ${seed}`);
    assert(alice.metrics.retransmissionsSent + bob.metrics.retransmissionsSent > 0);
  }
});

Deno.test("a call over a network that loses packets is refused once", async () => {
  await using world = World.of();
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  let count = 0;
  world.network.loses = () => ++count % 2 === 0;
  const call = alice.invite(BOB);
  (await bob.receives("INVITE")).reply(486);
  await call.receives(486);
  await world.pass(70_000);
  assertEquals([bob.untaken, call.untaken.filter((status) => status >= 200)], [[], []]);
});

Deno.test("the answers of the server carry its name and a tag, the same in copies", async () => {
  await using world = World.of({ config: { serverHeader: "my server" } });
  const alice = world.peer();
  const text = alice.send("INVITE", "sip:nobody@example.com");
  const first = await alice.hears(404);
  alice.sendText(text);
  assertEquals((await alice.hears(404)).text, first.text);
  assertEquals(first.get("Server"), "my server");
  assertMatch(first.toTag!, /^.{8,}$/);
});
