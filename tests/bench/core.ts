import { configSchema } from "../../src/config/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { byteArea, encodeLatin1 } from "../../src/lib/latin1.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Server } from "../../src/server.ts";
import {
  Arrival,
  type DatagramSender,
  FlowIds,
  type SocketAddress,
  socketAddressText,
  Transports,
  UdpFlow,
} from "../../src/transport/mod.ts";

/** A whole server without sockets: bytes go in, and what it would send is kept. */
export class BenchCore implements DatagramSender {
  readonly protocol = "udp";
  readonly local: SocketAddress = { address: "127.0.0.1", port: 5060 };
  readonly sentBy = "127.0.0.1:5060";
  /** What was sent since it was last emptied. */
  readonly sent: string[] = [];

  readonly #ids = new FlowIds();
  readonly #flows = new Map<string, UdpFlow>();
  readonly #out = new Uint8Array(65_536);
  readonly #in = byteArea(new Uint8Array(65_536));
  readonly #arrival: Arrival;

  constructor() {
    const transports = new Transports();
    transports.add(this);
    const server = new Server(configSchema.parse({}), {
      clock: systemClock,
      transports,
      log: () => silentLogger,
    });
    const limits = { bytes: 65_535, headers: 256 };
    this.#arrival = new Arrival({
      receive: server.receive,
      metrics: server.metrics,
      limits,
      forceRport: false,
    });
  }

  /** Has a datagram arrive from a port of 127.0.0.1. */
  arrive(text: string, port: number): void {
    const length = encodeLatin1(text, this.#in);
    this.#arrival.datagram(this.#in, 0, length, this.connect({ address: "127.0.0.1", port }));
  }

  sendTo(_flow: UdpFlow, text: string): boolean {
    encodeLatin1(text, this.#out);
    this.sent.push(text);
    return true;
  }

  connect(remote: SocketAddress): UdpFlow {
    const key = socketAddressText(remote);
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = new UdpFlow(this.#ids.next(), this, remote, new Uint32Array(0));
      this.#flows.set(key, flow);
    }
    return flow;
  }

  find(remote: SocketAddress): UdpFlow {
    return this.connect(remote);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
