import { assert, assertEquals } from "../support/assert.ts";
import { World } from "../support/world.ts";

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
