import { assertEquals } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { turn, WsHost, WsPeer } from "./ws_host.ts";
import { CA, identity } from "./ws_identity.ts";

for (
  const [protocol, sentence, ...said] of [
    ["wss", "goes deaf for want of file descriptors and is opened anew", "is deaf", "accepts, revived 1"],
    ["ws", "wants for file descriptors is deaf no longer than that", "still accepts", "accepts, revived 0"],
  ]
) {
  Deno.test(`${protocol}: a port that ${sentence}`, { ignore: Deno.build.os !== "linux" }, async () => {
    const program = new URL("ws_starved.ts", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 64; exec "$0" run -A "$1" "$2"', Deno.execPath(), program, protocol],
    }).output();
    const text = new TextDecoder();
    assertEquals(text.decode(stdout).trim().split("\n"), said, text.decode(stderr));
  });
}

Deno.test("wss acceptor: a port where nobody comes is tried, and nobody notices", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  for (let i = 0; i < 5; i++) {
    host.clock.advance(5_000);
    for (let turns = 0; turns < 20; turns++) await turn();
    host.clock.advance(2_000);
    for (let turns = 0; turns < 5; turns++) await turn();
  }
  assertEquals(host.metrics.snapshot(), {});
  assertEquals(host.limits.total, 0);
});

Deno.test("wss acceptor: who comes while the port is tried is served", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  host.clock.advance(5_000);
  await using peer = await WsPeer.open(host.url, { ca: CA });
  peer.send(requestText("OPTIONS"));
  await host.receive();
  assertEquals(host.metrics.connectionsOpened, 1);
});

Deno.test("wss acceptor: a listener that is closed while its port is tried leaves nothing behind", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  host.clock.advance(5_000);
  await host.transport.close();
  await turn();
});
