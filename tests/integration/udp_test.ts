import { configSchema } from "../../src/config/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { startServer } from "../../src/server.ts";
import { integrationBody } from "./body.ts";

for (const io of ["batch", "portable"]) {
  for (const host of ["127.0.0.1", "[::1]"]) {
    integrationBody(`udp ${io} ${host}`, async (use) => {
      const config = configSchema.parse({ listen: [`udp:${host}:0`], transport: { udp: { io } } });
      const server = await startServer(config, systemClock, () => silentLogger);
      try {
        await use(server.transports.list[0].local);
      } finally {
        await server.close();
      }
    });
  }
}
