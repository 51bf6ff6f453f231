/**
 * Runs with few file descriptors, uses them all up, gives them back, and says whether its listener for WebSockets,
 * of the protocol named, then still accepts, before and after it had time to look after itself.
 */
import { CA, identity } from "./ws_identity.ts";
import { turn, WsHost, WsPeer } from "./ws_host.ts";

const protocol = Deno.args[0] as "ws" | "wss";
const own = protocol === "wss" ? await identity() : undefined;
await using host = new WsHost({ protocol, identity: own, bounds: { total: 1_000, perAddress: 1_000 } });
const { address: hostname, port } = host.local;

const sockets: Deno.Conn[] = [];
try {
  for (;;) sockets.push(await Deno.connect({ hostname, port }));
} catch {
  // There are no more.
}
for (let i = 0; i < 20; i++) await turn();
for (const socket of sockets) socket.close();
while (host.limits.total > 0) await turn();

using _caller = await Deno.connect({ hostname, port });
for (let i = 0; i < 50; i++) await turn();
console.log(host.limits.total > 0 ? "still accepts" : "is deaf");

// Nobody came for a while, which is tried; that nobody hears it shows a little later.
host.clock.advance(5_000);
for (let i = 0; i < 20; i++) await turn();
host.clock.advance(5_000);
for (let i = 0; i < 20; i++) await turn();
host.clock.advance(2_000);
for (let i = 0; i < 20; i++) await turn();
await using _peer = await WsPeer.open(host.url, { ca: CA });
console.log(`accepts, revived ${host.metrics.listenersRevived}`);
