import { withPhones } from "../support/phone.ts";
import { withServer } from "../support/server_at.ts";
import { integrationBody } from "./body.ts";

for (const host of ["127.0.0.1", "[::1]"]) {
  for (const protocol of ["tcp", "tls", "ws", "wss"] as const) {
    integrationBody(`${protocol} ${host}`, (use) => withServer(protocol, host, {}, use));

    Deno.test(`${protocol} ${host}: a phone whose connection has closed is passed over at once`, () =>
      withServer(
        protocol,
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
            await mobile.close();
            await alice.send("MESSAGE", desk.aor).receives(480);
          }),
      ));
  }
}
