import { assert, assertEquals } from "../support/assert.ts";
import { Baresip, hasBaresip } from "../support/baresip.ts";
import { withServer } from "../support/server_at.ts";
import { hasIpv6 } from "../support/sockets.ts";

const ESTABLISHED = /Call established/;
const HUNG_UP = /session closed: Connection reset by peer/;
const HEARS = /incoming rtp for 'audio' established/;

const PLACES = (["udp", "tcp", "tls"] as const).flatMap((protocol) =>
  ["127.0.0.1", "[::1]"].map((host) => ({ protocol, host }))
);

for (const { protocol, host } of PLACES) {
  Deno.test({
    name: `baresip registers over ${protocol} at ${host}, calls, is called and signs off`,
    ignore: !hasBaresip || (host === "[::1]" && !hasIpv6()),
    fn: () =>
      withServer(protocol, host, {}, async (place, server) => {
        await using alice = await Baresip.start({ name: "alice", server: place, answers: "manual" });
        await using bob = await Baresip.start({ name: "bob", server: place, answers: "auto" });

        await alice.type("/dial sip:bob@example.com");
        await Promise.all([alice, bob].map((phone) => phone.says(ESTABLISHED)));
        await Promise.all([alice, bob].map((phone) => phone.says(HEARS)));
        await alice.type("/hangup");
        await bob.says(HUNG_UP);

        await bob.type("/dial sip:alice@example.com");
        await alice.says(/Incoming call from/);
        await alice.type("/accept");
        await Promise.all([alice, bob].map((phone) => phone.says(ESTABLISHED, 2)));
        await bob.type("/hangup");
        await alice.says(HUNG_UP);

        await bob.quit();
        await alice.type("/dial sip:bob@example.com");
        await alice.says(/session closed: 404 Not Found/);

        const { metrics } = server;
        assertEquals([metrics.internalErrors, metrics.malformedRequests, metrics.timeouts], [0, 0, 0]);
        // Each phone is reached by the connection it came by.
        if (protocol !== "udp") assertEquals([metrics.connectionsOpened, metrics.connectsFailed], [2, 0]);
        assert(metrics.requestsReceived > 0);
      }),
  });
}
