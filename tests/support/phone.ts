import { patientFor, UserAgent } from "../../src/agent/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Arrival, openListeners, type SocketAddress, Transports } from "../../src/transport/mod.ts";

/** Milliseconds a real phone waits for any one message. */
const PATIENCE = 20_000;

/** A user agent on a real socket at a free port of the server's own loopback address. */
export function openPhone(name: string, server: SocketAddress, domain = "example.com"): UserAgent {
  const transports = new Transports();
  const patience = patientFor(PATIENCE);
  const phone = new UserAgent({ name, domain, server, transports, clock: systemClock, patience });
  const limits = { bytes: 65_535, headers: 256 };
  const arrival = new Arrival({ receive: phone.receive, metrics: phone.metrics, limits, forceRport: false });
  openListeners({
    arrival,
    metrics: phone.metrics,
    log: silentLogger,
    onOpen: (transport) => transports.add(transport),
  }, {
    listen: [{ protocol: "udp", address: server.address, port: 0 }],
    udpIo: "auto",
    udp: { receiveBuffer: 1 << 20, sendBuffer: 1 << 20, reusePort: false, maxFlows: 64 },
  });
  return phone;
}

/** Opens a phone for each name, hands them to `use`, and closes them whatever happens. */
export async function withPhones(
  server: SocketAddress,
  names: readonly string[],
  use: (...phones: UserAgent[]) => Promise<void>,
): Promise<void> {
  const phones = names.map((name) => openPhone(name, server));
  try {
    await use(...phones);
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
  }
}
