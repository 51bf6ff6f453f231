import { patientFor, UserAgent } from "../../src/agent/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import {
  Arrival,
  ConnectionLimits,
  type ConnectionSettings,
  type ListenerOptions,
  openListeners,
  TlsIdentity,
  Transports,
} from "../../src/transport/mod.ts";
import { filesOf, pemPath } from "./certificates.ts";

/** Milliseconds a real phone waits for any one message. */
const PATIENCE = 20_000;

const CONNECTIONS: Omit<ConnectionSettings, "identity"> = {
  firstByte: 10_000,
  wholeMessage: 10_000,
  handshake: 10_000,
  connect: 10_000,
  idle: { tcp: 60_000, tls: 60_000, ws: 60_000, wss: 60_000 },
  writeQueue: 1 << 20,
  messageBytes: 65_536,
  ws: { path: "/", origins: [], pingInterval: 30_000, pongTimeout: 20_000 },
};

/** A user agent on a real socket at a free port of the server's own loopback address, connected if need be. */
export async function openPhone(
  name: string,
  server: ListenerOptions,
  domain = "example.com",
): Promise<UserAgent> {
  const { protocol, address } = server;
  const transports = new Transports();
  const patience = patientFor(PATIENCE);
  const phone = new UserAgent({ name, domain, server, protocol, transports, clock: systemClock, patience });
  const limits = { bytes: 65_535, headers: 256 };
  const arrival = new Arrival({ receive: phone.receive, metrics: phone.metrics, limits, forceRport: false });
  const isSecure = protocol === "tls" || protocol === "wss";
  const identity = isSecure
    ? await TlsIdentity.load({
      certificates: [filesOf("loopback")],
      minVersion: "1.2",
      ca: pemPath("ca"),
      clientCertificates: "none",
    })
    : undefined;
  openListeners({
    arrival,
    metrics: phone.metrics,
    log: silentLogger,
    onOpen: (transport) => transports.add(transport),
    connections: {
      wheel: phone.wheel,
      clock: systemClock,
      limits: new ConnectionLimits({ total: 64, perAddress: 64 }),
      byId: transports.byId,
    },
  }, {
    listen: [{ protocol, address, port: 0 }],
    udpIo: "auto",
    udp: { receiveBuffer: 1 << 20, sendBuffer: 1 << 20, reusePort: false, maxFlows: 64 },
    connections: { ...CONNECTIONS, identity },
  });
  await phone.connect();
  return phone;
}

/** Opens a phone for each name, hands them to `use`, and closes them whatever happens. */
export async function withPhones(
  server: ListenerOptions,
  names: readonly string[],
  use: (...phones: UserAgent[]) => Promise<void>,
): Promise<void> {
  const phones: UserAgent[] = [];
  try {
    for (const name of names) phones.push(await openPhone(name, server));
    await use(...phones);
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
  }
}
