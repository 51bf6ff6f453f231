import { assert, assertEquals, assertRejects } from "./support/assert.ts";
import { World } from "./support/world.ts";

const BOB = "sip:bob@example.com";

/** Alice and bob on a server that waits for so many ms, and a call between them. */
async function withCall(world: World) {
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await bob.receives("INVITE");
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();
  return { alice, bob, call, incoming };
}

/** How many ms it takes until the server has stopped. */
async function msUntilStopped(world: World, stopped: Promise<void>): Promise<number> {
  const start = world.clock.monotonic();
  await world.patience(stopped, "the end of the server");
  return world.clock.monotonic() - start;
}

function worldThatDrains(drainTime: number): World {
  return World.of({ config: { drainTime } });
}

Deno.test("a server without calls stops at once", async () => {
  await using world = worldThatDrains(60_000);
  const bob = world.userAgent("bob");
  await bob.register();
  assertEquals(await msUntilStopped(world, world.server.drain()), 0);
});

Deno.test("a call that is up may be hung up before the server stops, which it then does early", async () => {
  await using world = worldThatDrains(600_000);
  const { alice, call, incoming } = await withCall(world);
  const stopped = world.server.drain();
  await world.pass(100_000);
  const bye = incoming.bye();
  (await alice.receives("BYE")).reply(200);
  await bye.receives(200);
  assert(await msUntilStopped(world, stopped) <= 100);
  assertEquals(call.untaken, []);
});

Deno.test("a call is over though its BYE fails, and one nobody saw begin counts for nothing", async () => {
  await using world = worldThatDrains(600_000);
  const stray = world.peer();
  stray.send("BYE", stray.contact, {
    to: "<sip:x@example.com>;tag=x",
    headers: [["Route", "<sip:192.0.2.1;lr>"]],
  });
  stray.reply(await stray.receives("BYE"), 481);
  const { bob, call } = await withCall(world);
  const stopped = world.server.drain();
  await world.pass(100_000);
  const bye = call.bye();
  (await bob.receives("BYE")).reply(481);
  await bye.receives(481);
  assert(await msUntilStopped(world, stopped) <= 100);
});

Deno.test("within a call that is up everything goes on while the server stops", async () => {
  await using world = worldThatDrains(600_000);
  const { alice, bob, call } = await withCall(world);
  const stopped = world.server.drain();
  const again = alice.sendInDialog(call.dialog!, "INVITE", "v=0\r\n");
  const incoming = await bob.receives("INVITE");
  incoming.reply(200);
  await again.receives(200);
  alice.acknowledge(call.dialog!);
  await incoming.acknowledged();
  const bye = call.bye();
  (await bob.receives("BYE")).reply(200);
  await bye.receives(200);
  assert(await msUntilStopped(world, stopped) <= 100);
});

Deno.test("nothing new is begun while the server stops", async () => {
  await using world = worldThatDrains(10_000);
  const { alice, bob } = await withCall(world);
  const stopped = world.server.drain();
  for (const method of ["MESSAGE", "OPTIONS", "REGISTER"]) {
    const response = await alice.send(method, BOB).receives(503);
    assertEquals(response.get("Retry-After"), "5");
  }
  await alice.invite(BOB).receives(503);
  assertEquals(bob.untaken, []);
  await world.patience(stopped, "the end of the server");
});

Deno.test("a call that still rings may be answered while the server stops", async () => {
  await using world = worldThatDrains(600_000);
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  const call = alice.invite(BOB);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  const stopped = world.server.drain();
  await world.pass(5_000);
  incoming.reply(200);
  await call.receives(200);
  await incoming.acknowledged();
  const bye = call.bye();
  (await bob.receives("BYE")).reply(200);
  await bye.receives(200);
  assert(await msUntilStopped(world, stopped) <= 100);
});

Deno.test("a call that was refused or cancelled is not waited for", async () => {
  await using world = worldThatDrains(600_000);
  const [alice, bob] = [world.userAgent("alice"), world.userAgent("bob")];
  await bob.register();
  const [busy, given] = [alice.invite(BOB), alice.invite(BOB)];
  (await bob.receives("INVITE")).reply(486);
  await busy.receives(486);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  await given.receives(180);
  const stopped = world.server.drain();
  given.cancel();
  await given.receives(487);
  assert(await msUntilStopped(world, stopped) <= 100);
});

Deno.test("calls that do not come by the server again are not waited for", async () => {
  await using world = World.of({ config: { drainTime: 600_000, proxy: { recordRoute: false } } });
  await withCall(world);
  assertEquals(await msUntilStopped(world, world.server.drain()), 0);
});

Deno.test("a server stops when its time is over, whatever is up", async () => {
  for (const drainTime of [0, 1_000, 30_000]) {
    await using world = worldThatDrains(drainTime);
    await withCall(world);
    const ms = await msUntilStopped(world, world.server.drain());
    assert(ms >= drainTime && ms <= drainTime + 50, String(ms));
  }
});

Deno.test("a server that is told to stop twice stops once", async () => {
  await using world = worldThatDrains(10_000);
  await withCall(world);
  let closed = 0;
  const [listener] = world.server.transports.list;
  const close = listener.close.bind(listener);
  listener.close = () => {
    closed++;
    return close();
  };
  await Promise.all([
    msUntilStopped(world, world.server.drain()),
    msUntilStopped(world, world.server.drain()),
  ]);
  await world.server.close();
  assertEquals(closed, 1);
});

Deno.test("a server that has stopped answers nothing", async () => {
  await using world = worldThatDrains(0);
  const alice = world.userAgent("alice");
  await msUntilStopped(world, world.server.drain());
  const sent = world.network.sent.length;
  await assertRejects(() => alice.send("OPTIONS", "sip:example.com").receives(200), Error, "timeout");
  assertEquals(world.network.sent.slice(sent).filter(({ from }) => from.address === "192.0.2.1"), []);
});
