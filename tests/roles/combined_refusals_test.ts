import type { HeaderList } from "../../src/sip/mod.ts";
import { assertEquals } from "../support/assert.ts";
import type { Peer } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";

/** A caller and a phone that do nothing by themselves; the phone is bob's. */
async function withPeers(world: World): Promise<{ alice: Peer; bob: Peer }> {
  const [alice, bob] = [world.peer(), world.peer()];
  await bob.register(BOB);
  return { alice, bob };
}

/** A world whose domain leads to its server. */
function worldWithDns(): World {
  return World.of({
    dns: { addresses: (name) => Promise.resolve(name === "example.com" ? ["192.0.2.1"] : []) },
  });
}

Deno.test("nobody is there who is not registered", async () => {
  await using world = World.of();
  const { alice } = await withPeers(world);
  for (const uri of ["sip:carol@example.com", "sip:Bob@example.com", "sip:carol@192.0.2.1:5060"]) {
    for (const method of ["INVITE", "OPTIONS", "DANCE"]) {
      alice.send(method, uri);
      await alice.hears(404);
    }
  }
});

Deno.test("a user whose contacts are no phones is unavailable", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  bob.send("REGISTER", "sip:example.com", {
    to: "<sip:carol@example.com>",
    headers: [["Contact", "<tel:+1-555-0100>"], ["Contact", "<mailto:carol@example.com>"]],
  });
  await bob.hears(200);
  alice.send("INVITE", "sip:carol@example.com");
  await alice.hears(480);
});

Deno.test("a method that no phone of the user takes is refused with what they do take", async () => {
  await using world = World.of({ config: { registrar: { methodFiltering: true } } });
  const [alice, one, two] = [world.peer(), world.peer(), world.peer()];
  await one.register(BOB, ';methods="INVITE, BYE"');
  await two.register(BOB, "", [["Allow", "INVITE, OPTIONS"]]);
  alice.send("MESSAGE", BOB);
  assertEquals((await alice.hears(405)).all("Allow"), ["INVITE", "BYE", "OPTIONS"]);
  alice.send("OPTIONS", BOB);
  await two.receives("OPTIONS");
  assertEquals(one.requests("OPTIONS").length, 0);
});

Deno.test("a request for the server itself that is no OPTIONS lacks a user", async () => {
  await using world = World.of();
  const alice = world.peer();
  for (const uri of ["sip:example.com", "sip:192.0.2.1:5060"]) {
    for (const method of ["INVITE", "MESSAGE", "DANCE"]) {
      alice.send(method, uri);
      assertEquals((await alice.hears(484)).reason, "Address Incomplete");
    }
  }
});

Deno.test("a Request-URI of another scheme is refused with 416, whatever To says", async () => {
  await using world = World.of();
  const { alice } = await withPeers(world);
  for (const uri of ["tel:+1-555-0100", "mailto:bob@example.com", "nobodyknows:bob"]) {
    alice.send("INVITE", uri, { to: `<${BOB}>` });
    await alice.hears(416);
  }
});

Deno.test("what proxies are asked for is refused with exactly what they cannot do; Require is the phone's", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", BOB, { headers: [["Proxy-Require", "foo, bar"], ["Require", "baz"]] });
  assertEquals((await alice.hears(420)).all("Unsupported"), ["foo", "bar"]);
  alice.send("INVITE", BOB, { headers: [["Require", "foo"]] });
  assertEquals((await bob.receives("INVITE")).all("Require"), ["foo"]);
});

Deno.test("a CANCEL is not refused for what it asks of proxies", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const same = { branch: "z9hG4bKsame", callId: "c" };
  alice.send("INVITE", BOB, same);
  bob.reply(await bob.receives("INVITE"), 180);
  await alice.hears(180);
  alice.send("CANCEL", BOB, { ...same, headers: [["Proxy-Require", "foo"], ["Require", "foo"]] });
  await alice.hears(200);
  await bob.receives("CANCEL");
});

Deno.test("a request that may not go any further is refused with 483, an ACK is dropped", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  for (const [method, uri] of [["INVITE", BOB], ["OPTIONS", BOB], ["OPTIONS", "sip:example.com"]]) {
    alice.send(method, uri, { maxForwards: "0" });
    await alice.hears(483);
  }
  alice.send("ACK", BOB, { maxForwards: "0", to: `<${BOB}>;tag=x` });
  await world.pass(100);
  assertEquals([bob.received.length, alice.received.length], [1, 3]);
});

Deno.test("two users who are forwarded to each other are a loop", async () => {
  await using world = worldWithDns();
  const [caller, phone] = [world.userAgent("caller"), world.userAgent("alice")];
  await phone.register({ contact: BOB });
  await world.userAgent("bob").register({ contact: "sip:alice@example.com" });
  await caller.invite("sip:alice@example.com").receives(482);
  assertEquals(world.server.metrics.loops, 1);
});

