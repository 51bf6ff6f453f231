import type { Config } from "./config/mod.ts";
import type { Clock } from "./lib/clock.ts";
import { type Logger, loggerOf } from "./lib/log.ts";
import { Metrics } from "./lib/metrics.ts";
import { TimerWheel } from "./lib/timer_wheel.ts";
import { Tokens } from "./lib/token.ts";
import { Domains, RecordRoute, Registrar } from "./modules/mod.ts";
import { Calls, Proxy } from "./proxy/mod.ts";
import { type Dns, Resolver, SystemDns } from "./resolve/mod.ts";
import { combinedRoute } from "./roles/mod.ts";
import { LocalReplies, TransactionLayer } from "./transaction/mod.ts";
import { Arrival, openListeners, type Receive, Transports } from "./transport/mod.ts";
import { type LocationStore, MemoryStore } from "./usrloc/mod.ts";

/** Milliseconds between two looks at whether everything is done, while the server stops. */
const DRAIN_PERIOD = 50;

/** What a server is made with; what is left out is the real thing. */
export interface ServerParts {
  readonly clock: Clock;
  readonly transports: Transports;
  readonly dns?: Dns;
  readonly log?: (part: string) => Logger;
}

/**
 * Everything between the sockets: takes messages by `receive`, and sends by the flows of its transports. The
 * only place that knows how the parts fit together.
 */
export class Server {
  readonly metrics = new Metrics();
  readonly transports: Transports;
  readonly receive: Receive;
  /** To be called before messages are taken. */
  readonly onTurn: () => void;

  readonly #config: Config;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #wheel: TimerWheel;
  readonly #store: LocationStore;
  readonly #layer: TransactionLayer;
  readonly #proxy: Proxy;
  readonly #calls = new Calls();
  #drained: Promise<void> | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;

  constructor(config: Config, parts: ServerParts) {
    const { metrics } = this;
    const { clock, transports, dns = new SystemDns(clock), log = loggerOf } = parts;
    const { limits, proxy, registrar: options } = config;
    this.#config = config;
    this.#clock = clock;
    this.#log = log("server");
    this.transports = transports;

    this.#wheel = new TimerWheel({
      clock,
      onError: (error) => {
        metrics.internalErrors++;
        this.#log.error("timer failed", { error });
      },
    });
    const tokens = new Tokens();
    const replies = new LocalReplies(tokens, config.serverHeader);
    const layer = new TransactionLayer({
      wheel: this.#wheel,
      tokens,
      replies,
      metrics,
      log: log("transaction"),
      timers: config.timers,
      maxTransactions: limits.transactions,
      responseFlow: (request, flow) => transports.responseFlow(request, flow),
      onRequest: (request, flow) => this.#proxy.handle(request, flow),
    });

    const store = new MemoryStore({ clock, seed: tokens.uint32(), maxBindings: limits.bindings });
    const domains = new Domains(config.domains, transports);
    const registrar = new Registrar({ store, domains, clock, metrics, options });
    const route = combinedRoute({
      domains,
      registrar,
      rr: new RecordRoute(domains),
      metrics,
      recordRoute: proxy.recordRoute,
      relayForeign: proxy.relayForeign,
    });
    this.#proxy = new Proxy({
      layer,
      resolver: new Resolver(dns),
      transports,
      replies,
      metrics,
      calls: this.#calls,
      maxTargets: limits.targets,
      maxBreadth: proxy.maxBreadth,
      maxForwards: proxy.maxForwards,
      loop: { seed: tokens.uint32(), isOurs: (host, port) => transports.owns(host, port) },
      log: log("proxy"),
      route,
    });
    this.#layer = layer;
    this.#store = store;
    this.receive = (message, flow) => layer.receive(message, flow);
    this.onTurn = () => this.#wheel.turn();
  }

  /**
   * Stops in good order: begins nothing new, and goes on until nothing is under way and no call is up, but no
   * longer than the configured time.
   */
  drain(): Promise<void> {
    return this.#drained ??= this.#drain();
  }

  /** Stops at once. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #drain(): Promise<void> {
    this.#log.info("draining", { calls: this.#calls.open, underWay: this.#layer.underWay });
    this.#proxy.drain();
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = this.#clock.monotonic() + this.#config.drainTime;
    const look = () => {
      if (this.#isIdle || this.#clock.monotonic() >= deadline) resolve();
    };
    const stopLooking = this.#clock.every(DRAIN_PERIOD, look);
    look();
    await promise;
    stopLooking();
    await this.close();
  }

  /** Whether nobody would miss us. Calls that do not come by here again go on without us. */
  get #isIdle(): boolean {
    const { recordRoute } = this.#config.proxy;
    return this.#layer.underWay === 0 && (!recordRoute || this.#calls.open === 0);
  }

  async #close(): Promise<void> {
    await this.transports.close();
    this.#wheel.close();
    await this.#store.close();
    this.#log.info("stopped", { ...this.metrics.snapshot() });
  }
}

/** Starts a server on the sockets its configuration names; throws FlowError if one cannot be opened. */
export async function startServer(
  config: Config,
  clock: Clock,
  log: (part: string) => Logger = loggerOf,
): Promise<Server> {
  const { limits, transport } = config;
  const transports = new Transports(transport.udp.forceRport);
  const server = new Server(config, { clock, transports, log });
  const arrival = new Arrival({
    receive: server.receive,
    metrics: server.metrics,
    limits: { bytes: limits.messageBytes, headers: limits.headerRows },
    forceRport: transport.udp.forceRport,
  });
  const parts = {
    arrival,
    metrics: server.metrics,
    log: log("transport"),
    onOpen: transports.add.bind(transports),
    onTurn: server.onTurn,
  };
  try {
    openListeners(parts, { listen: config.listen, udpIo: transport.udp.io, udp: transport.udp });
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
