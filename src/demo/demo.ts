import { patientFor, UserAgent } from "../agent/mod.ts";
import { configSchema } from "../config/mod.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/log.ts";
import { startServer } from "../server.ts";
import { Arrival, openListeners, type SocketAddress, Transports } from "../transport/mod.ts";
import { type Arrow, drawLadder } from "./ladder.ts";
import { labelOf, TracedTransport } from "./trace.ts";

const NAMES = ["alice", "sluice", "bob"] as const;
const SERVER = 1;

/** Milliseconds the demo waits for any one message. */
const PATIENCE = 5_000;

/** Runs a server and two phones on loopback, has one call the other, and returns the drawing of what they said. */
export async function runDemo(isColored: boolean): Promise<string> {
  const config = configSchema.parse({ listen: ["udp:127.0.0.1:0"] });
  const server = await startServer(config, systemClock, () => silentLogger);
  const arrows: Arrow[] = [];
  const at = server.transports.list[0].local;
  const alice = openPhone(0, at, config.domains[0], arrows);
  const bob = openPhone(2, at, config.domains[0], arrows);
  try {
    await call(alice, bob);
  } finally {
    await alice.close();
    await bob.close();
    await server.close();
  }
  return drawLadder(NAMES, arrows, isColored);
}

async function call(alice: UserAgent, bob: UserAgent): Promise<void> {
  await alice.register();
  await bob.register();
  const outgoing = alice.invite(bob.aor);
  const incoming = await bob.receives("INVITE");
  incoming.reply(180);
  await outgoing.receives(180);
  incoming.reply(200);
  await outgoing.receives(200);
  await incoming.acknowledged();
  const bye = outgoing.bye();
  (await bob.receives("BYE")).reply(200);
  await bye.receives(200);
}

/** A phone on a port of its own; every message it sends or gets becomes an arrow in its column. */
function openPhone(column: number, server: SocketAddress, domain: string, arrows: Arrow[]): UserAgent {
  const transports = new Transports();
  const phone = new UserAgent({
    name: NAMES[column],
    domain,
    server,
    transports,
    clock: systemClock,
    patience: patientFor(PATIENCE),
  });
  const sends = (text: string) => arrows.push({ from: column, to: SERVER, label: labelOf(text) });
  let listener: TracedTransport;
  const arrival = new Arrival({
    receive: (message, flow) => {
      arrows.push({ from: SERVER, to: column, label: labelOf(message.text) });
      phone.receive(message, listener.traced(flow));
    },
    metrics: phone.metrics,
    limits: { bytes: 65_535, headers: 256 },
    forceRport: false,
  });
  openListeners({
    arrival,
    metrics: phone.metrics,
    log: silentLogger,
    onOpen: (transport) => transports.add(listener = new TracedTransport(transport, sends)),
  }, {
    listen: [{ protocol: "udp", address: "127.0.0.1", port: 0 }],
    udpIo: "auto",
    udp: { receiveBuffer: 1 << 18, sendBuffer: 1 << 18, reusePort: false, maxFlows: 16 },
  });
  return phone;
}