Deno.test("a user who is forwarded to another here is a spiral, and the call goes through", async () => {
  await using world = worldWithDns();
  const [alice, bob, caller] = ["alice", "bob", "caller"].map((name) => world.userAgent(name));
  await alice.register({ contact: BOB });
  await bob.register();
  const call = caller.invite("sip:alice@example.com");
  const incoming = await bob.receives("INVITE");
  assertEquals([incoming.request.all("Via").length, incoming.request.maxForwards], [3, 68]);
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();
  const bye = incoming.bye();
  (await caller.receives("BYE")).reply(200);
  await bye.receives(200);
  assertEquals(world.server.metrics.loops, 0);
});

Deno.test("requests for others' domains are refused", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const refused: [method: string, uri: string, headers: HeaderList][] = [
    ["INVITE", "sip:bob@example.net", []],
    ["INVITE", bob.contact, []],
    ["MESSAGE", "sip:bob@example.com:5070", []],
    ["MESSAGE", "sip:bob@example.com;maddr=198.51.100.77", []],
    ["REGISTER", "sip:example.net", [["Contact", "<sip:alice@10.0.0.1>"]]],
    ["INVITE", BOB, [["Route", "<sip:203.0.113.1;lr>"]]],
    ["INVITE", BOB, [["Route", "<sip:192.0.2.1;lr>, <sip:203.0.113.1;lr>"]]],
    ["INVITE", "sip:192.0.2.1;lr", [["Route", "<sip:bob@203.0.113.1>"]]],
  ];
  for (const [method, uri, headers] of refused) {
    alice.send(method, uri, { headers });
    await alice.hears(403);
  }
  assertEquals([bob.received.length, world.server.metrics.relaysRefused], [1, refused.length]);
});

Deno.test("where foreign requests are sent on, they go to their Request-URI and leave it as it is", async () => {
  await using world = World.of({
    config: { proxy: { relayForeign: true } },
    dns: { addresses: (name) => Promise.resolve(name === "example.net" ? ["198.51.100.12"] : []) },
  });
  const { alice, bob } = await withPeers(world);
  const far = world.peer();
  const uri = "SIP:b%6Fb:pw@EXAMPLE.net;Transport=UDP;x";
  for (const method of ["INVITE", "MESSAGE", "REGISTER"]) {
    alice.send(method, uri);
    const request = await far.receives(method);
    assertEquals([request.uriText, request.all("Record-Route").length], [uri, method === "INVITE" ? 1 : 0]);
    far.reply(request, 404);
    await alice.hears(404);
  }
  assertEquals(bob.received.length, 1);
});

Deno.test("a foreign request goes by the Route it brings", async () => {
  await using world = World.of({ config: { proxy: { relayForeign: true } } });
  const [alice, next] = [world.peer(), world.peer()];
  alice.send("MESSAGE", BOB, { headers: [["Route", `<sip:192.0.2.1;lr>, <sip:${next.sentBy};lr>`]] });
  const message = await next.receives("MESSAGE");
  assertEquals([message.uriText, ...message.all("Route")], [BOB, `<sip:${next.sentBy};lr>`]);
});

Deno.test("a Route that is no address is refused as malformed, wherever it stands", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  for (const route of ["<sip:192.0.2.1;lr", "<none>", "<sip:192.0.2.1;lr>, <none>"]) {
    alice.send("BYE", bob.contact, { to: `<${BOB}>;tag=x`, headers: [["Route", route]] });
    await alice.hears(400);
  }
});

Deno.test("a secure address is not called over what is not secure", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("INVITE", "sips:bob@example.com");
  await alice.hears(480);
  alice.send("BYE", "sips:bob@203.0.113.9", {
    to: `<${BOB}>;tag=x`,
    headers: [["Route", `<sip:192.0.2.1;lr>, <sip:${bob.sentBy};lr>`]],
  });
  await alice.hears(500);
  assertEquals(bob.received.length, 1);
});

Deno.test("a contact that nothing may be sent to is not called", async () => {
  await using world = World.of();
  const alice = world.peer();
  for (const host of ["239.1.2.3", "255.255.255.255", "0.0.0.0", "[ff02::1]"]) {
    alice.send("REGISTER", "sip:example.com", {
      to: `<${BOB}>`,
      headers: [["Contact", `<sip:bob@${host}>;expires=60`]],
    });
    await alice.hears(200);
    alice.send("INVITE", BOB);
    await alice.hears(480);
    await world.pass(61_000);
  }
  assertEquals(world.network.sent.filter(({ to }) => !/^(192\.0\.2|198\.51\.100)\./.test(to.address)), []);
});
