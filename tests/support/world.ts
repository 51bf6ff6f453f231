import { UserAgent } from "../../src/agent/mod.ts";
import { type Config, configSchema } from "../../src/config/mod.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import type { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { type Dns, NO_DNS } from "../../src/resolve/mod.ts";
import { Server } from "../../src/server.ts";
import { defaultPort, type Protocol } from "../../src/sip/mod.ts";
import {
  Arrival,
  ConnectionLimits,
  FlowIds,
  type Receive,
  type SocketAddress,
  Transports,
} from "../../src/transport/mod.ts";
import { type MemoryFlow, MemoryTransport } from "./memory_transport.ts";
import { Network } from "./network.ts";
import { Peer } from "./peer.ts";
import { VirtualTime } from "./virtual_time.ts";

const SERVER: SocketAddress = { address: "192.0.2.1", port: 5060 };

/** What is different from the defaults in one world. */
export interface WorldOptions {
  readonly config?: Record<string, unknown>;
  readonly dns?: Partial<Dns>;
  /** Where the server listens by UDP. */
  readonly listen?: readonly SocketAddress[];
  /** What it speaks beside that, at its first address and each at its usual port. */
  readonly speaks?: readonly Exclude<Protocol, "udp">[];
}

/** What is different from the usual in one user agent that connects. */
export interface ConnectedWith {
  /** Whether its contact can be connected to as well. */
  readonly isListening?: boolean;
}

/** Whose connections they are. */
interface ConnectionsHost {
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly transports: Transports;
}

/** A server and named people on a network in memory, all on one virtual clock. */
export class World extends VirtualTime {
  readonly network = new Network(this.clock);
  readonly config: Config;
  readonly server: Server;
  readonly #agents: UserAgent[] = [];
  readonly #flowIds = new FlowIds();
  #nextHost = 10;

  private constructor(options: WorldOptions) {
    super();
    this.config = configSchema.parse(options.config ?? {});
    const transports = new Transports(this.config.transport.udp.forceRport);
    this.server = new Server(this.config, {
      clock: this.clock,
      transports,
      dns: { ...NO_DNS, ...options.dns },
      log: () => silentLogger,
    });
    const arrival = this.#arrival(this.server.receive, this.server.metrics);
    const { listen = [SERVER], speaks = [] } = options;
    for (const address of listen) transports.add(this.network.listen(address, arrival));
    for (const protocol of speaks) {
      const local = { address: listen[0].address, port: defaultPort(protocol) };
      transports.add(this.#connections(protocol, local, true, arrival, this.server));
    }
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

  /** A user agent that has connected to the server, from an address of its own. */
  async connected(
    name: string,
    protocol: Exclude<Protocol, "udp">,
    { isListening = false }: ConnectedWith = {},
  ): Promise<UserAgent> {
    const transports = new Transports();
    const local = this.#freshAddress();
    const agent = new UserAgent({
      name,
      domain: this.config.domains[0],
      server: this.server.transports.list.find((listener) => listener.protocol === protocol)!.local,
      protocol,
      transports,
      clock: this.clock,
      patience: this.patience,
    });
    const arrival = this.#arrival(agent.receive, agent.metrics);
    const { wheel, metrics } = agent;
    const host = { wheel, metrics, transports };
    transports.add(this.#connections(protocol, local, isListening, arrival, host));
    this.#agents.push(agent);
    await this.patience(agent.connect(), "a connection");
    return agent;
  }

  /** Ends the connection of a user agent to the server: both sides learn of it at once. */
  dropConnection({ connection }: UserAgent): void {
    (connection as MemoryFlow).line.cut();
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

  #connections(
    protocol: Protocol,
    local: SocketAddress,
    isListening: boolean,
    arrival: Arrival,
    { wheel, metrics, transports }: ConnectionsHost,
  ): MemoryTransport {
    const parts = {
      wheel,
      metrics,
      arrival,
      log: silentLogger,
      flowIds: this.#flowIds,
      limits: new ConnectionLimits({ total: 1_000, perAddress: 1_000 }),
      byId: transports.byId,
      onError: (error: unknown) => {
        throw error;
      },
    };
    return new MemoryTransport(this.network, parts, { protocol, local, isListening });
  }

  #arrival(receive: Receive, metrics: Metrics): Arrival {
    const limits = { bytes: this.config.limits.messageBytes, headers: this.config.limits.headerRows };
    return new Arrival({ receive, metrics, limits, forceRport: this.config.transport.udp.forceRport });
  }
}
