import type { SipRequest } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import type { Peer } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";

/** A caller, and phones of bob's with these q values, that do nothing by themselves. */
async function withPhones(world: World, ...qs: number[]): Promise<{ alice: Peer; phones: Peer[] }> {
  const alice = world.peer();
  const phones = qs.map(() => world.peer());
  for (const [i, phone] of phones.entries()) await phone.register(BOB, `;q=${qs[i]}`);
  return { alice, phones };
}

const breadthOf = (request: SipRequest) => Number(request.get("Max-Breadth"));

Deno.test("the phone of lower q is called when the one of higher q refuses, or is silent", async () => {
  for (const status of [486, 480, 404, 503, 302, undefined]) {
    await using world = World.of();
    const { alice, phones: [low, high] } = await withPhones(world, 0.5, 0.9);
    alice.send("INVITE", BOB);
    const first = await high.receives("INVITE");
    await world.pass(1_000);
    assertEquals(low.requests("INVITE").length, 0);
    if (status !== undefined) high.reply(first, status);
    const second = await low.receives("INVITE");
    low.reply(second, 200);
    await alice.hears(200);
    assertEquals(high.requests("CANCEL").length, 0);
    assertEquals([second.all("Via").length, second.all("Record-Route").length, second.maxForwards], [
      2,
      1,
      69,
    ]);
    assert(second.via.branch !== first.via.branch);
  }
});

Deno.test("phones of equal q are called together, those of the next lower q when all of them have failed", async () => {
  await using world = World.of();
  const { alice, phones: [one, two, three] } = await withPhones(world, 1, 1, 0.5);
  alice.send("INVITE", BOB);
  one.reply(await one.receives("INVITE"), 486);
  const second = await two.receives("INVITE");
  await world.pass(1_000);
  assertEquals(three.requests("INVITE").length, 0);
  two.reply(second, 480);
  three.reply(await three.receives("INVITE"), 486);
  await alice.hears(480);
});

Deno.test("all phones ring, one is answered, and the others are told that it was", async () => {
  await using world = World.of();
  const alice = world.userAgent("alice");
  const phones = [1, 2, 3].map(() => world.userAgent("bob"));
  for (const phone of phones) await phone.register();
  const call = alice.invite(BOB);
  const [winner, ...losers] = await Promise.all(phones.map((phone) => phone.receives("INVITE")));
  for (const incoming of [winner, ...losers]) incoming.reply(180);
  const tags = [];
  for (let i = 0; i < 3; i++) tags.push((await call.receives(180)).toTag);
  assertEquals(new Set(tags).size, 3);
  winner.reply(200);
  await call.receives(200);
  for (const loser of losers) {
    const cancel = await loser.cancelled();
    assertEquals(cancel.get("Reason"), 'SIP;cause=200;text="Call completed elsewhere"');
  }
  await world.pass(40_000);
  assertEquals([call.untaken.filter((status) => status > 180), world.server.metrics.timeouts], [[], 0]);
});

Deno.test("each branch has a Via of its own, and one CANCEL", async () => {
  await using world = World.of();
  const { alice, phones } = await withPhones(world, 1, 1, 1);
  alice.send("INVITE", BOB);
  const invites = await Promise.all(phones.map((phone) => phone.receives("INVITE")));
  assertEquals(new Set(invites.map(({ via }) => via.branch)).size, 3);
  phones.forEach((phone, i) => phone.reply(invites[i], 180));
  await world.pass(10);
  phones[0].reply(invites[0], 200);
  for (const phone of phones.slice(1)) phone.reply(await phone.receives("CANCEL"), 200);
  phones.slice(1).forEach((phone, i) => phone.reply(invites[i + 1], 487));
  await world.pass(60_000);
  assertEquals(phones.map((phone) => phone.requests("CANCEL").length), [0, 1, 1]);
  assertEquals(phones.map((phone) => phone.requests("ACK").length), [0, 1, 1]);
  assertEquals(alice.statuses("INVITE").filter((status) => status >= 200), [200]);
});

