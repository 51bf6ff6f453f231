import type { Config } from "./config/mod.ts";
import type { Clock } from "./lib/clock.ts";
import { type Logger, loggerOf } from "./lib/log.ts";
import { Metrics } from "./lib/metrics.ts";
import { TimerWheel } from "./lib/timer_wheel.ts";
import { Tokens } from "./lib/token.ts";
import { Domains, FlowTokens, RecordRoute, Registrar } from "./modules/mod.ts";
import { Calls, Proxy } from "./proxy/mod.ts";
import { DeadHops, type Dns, Resolver, SystemDns } from "./resolve/mod.ts";
import { combinedRoute } from "./roles/mod.ts";
import { LocalReplies, TransactionLayer } from "./transaction/mod.ts";
import {
  Arrival,
  ConnectionLimits,
  openListeners,
  type Receive,
  TlsIdentity,
  Transports,
} from "./transport/mod.ts";
import { type LocationStore, MemoryStore } from "./usrloc/mod.ts";

/** Milliseconds between two looks at whether everything is done, while the server stops. */
const DRAIN_PERIOD = 50;

/** ms it is remembered that a peer does not take TCP, and of how many. */
const UDP_ONLY_TIME = 300_000;
const UDP_ONLY_CAPACITY = 65_536;

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
  /** All timers there are. */
  readonly wheel: TimerWheel;
  readonly #dns: SystemDns | undefined;
  readonly #store: LocationStore;
  readonly #layer: TransactionLayer;
  readonly #proxy: Proxy;
  readonly #calls = new Calls();
  /** Our certificates, if any. */
  #secured: { readonly identity: TlsIdentity; readonly stopWatching: () => void } | undefined = undefined;
  #drained: Promise<void> | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;

  constructor(config: Config, parts: ServerParts) {
    const { metrics } = this;
    const { clock, transports, log = loggerOf } = parts;
    const { limits, proxy, registrar: options } = config;
    this.#config = config;
    const systemDns = parts.dns === undefined ? new SystemDns(clock, metrics, config.dns) : undefined;
    this.#dns = systemDns;
    this.#clock = clock;
    this.#log = log("server");
    this.transports = transports;

    this.wheel = new TimerWheel({
      clock,
      onError: (error) => {
        metrics.internalErrors++;
        this.#log.error("timer failed", { error });
      },
    });
    const tokens = new Tokens();
    const replies = new LocalReplies(tokens, config.serverHeader);
    const layer = new TransactionLayer({
      wheel: this.wheel,
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
    const flowOf = (id: number) => transports.byId.get(id);
    const registrar = new Registrar({ store, domains, clock, metrics, options, flowOf });
    const route = combinedRoute({
      domains,
      registrar,
      rr: new RecordRoute(domains, new FlowTokens(flowOf)),
      metrics,
      recordRoute: proxy.recordRoute,
      relayForeign: proxy.relayForeign,
    });
    this.#proxy = new Proxy({
      layer,
      resolver: new Resolver(parts.dns ?? systemDns!, {
        protocols: transports.protocols,
      }),
      deadHops: new DeadHops(clock, { time: proxy.deadHopTime }),
      udpOnly: new DeadHops(clock, { time: UDP_ONLY_TIME, capacity: UDP_ONLY_CAPACITY }),
      maxUdpBytes: proxy.switchToTcp,
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
    this.onTurn = () => this.wheel.turn();
  }

  /** Has the certificates belong to the server: it reads them again when told to, and stops watching their files. */
  secureBy(identity: TlsIdentity, stopWatching: () => void): void {
    this.#secured = { identity, stopWatching };
  }

  /** Reads the certificates again; open connections stay as they are. Rejects with FlowError, and keeps the old ones. */
  async reload(): Promise<void> {
    if (this.#secured === undefined) return;
    await this.#secured.identity.reload();
    this.#log.info("certificates reloaded");
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
    this.#secured?.stopWatching();
    await this.transports.close();
    this.wheel.close();
    this.#dns?.close();
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
    stunSoftware: transport.udp.stunSoftware,
  });
  const parts = {
    arrival,
    metrics: server.metrics,
    log: log("transport"),
    onOpen: transports.add.bind(transports),
    onTurn: server.onTurn,
    connections: {
      wheel: server.wheel,
      clock,
      limits: new ConnectionLimits({ total: limits.connections, perAddress: limits.connectionsPerAddress }),
      byId: transports.byId,
    },
  };
  try {
    const { udp, ...streams } = transport;
    const identity = await identityOf(config, server, clock, log("transport"));
    const connections = {
      ...streams,
      writeQueue: limits.writeQueue,
      messageBytes: limits.messageBytes,
      identity,
    };
    openListeners(parts, { listen: config.listen, udpIo: udp.io, udp, connections });
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** Our certificates, read again whenever their files change; undefined where nothing is secured. */
async function identityOf(
  { listen, tls }: Config,
  server: Server,
  clock: Clock,
  log: Logger,
): Promise<TlsIdentity | undefined> {
  if (!listen.some(({ protocol }) => protocol === "tls" || protocol === "wss")) return undefined;
  const { certificates, minVersion, clientCertificates } = tls;
  const ca = tls.ca === "" ? undefined : tls.ca;
  const identity = await TlsIdentity.load({ certificates, minVersion, ca, clientCertificates });
  const warn = () =>
    identity.warnings(clock.now()).forEach((warning) => log.warn("certificate", { warning }));
  warn();
  identity.onReload(warn);
  server.secureBy(
    identity,
    identity.watch(clock, tls.reload, (error) => {
      if (error === undefined) log.info("certificates reloaded");
      else log.error("certificates not reloaded, the old ones stay", { error });
    }),
  );
  return identity;
}
