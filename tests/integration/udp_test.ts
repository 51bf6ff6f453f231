import { assertEquals } from "../support/assert.ts";
import { withPhones } from "../support/phone.ts";
import { withServer } from "../support/server_at.ts";
import { HAS_BATCH } from "../support/sockets.ts";
import { integrationBody } from "./body.ts";

for (const host of ["127.0.0.1", "[::1]"]) {
  for (const io of ["batch", "portable"]) {
    integrationBody(
      `udp ${io} ${host}`,
      (use) => withServer("udp", host, { transport: { udp: { io } } }, use),
    );
  }

  Deno.test(
    `udp batch ${host}: nobody waits for a phone that has gone`,
    { ignore: !HAS_BATCH },
    () =>
      withServer(
        "udp",
        host,
        {},
        (server) =>
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
          }),
      ),
  );
}