Deno.test("two phones that answer at once both reach the caller, who acknowledges both", async () => {
  await using world = World.of();
  const alice = world.userAgent("alice");
  const phones = [1, 2].map(() => world.userAgent("bob"));
  for (const phone of phones) await phone.register();
  const call = alice.invite(BOB);
  const calls = await Promise.all(phones.map((phone) => phone.receives("INVITE")));
  for (const incoming of calls) incoming.reply(200);
  const tags = [await call.receives(200), await call.receives(200)].map(({ toTag }) => toTag);
  await Promise.all(calls.map((incoming) => incoming.acknowledged()));
  assertEquals(new Set(tags).size, 2);
});

Deno.test("a late 2xx reaches the caller after another phone's answer, a late failure does not", async () => {
  await using world = World.of();
  const { alice, phones: [one, two, three] } = await withPhones(world, 1, 1, 1);
  alice.send("INVITE", BOB);
  const invites = await Promise.all([one, two, three].map((phone) => phone.receives("INVITE")));
  one.reply(invites[0], 200);
  await alice.hears(200);
  await world.pass(20_000);
  two.reply(invites[1], 486);
  three.reply(invites[2], 200);
  await alice.hears(200);
  await world.pass(1_000);
  assertEquals(alice.statuses("INVITE").filter((status) => status >= 200), [200, 200]);
});

Deno.test("a 6xx ends the call: those who ring are cancelled, nobody else is called, and then it is told", async () => {
  await using world = World.of();
  const { alice, phones: [one, two, low] } = await withPhones(world, 1, 1, 0.5);
  alice.send("INVITE", BOB);
  const [first, second] = [await one.receives("INVITE"), await two.receives("INVITE")];
  two.reply(second, 180);
  await alice.hears(180);
  one.reply(first, 603);
  const cancel = await two.receives("CANCEL");
  assertEquals(cancel.get("Reason"), "SIP;cause=603");
  await world.pass(100);
  assertEquals(alice.statuses("INVITE").at(-1), 180);
  two.reply(second, 487);
  await alice.hears(603);
  await world.pass(40_000);
  assertEquals(low.requests("INVITE").length, 0);
});

Deno.test("an answer that comes after another phone's 6xx is what the caller gets", async () => {
  await using world = World.of();
  const { alice, phones: [one, two] } = await withPhones(world, 1, 1);
  alice.send("INVITE", BOB);
  const [first, second] = [await one.receives("INVITE"), await two.receives("INVITE")];
  two.reply(second, 180);
  one.reply(first, 600);
  assertEquals((await two.receives("CANCEL")).get("Reason"), "SIP;cause=600");
  two.reply(second, 200);
  await alice.hears(200);
  await world.pass(40_000);
  assertEquals(alice.statuses("INVITE").filter((status) => status >= 200), [200]);
});

Deno.test("the caller hears the best of all failures", async () => {
  const table: [statuses: number[], told: number][] = [
    [[486, 404], 404],
    [[480, 603], 603],
    [[500, 302], 302],
    [[404, 415], 415],
    [[503, 480], 480],
    [[503, 503], 500],
    [[503, 504], 500],
  ];
  for (const [statuses, told] of table) {
    await using world = World.of();
    const { alice, phones } = await withPhones(world, 1, 1);
    alice.send("INVITE", BOB);
    const invites = await Promise.all(phones.map((phone) => phone.receives("INVITE")));
    phones.forEach((phone, i) => phone.reply(invites[i], statuses[i]));
    assertEquals((await alice.final()).status, told, statuses.join());
  }
});

Deno.test("a phone's 503 is told as 500, without what it said of itself", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  for (const method of ["INVITE", "MESSAGE"]) {
    alice.send(method, BOB);
    bob.reply(await bob.receives(method), 503, { headers: [["Retry-After", "3600"]] });
    assertEquals((await alice.hears(500)).has("Retry-After"), false);
  }
});

