import { UserAgent } from "../../src/agent/mod.ts";
import { type Config, configSchema } from "../../src/config/mod.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import type { Dns } from "../../src/resolve/mod.ts";
import { Server } from "../../src/server.ts";
import { Arrival, type Receive, type SocketAddress, Transports } from "../../src/transport/mod.ts";
import { Network } from "./network.ts";
import { Peer } from "./peer.ts";
import { VirtualTime } from "./virtual_time.ts";

const SERVER: SocketAddress = { address: "192.0.2.1", port: 5060 };

/** What is different from the defaults in one world. */
export interface WorldOptions {
  readonly config?: Record<string, unknown>;
  readonly dns?: Dns;
  /** Where the server listens. */
  readonly listen?: readonly SocketAddress[];
}

/** A server and named people on a network in memory, all on one virtual clock. */
export class World extends VirtualTime {
  readonly network = new Network(this.clock);
  readonly config: Config;
  readonly server: Server;
  readonly #agents: UserAgent[] = [];
  #nextHost = 10;

  private constructor(options: WorldOptions) {
    super();
    this.config = configSchema.parse(options.config ?? {});
    const transports = new Transports(this.config.transport.udp.forceRport);
    this.server = new Server(this.config, {
      clock: this.clock,
      transports,
      dns: options.dns ?? { addresses: () => Promise.resolve([]) },
      log: () => silentLogger,
    });
    const arrival = this.#arrival(this.server.receive, this.server.metrics);
    for (const address of options.listen ?? [SERVER]) transports.add(this.network.listen(address, arrival));
  }

  static of(options: WorldOptions = {}): World {
    return new World(options);
  }

  /** A user agent at an address of its own, or at `at`. */
  userAgent(name: string, at: SocketAddress = this.#freshAddress()): UserAgent {
    const transports = new Transports();
    const agent = new UserAgent({
      name,
      domain: this.config.domains[0],
      server: this.#serverFor(at),
      transports,
      clock: this.clock,
      patience: this.patience,
    });
    transports.add(this.network.listen(at, this.#arrival(agent.receive, agent.metrics)));
    this.#agents.push(agent);
    return agent;
  }

  /** An endpoint without behaviour at an address of its own, or at `at`. */
  peer(at: SocketAddress = this.#freshAddress()): Peer {
    return new Peer(this.network, at, this.#serverFor(at), this.patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    for (const agent of this.#agents) await agent.close();
    this.network.close();
    const { internalErrors } = this.server.metrics;
    if (internalErrors > 0) throw new Error(`The server had ${internalErrors} errors of its own`);
  }

  #freshAddress(): SocketAddress {
    return { address: `198.51.100.${this.#nextHost++}`, port: 5060 };
  }

  /** The first listener of the server that speaks the address family of `at`. */
  #serverFor({ address }: SocketAddress): SocketAddress {
    const listeners = this.server.transports.list.map(({ local }) => local);
    return listeners.find((local) => local.address.includes(":") === address.includes(":")) ?? listeners[0];
  }

  #arrival(receive: Receive, metrics: Metrics): Arrival {
    const limits = { bytes: this.config.limits.messageBytes, headers: this.config.limits.headerRows };
    return new Arrival({ receive, metrics, limits, forceRport: this.config.transport.udp.forceRport });
  }
}
