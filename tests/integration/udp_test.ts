import { withServer } from "../support/server_at.ts";
import { HAS_BATCH } from "../support/sockets.ts";
import { integrationBody, passesOverThoseGone } from "./body.ts";

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
    () => withServer("udp", host, {}, passesOverThoseGone),
  );
}