Deno.test("the challenges of all phones reach the caller together", async () => {
  await using world = World.of();
  const { alice, phones: [one, two] } = await withPhones(world, 1, 1);
  alice.send("INVITE", BOB);
  const [first, second] = [await one.receives("INVITE"), await two.receives("INVITE")];
  one.reply(first, 401, { headers: [["WWW-Authenticate", 'Digest realm="a", nonce="1"']] });
  two.reply(second, 407, { headers: [["Proxy-Authenticate", 'Digest realm="b", nonce="2"']] });
  const response = await alice.hears(401);
  assertEquals(response.all("WWW-Authenticate"), ['Digest realm="a", nonce="1"']);
  assertEquals(response.all("Proxy-Authenticate"), ['Digest realm="b", nonce="2"']);
  assertEquals(response.all("Via").length, 1);
});

Deno.test("a cancelled call ends at all phones at once, and no other is called", async () => {
  await using world = World.of();
  const { alice, phones: [one, two, low] } = await withPhones(world, 1, 1, 0.5);
  const same = { branch: "z9hG4bKsame", callId: "c", from: "<sip:a@example.com>;tag=a" };
  alice.send("INVITE", BOB, same);
  const invites = [await one.receives("INVITE"), await two.receives("INVITE")];
  [one, two].forEach((phone, i) => phone.reply(invites[i], 180));
  await world.pass(10);
  alice.send("CANCEL", BOB, same);
  for (const [i, phone] of [one, two].entries()) {
    phone.reply(await phone.receives("CANCEL"), 200);
    phone.reply(invites[i], 487);
  }
  await alice.hears(487);
  await world.pass(40_000);
  assertEquals(low.requests("INVITE").length, 0);
});

Deno.test("a message goes to all phones of the highest q, and the first success is told", async () => {
  await using world = World.of();
  const { alice, phones: [one, two, low] } = await withPhones(world, 1, 1, 0.5);
  alice.send("MESSAGE", BOB);
  one.reply(await one.receives("MESSAGE"), 486);
  two.reply(await two.receives("MESSAGE"), 200);
  await alice.hears(200);
  await world.pass(1_000);
  assertEquals(low.requests("MESSAGE").length, 0);
});

Deno.test("a request says how far it may still fork: what it came with, or 60, but never more", async () => {
  const table: [came: string | undefined, leaves: number][] = [[undefined, 60], ["10", 10], ["1000", 60], [
    "1",
    1,
  ]];
  for (const [came, leaves] of table) {
    await using world = World.of();
    const { alice, phones: [bob] } = await withPhones(world, 1);
    alice.send("INVITE", BOB, { headers: came === undefined ? [] : [["Max-Breadth", came]] });
    assertEquals((await bob.receives("INVITE")).all("Max-Breadth"), [String(leaves)]);
  }
});

Deno.test("branches that live together never share more breadth than the request came with", async () => {
  await using world = World.of();
  const { alice, phones } = await withPhones(world, 1, 1, 1);
  alice.send("INVITE", BOB, { headers: [["Max-Breadth", "10"]] });
  const invites = await Promise.all(phones.map((phone) => phone.receives("INVITE")));
  assertEquals(invites.map(breadthOf), [3, 3, 4]);
});

Deno.test("with less breadth than phones the others wait until a branch has ended", async () => {
  await using world = World.of();
  const { alice, phones } = await withPhones(world, ...new Array(8).fill(1));
  alice.send("MESSAGE", BOB, { headers: [["Max-Breadth", "4"]] });
  await world.pass(100);
  const asked = () => phones.map((phone) => phone.requests("MESSAGE").length);
  assertEquals(asked(), [1, 1, 1, 1, 0, 0, 0, 0]);
  for (const phone of phones.slice(0, 2)) phone.reply(await phone.receives("MESSAGE"), 486);
  await world.pass(100);
  assertEquals(asked(), [1, 1, 1, 1, 1, 1, 0, 0]);
  const messages = phones.slice(0, 6).map((phone) => phone.requests("MESSAGE")[0]);
  assertEquals(new Set(messages.map(breadthOf)), new Set([1]));
  assertEquals(new Set(messages.map((message) => message.all("Via").length)), new Set([2]));
});

