import { configSchema } from "../../src/config/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { startServer } from "../../src/server.ts";
import { assertEquals } from "../support/assert.ts";
import { withPhones } from "../support/phone.ts";
import { HAS_BATCH } from "../support/sockets.ts";
import { integrationBody, type WithServer } from "./body.ts";

/** Runs a server that listens at a free port of `host`. */
function serverAt(host: string, io: string): WithServer {
  return async (use) => {
    const config = configSchema.parse({ listen: [`udp:${host}:0`], transport: { udp: { io } } });
    const server = await startServer(config, systemClock, () => silentLogger);
    try {
      await use(server.transports.list[0].local);
    } finally {
      await server.close();
    }
  };
}

for (const host of ["127.0.0.1", "[::1]"]) {
  for (const io of ["batch", "portable"]) integrationBody(`udp ${io} ${host}`, serverAt(host, io));

  Deno.test(
    `udp batch ${host}: nobody waits for a phone that has gone`,
    { ignore: !HAS_BATCH },
    () =>
      serverAt(host, "batch")((server) =>
        withPhones(server, ["alice", "bob", "bob"], async (alice, desk, mobile) => {
          await desk.register({ params: ";q=0.9" });
          await mobile.register({ params: ";q=0.1" });
          await desk.close();
          const call = alice.invite(desk.aor);
          (await mobile.receives("INVITE")).reply(200);
          await call.receives(200);
          const last = await mobile.register({ params: ";q=0.1" });
          // The other binding went with the flow under it.
          assertEquals(last.all("Contact").length, 1);
        })
      ),
  );
}
