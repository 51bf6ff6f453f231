import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import type { Server } from "../../src/server.ts";
import type { SocketAddress } from "../../src/transport/mod.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { isInstalled } from "../support/programs.ts";
import { withServer } from "../support/server_at.ts";
import { HAS_BATCH, hasIpv6, inTime, UdpPeer } from "../support/sockets.ts";
import { parseStunResponse, stunRequest } from "../support/stun.ts";

const CLIENT = "turnutils_stunclient";

/** Whether coturn's client is here; says so once if not. */
const hasClient = await isInstalled(CLIENT, [], "coturn");

/** Runs a server that reads and writes by `io` at a free port of `host`. */
function serve(
  host: string,
  io: string,
  use: (at: SocketAddress, server: Server) => Promise<void>,
): Promise<void> {
  const settings = { transport: { udp: { io } } };
  return withServer("udp", host, settings, (_, server) => use(server.transports.list[0].local, server));
}

/** What the client prints when it is told its address by `server`. */
async function runClient(server: SocketAddress, local: string): Promise<string> {
  const args = ["-p", String(server.port), "-L", local, server.address];
  const child = new Deno.Command(CLIENT, { args, stdout: "piped", stderr: "piped" }).spawn();
  const output = child.output();
  try {
    // Without an answer it waits for ever.
    const { code, stdout, stderr } = await inTime(output, `an answer to ${CLIENT}`);
    assertEquals(code, 0);
    return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw error;
  }
}

for (const host of ["127.0.0.1", "[::1]"]) {
  const address = host.replace(/[[\]]/g, "");
  for (const io of ["batch", "portable"]) {
    const ignore = (io === "batch" && !HAS_BATCH) || (address === "::1" && !hasIpv6());

    Deno.test(
      `udp ${io} ${host}: who asks by STUN is told its address, and SIP goes on`,
      { ignore },
      () =>
        serve(host, io, async (target, server) => {
          using peer = new UdpPeer(address);
          for (const fingerprint of [false, true]) {
            const request = stunRequest({ fingerprint });
            await peer.send(byteArea(request).latin1Slice(0, request.length), target);
            const { text, from } = await peer.receive();
            assertEquals(from, target);
            const { mapped, hasFingerprint } = parseStunResponse(latin1Bytes(text));
            assertEquals([mapped, hasFingerprint], [peer.local, fingerprint]);
            const vias = [`SIP/2.0/UDP client.invalid;rport;branch=z9hG4bK${fingerprint}`];
            await peer.send(requestText("OPTIONS", { uri: "sip:example.com", vias }), target);
            assertMatch((await peer.receive()).text, /^SIP\/2\.0 200 /);
          }
          assertEquals([server.metrics.stunAnswered, server.metrics.stunDropped], [2, 0]);
        }),
    );

    Deno.test(
      `udp ${io} ${host}: coturn's STUN client is told its address`,
      { ignore: ignore || !hasClient },
      () =>
        serve(host, io, async (target, server) => {
          const printed = await runClient(target, address);
          assertMatch(printed, new RegExp(`UDP reflexive addr: ${address}:[1-9][0-9]*\n`));
          assertEquals(server.metrics.snapshot(), { stunAnswered: 1, messagesSent: 1 });
        }),
    );
  }
}