Deno.test("with a breadth of 1 phones of equal q are called one after the other", async () => {
  await using world = World.of();
  const { alice, phones } = await withPhones(world, 1, 1, 1);
  alice.send("INVITE", BOB, { headers: [["Max-Breadth", "1"]] });
  for (const [i, phone] of phones.entries()) {
    const invite = await phone.receives("INVITE");
    assertEquals(phones.map((phone) => phone.requests("INVITE").length), [1, Number(i > 0), Number(i > 1)]);
    assertEquals(invite.all("Via").length, 2);
    phone.reply(invite, 486);
  }
  await alice.hears(486);
});

Deno.test("a request that may not be sent to anybody is refused with 440", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  alice.send("INVITE", BOB, { headers: [["Max-Breadth", "0"]] });
  assertEquals((await alice.hears(440)).reason, "Max-Breadth Exceeded");
  alice.send("INVITE", BOB, { headers: [["Max-Breadth", "wide"]] });
  await alice.hears(400);
  assertEquals(bob.requests("INVITE").length, 0);
});

Deno.test("contacts that are equal are one branch", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  await bob.register(BOB, "", [["Contact", `<${bob.contact};x=1>;q=0.9`]]);
  alice.send("MESSAGE", BOB);
  await bob.receives("MESSAGE");
  await world.pass(100);
  assertEquals(bob.requests("MESSAGE").length, 1);
});

Deno.test("more targets than the limit are shed, and counted", async () => {
  await using world = World.of({ config: { limits: { targets: 2 } } });
  const { alice, phones } = await withPhones(world, 0.1, 0.9, 0.8);
  alice.send("MESSAGE", BOB);
  for (const phone of phones.slice(1)) phone.reply(await phone.receives("MESSAGE"), 480);
  await alice.hears(480);
  assertEquals([phones[0].requests("MESSAGE").length, world.server.metrics.targetsShed], [0, 1]);
});

Deno.test("a phone whose host says it has gone costs the call no time, and is not called again", async () => {
  for (const method of ["INVITE", "MESSAGE"]) {
    await using world = World.of();
    const { alice, phones: [gone, here] } = await withPhones(world, 1, 0.5);
    world.network.refusing.add(gone.sentBy);
    alice.send(method, BOB);
    here.reply(await here.receives(method), 200);
    await alice.hears(200);
    alice.send(method, BOB);
    here.reply(await here.receives(method), 200);
    await alice.hears(200);
    assertEquals(world.network.sent.filter(({ to }) => to.address === gone.sentBy.split(":")[0]).length, 2);
    assertEquals(world.server.metrics.bindingsDropped, 1);
  }
});

Deno.test("who has only a phone that has gone is unavailable as long as it was registered for, then unknown", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  world.network.refusing.add(bob.sentBy);
  for (let i = 0; i < 2; i++) {
    alice.send("INVITE", BOB);
    await alice.hears(480);
  }
  assertEquals(bob.requests("INVITE").length, 0);
  await world.pass(3_600_000);
  alice.send("INVITE", BOB);
  await alice.hears(404);
});

Deno.test("a phone that had gone is called when it has registered again", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  world.network.refusing.add(bob.sentBy);
  alice.send("INVITE", BOB);
  await alice.hears(480);
  world.network.refusing.clear();
  await bob.register(BOB, ";q=1");
  alice.send("INVITE", BOB);
  bob.reply(await bob.receives("INVITE"), 200);
  await alice.hears(200);
});

Deno.test("a phone that cannot be reached just now stays registered", async () => {
  await using world = World.of();
  const { alice, phones: [bob] } = await withPhones(world, 1);
  world.network.unreachable.add(bob.sentBy);
  alice.send("INVITE", BOB);
  await alice.hears(480);
  world.network.unreachable.clear();
  alice.send("INVITE", BOB);
  bob.reply(await bob.receives("INVITE"), 200);
  await alice.hears(200);
});
