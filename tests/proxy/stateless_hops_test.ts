import type { SrvRecord } from "../../src/resolve/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { Core } from "../support/core.ts";

Deno.test("copies of an ACK go to the same server of several, and other ACKs to others", async () => {
  const servers: SrvRecord[] = [];
  using core = new Core({
    dns: { srv: () => servers, addresses: (name) => [name.replace(/\.example$/, "").replaceAll("-", ".")] },
  });
  const alice = core.peer();
  const peers = Array.from({ length: 4 }, () => core.peer());
  for (const { sentBy } of peers) {
    const target = `${sentBy.split(":")[0].replaceAll(".", "-")}.example`;
    servers.push({ priority: 0, weight: 10, port: 5060, target });
  }
  core.route = (ctx) => ctx.relay();
  for (let call = 0; call < 20; call++) {
    const ack = alice.send("ACK", "sip:ua@example.net;transport=udp");
    for (let copy = 0; copy < 5; copy++) {
      servers.push(servers.shift()!);
      alice.sendText(ack);
    }
  }
  await core.pass(100);
  const placesOf = new Map<string, Set<string>>();
  for (const { received, sentBy } of peers) {
    for (const { callId } of received) placesOf.set(callId, (placesOf.get(callId) ?? new Set()).add(sentBy));
  }
  assertEquals([...placesOf.values()].map(({ size }) => size), Array.from({ length: 20 }, () => 1));
  assertEquals(peers.every(({ received }) => received.length > 0), true);
});
