import { withServer } from "../support/server_at.ts";
import { integrationBody, passesOverThoseGone } from "./body.ts";

for (const host of ["127.0.0.1", "[::1]"]) {
  for (const protocol of ["tcp", "tls", "ws", "wss"] as const) {
    integrationBody(`${protocol} ${host}`, (use) => withServer(protocol, host, {}, use));

    Deno.test(
      `${protocol} ${host}: a phone whose connection has closed is passed over at once`,
      () => withServer(protocol, host, {}, passesOverThoseGone),
    );
  }
}
