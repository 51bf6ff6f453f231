import { assertEquals } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { turn, WsHost, WsPeer } from "./ws_host.ts";

Deno.test("ws acceptor: a port that went deaf for want of file descriptors is opened anew", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const program = new URL("ws_starved.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 64; exec "$0" run -A "$1"', Deno.execPath(), program],
  }).output();
  const text = new TextDecoder();
  assertEquals(
    text.decode(stdout).trim().split("\n"),
    ["is deaf", "accepts, revived 1"],
    text.decode(stderr),
  );
});

Deno.test("ws acceptor: a port where nobody comes is tried, and nobody notices", async () => {
  await using host = new WsHost();
  for (let i = 0; i < 5; i++) {
    host.clock.advance(5_000);
    for (let turns = 0; turns < 20; turns++) await turn();
    host.clock.advance(2_000);
    for (let turns = 0; turns < 5; turns++) await turn();
  }
  assertEquals(host.metrics.snapshot(), {});
  assertEquals(host.limits.total, 0);
});

Deno.test("ws acceptor: who comes while the port is tried is served", async () => {
  await using host = new WsHost();
  host.clock.advance(5_000);
  await using peer = await WsPeer.open(host.url);
  peer.send(requestText("OPTIONS"));
  await host.receive();
  assertEquals(host.metrics.connectionsOpened, 1);
});

Deno.test("ws acceptor: a listener that is closed while its port is tried leaves nothing behind", async () => {
  await using host = new WsHost();
  host.clock.advance(5_000);
  await host.transport.close();
  await turn();
});
