import { type Patience, UserAgent } from "../../src/agent/mod.ts";
import { type Config, configSchema } from "../../src/config/mod.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import type { Dns } from "../../src/resolve/mod.ts";
import { Server } from "../../src/server.ts";
import { Arrival, type Receive, type SocketAddress, Transports } from "../../src/transport/mod.ts";
import { Network } from "./network.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Virtual ms after which something that has not happened will not. */
const LONGEST_WAIT = 600_000;

const SERVER: SocketAddress = { address: "192.0.2.1", port: 5060 };

/** What is different from the defaults in one world. */
export interface WorldOptions {
  readonly config?: Record<string, unknown>;
  readonly dns?: Dns;
  /** Where the server listens. */
  readonly listen?: readonly SocketAddress[];
}

/** A server and named people on a network in memory, all on one virtual clock. */
export class World {
  readonly clock = new VirtualClock();
  readonly network = new Network(this.clock);
  readonly config: Config;
  readonly server: Server;
  readonly #agents: UserAgent[] = [];
  #nextHost = 10;

  private constructor(options: WorldOptions) {
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

  /** A user agent at an address of its own, or at `address`. */
  userAgent(name: string, address?: SocketAddress): UserAgent {
    const at = address ?? { address: `198.51.100.${this.#nextHost++}`, port: 5060 };
    const transports = new Transports();
    const agent = new UserAgent({
      name,
      domain: this.config.domains[0],
      server: this.server.transports.list[0].local,
      transports,
      clock: this.clock,
      patience: this.patience,
    });
    transports.add(this.network.listen(at, this.#arrival(agent.receive, agent.metrics)));
    this.#agents.push(agent);
    return agent;
  }

  /** Lets virtual time go by until the promise settles. */
  readonly patience: Patience = async (promise, what) => {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let waited = 0; waited < LONGEST_WAIT; waited++) {
      await this.settle();
      if (isSettled) return promise;
      this.clock.advance(1);
    }
    throw new Error(`Waited ${LONGEST_WAIT} virtual ms in vain for ${what}`);
  };

  /** Lets everything happen that waits for nothing but its turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  /** Lets virtual time go by. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      this.clock.advance(1);
      await this.settle();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    for (const agent of this.#agents) await agent.close();
    this.network.close();
  }

  #arrival(receive: Receive, metrics: Metrics): Arrival {
    const limits = { bytes: this.config.limits.messageBytes, headers: this.config.limits.headerRows };
    return new Arrival({ receive, metrics, limits, forceRport: this.config.transport.udp.forceRport });
  }
}
