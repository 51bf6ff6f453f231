import { configSchema } from "../../src/config/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { type Server, startServer } from "../../src/server.ts";
import type { ListenerOptions } from "../../src/transport/mod.ts";
import { filesOf } from "./certificates.ts";

/** Settings of a server beside where it listens. */
export type Settings = Readonly<Record<string, unknown>>;

/** Runs a server that listens at a free port of `host` by `protocol`, and closes it whatever happens. */
export async function withServer(
  protocol: ListenerOptions["protocol"],
  host: string,
  settings: Settings,
  use: (place: ListenerOptions, server: Server) => Promise<void>,
): Promise<void> {
  const config = configSchema.parse({
    listen: [`${protocol}:${host}:0`],
    tls: { certificates: [filesOf("loopback")] },
    ...settings,
  });
  const server = await startServer(config, systemClock, () => silentLogger);
  try {
    await use({ protocol, ...server.transports.list[0].local }, server);
  } finally {
    await server.close();
  }
}
