import type { LogFields, Logger } from "../../src/lib/log.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Tokens } from "../../src/lib/token.ts";
import { Calls, Proxy, type Route, type Target } from "../../src/proxy/mod.ts";
import { DeadHops, type Dns, NO_DNS, Resolver } from "../../src/resolve/mod.ts";
import { DEFAULT_TIMERS, LocalReplies, TransactionLayer } from "../../src/transaction/mod.ts";
import {
  Arrival,
  type Flow,
  type SocketAddress,
  socketAddressText,
  Transports,
} from "../../src/transport/mod.ts";
import { Network } from "./network.ts";
import { Peer } from "./peer.ts";
import { VirtualTime } from "./virtual_time.ts";

const SERVER: SocketAddress = { address: "192.0.2.1", port: 5060 };

/** What is different from the usual in one core. */
export interface CoreOptions {
  readonly route?: Route;
  readonly dns?: Partial<Dns>;
  readonly maxTargets?: number;
  readonly maxBreadth?: number;
  readonly maxTransactions?: number;
  readonly maxUdpBytes?: number;
}

/** A proxy core with a route of the test's own, and peers on a network in memory. */
export class Core extends VirtualTime {
  readonly network = new Network(this.clock);
  readonly metrics = new Metrics();
  readonly transports = new Transports();
  readonly calls = new Calls();
  readonly deadHops = new DeadHops(this.clock);
  readonly udpOnly = new DeadHops(this.clock, { time: 300_000 });
  readonly wheel: TimerWheel;
  readonly layer: TransactionLayer;
  readonly proxy: Proxy;
  /** The errors it logged. */
  readonly logged: (LogFields & { event: string })[] = [];
  /** What it does with requests; may be set once the peers are known. */
  route: Route;
  #nextHost = 10;

  constructor(options: CoreOptions = {}) {
    super();
    const { metrics, transports } = this;
    const { maxTargets = 30, maxBreadth = 60, maxTransactions = 1_000 } = options;
    this.route = options.route ?? ((ctx) => ctx.relay());
    this.wheel = new TimerWheel({
      clock: this.clock,
      onError: (error) => {
        throw error;
      },
    });
    const tokens = new Tokens();
    const replies = new LocalReplies(tokens, "");
    this.layer = new TransactionLayer({
      wheel: this.wheel,
      tokens,
      replies,
      metrics,
      log: silentLogger,
      timers: DEFAULT_TIMERS,
      maxTransactions,
      responseFlow: (request, flow) => transports.responseFlow(request, flow),
      onRequest: (request, flow) => this.proxy.handle(request, flow),
    });
    const log: Logger = {
      ...silentLogger,
      error: (event, fields) => this.logged.push({ event, ...fields }),
    };
    this.proxy = new Proxy({
      layer: this.layer,
      resolver: new Resolver({ ...NO_DNS, ...options.dns }),
      transports,
      deadHops: this.deadHops,
      udpOnly: this.udpOnly,
      maxUdpBytes: options.maxUdpBytes,
      replies,
      metrics,
      calls: this.calls,
      maxTargets,
      maxBreadth,
      maxForwards: 70,
      loop: { seed: tokens.uint32(), isOurs: (host, port) => transports.owns(host, port) },
      log,
      route: (ctx) => this.route(ctx),
    });
    const arrival = new Arrival({
      receive: (message, flow) => this.layer.receive(message, flow),
      metrics,
      limits: { bytes: 65_535, headers: 256 },
      forceRport: false,
    });
    transports.add(this.network.listen(SERVER, arrival));
  }

  /** A peer at an address of its own, or at `address`. */
  peer(address = `198.51.100.${this.#nextHost++}`): Peer {
    return new Peer(this.network, { address, port: 5060 }, SERVER, this.patience);
  }

  /** The flow to a peer. */
  flowTo({ sentBy }: Peer): Flow {
    const [address, port] = sentBy.split(":");
    return this.transports.flowTo({ protocol: "udp", address, port: Number(port) }) as Flow;
  }

  /** Has it speak TCP as well: `connect` opens its connections, wherever they go. */
  speakTcp(connect: (peer: SocketAddress) => Flow | Promise<Flow>): void {
    this.transports.add({
      protocol: "tcp",
      local: SERVER,
      sentBy: socketAddressText(SERVER),
      connect,
      find: () => undefined,
      close: () => Promise.resolve(),
    });
  }

  /** Nothing can be sent to this peer: whoever tries is told. */
  cutOff({ sentBy }: Peer): void {
    this.network.unreachable.add(sentBy);
  }

  [Symbol.dispose](): void {
    this.wheel.close();
    this.network.close();
  }
}

/** Where a branch goes that is to reach `peer`. */
export function targetAt({ sentBy }: Peer, options: Partial<Target> = {}): Target {
  return { uri: `sip:user@${sentBy}`, path: [], q: 1, alternates: [], ...options };
}
