import type { Clock } from "../lib/clock.ts";
import { silentLogger } from "../lib/log.ts";
import { Metrics } from "../lib/metrics.ts";
import { TimerWheel } from "../lib/timer_wheel.ts";
import { Tokens } from "../lib/token.ts";
import { NO_DNS, Resolver } from "../resolve/mod.ts";
import {
  buildRequest,
  type HeaderList,
  parseUri,
  type Protocol,
  type SipRequest,
  type SipResponse,
  viaName,
} from "../sip/mod.ts";
import { DEFAULT_TIMERS, LocalReplies, type TimerOptions, TransactionLayer } from "../transaction/mod.ts";
import type { Flow, Receive, SocketAddress, Transports } from "../transport/mod.ts";
import type { Acknowledgeable, AgentCore } from "./core.ts";
import { Dialog } from "./dialog.ts";
import { Exchange } from "./exchange.ts";
import { Inbox, type Patience } from "./inbox.ts";
import { dialogKey, Incoming, IncomingCall } from "./incoming.ts";

/** What a user agent is made with. */
export interface UserAgentParts {
  /** The user part of its address of record. */
  readonly name: string;
  readonly domain: string;
  /** Where it sends requests outside dialogs; over a connection, all requests. */
  readonly server: SocketAddress;
  /** What it speaks with the server; UDP if left out. For the rest it must connect first. */
  readonly protocol?: Protocol;
  /** Its own listener, open by the time it is first used. */
  readonly transports: Transports;
  readonly clock: Clock;
  readonly patience: Patience;
  readonly timers?: TimerOptions;
}

/** What a REGISTER asks for beside the usual. */
export interface RegisterWith {
  /** Seconds; 0 takes the binding away. */
  readonly expires?: number;
  /** The contact instead of our own; "*" for all. */
  readonly contact?: string;
  /** More parameters of the contact, such as `;q=0.5`. */
  readonly params?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: HeaderList;
}

/** A call we make: an INVITE, and what comes of it. */
export class OutgoingCall {
  readonly #agent: UserAgent;
  readonly #exchange: Exchange;
  #dialog: Dialog | undefined = undefined;

  constructor(agent: UserAgent, exchange: Exchange) {
    this.#agent = agent;
    this.#exchange = exchange;
    exchange.onResponse = (response) => {
      if (response.isSuccess) this.#acknowledge(response);
    };
  }

  /** See Exchange; a success has been acknowledged by then. */
  receives(status: number): Promise<SipResponse> {
    return this.#exchange.receives(status);
  }

  final(): Promise<SipResponse> {
    return this.#exchange.final();
  }

  /** Statuses that came and were not taken. */
  get untaken(): number[] {
    return this.#exchange.untaken;
  }

  /** The dialog of the last success. */
  get dialog(): Dialog | undefined {
    return this.#dialog;
  }

  cancel(): void {
    this.#exchange.transaction?.cancel();
  }

  /** Hangs up. */
  bye(): Exchange {
    return this.#agent.sendInDialog(this.#dialog!, "BYE");
  }

  #acknowledge(response: SipResponse): void {
    this.#dialog = Dialog.ofCaller(response);
    this.#agent.acknowledge(this.#dialog);
  }
}

/** A small user agent (RFC 3261 §8, §12, §13): registers, calls, is called; enough to show and to test a server. */
export class UserAgent implements AgentCore {
  readonly aor: string;
  readonly tokens = new Tokens();
  readonly wheel: TimerWheel;
  readonly t1: number;
  readonly patience: Patience;
  readonly dialogs = new Map<string, Acknowledgeable>();
  readonly receive: Receive;
  readonly metrics = new Metrics();

  readonly #parts: UserAgentParts;
  readonly #layer: TransactionLayer;
  readonly #resolver: Resolver;
  readonly #requests: Inbox<Incoming>;
  readonly #registration = { callId: "", cseq: 0 };
  readonly #protocol: Protocol;
  /** Where it is reached: its listener, or for a browser, which has none, a name that nobody has. */
  readonly #host: string | undefined;
  /** The connection to the server. */
  #connection: Flow | undefined = undefined;

  constructor(parts: UserAgentParts) {
    const { name, domain, clock, transports, patience, timers = DEFAULT_TIMERS, protocol = "udp" } = parts;
    this.#parts = parts;
    this.aor = `sip:${name}@${domain}`;
    this.patience = patience;
    this.t1 = timers.t1;
    this.wheel = new TimerWheel({
      clock,
      onError: (error) => {
        throw error;
      },
    });
    this.#protocol = protocol;
    this.#host = isBrowsers(protocol) ? `${this.tokens.next(12)}.invalid` : undefined;
    this.#requests = new Inbox(patience);
    this.#resolver = new Resolver(NO_DNS);
    this.#registration.callId = this.tokens.next(16);
    this.#layer = new TransactionLayer({
      wheel: this.wheel,
      tokens: this.tokens,
      replies: new LocalReplies(this.tokens, ""),
      metrics: this.metrics,
      log: silentLogger,
      timers,
      maxTransactions: 10_000,
      responseFlow: (request, flow) => transports.responseFlow(request, flow),
      onRequest: (request, flow) => this.#handle(request, flow),
    });
    this.receive = (message, flow) => this.#layer.receive(message, flow);
  }

  /** The URI it is reached at. */
  get contact(): string {
    const param = this.#protocol === "udp"
      ? ""
      : `;transport=${this.#host === undefined ? this.#protocol : "ws"}`;
    return `sip:${this.#parts.name}@${this.#host ?? this.#parts.transports.list[0].sentBy}${param}`;
  }

  /** Connects to the server; rejects with FlowError. Over UDP there is nothing to be done. */
  async connect(): Promise<void> {
    const { server, transports } = this.#parts;
    if (this.#protocol === "udp") return;
    this.#connection = await transports.flowTo({ protocol: this.#protocol, host: server.address, ...server });
  }

  /** The connection to the server, if it is one. */
  get connection(): Flow | undefined {
    return this.#connection;
  }

  /** Registers, and waits for the final response, whatever it is. */
  register(options: RegisterWith = {}): Promise<SipResponse> {
    const { expires = 3600, contact = this.contact, params = "", headers = [] } = options;
    const { callId = this.#registration.callId, cseq = ++this.#registration.cseq } = options;
    const value = contact === "*" ? "*" : `<${contact}>${params};expires=${expires}`;
    return this.send("REGISTER", `sip:${this.#parts.domain}`, {
      to: this.aor,
      callId,
      cseq,
      headers: [["Contact", value], ...(contact === "*" ? [["Expires", "0"] as const] : []), ...headers],
    }).final();
  }

  /** Calls somebody. */
  invite(uri: string, headers: HeaderList = []): OutgoingCall {
    const body =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";
    const more: HeaderList = [
      ["Contact", `<${this.contact}>`],
      ["Content-Type", "application/sdp"],
      ...headers,
    ];
    return new OutgoingCall(this, this.send("INVITE", uri, { headers: more, body }));
  }

  /** Sends a request outside any dialog. */
  send(
    method: string,
    uri: string,
    options: { to?: string; callId?: string; cseq?: number; headers?: HeaderList; body?: string } = {},
  ): Exchange {
    const { to = uri, callId = this.tokens.next(16), cseq = 1, headers = [], body } = options;
    const { address, port } = this.#parts.server;
    const host = address.includes(":") ? `[${address}]` : address;
    return this.#send(method, uri, `sip:${host}:${port}`, [
      ["Max-Forwards", "70"],
      ["From", `<${this.aor}>;tag=${this.tokens.next(8)}`],
      ["To", `<${to}>`],
      ["Call-ID", callId],
      ["CSeq", `${cseq} ${method}`],
      ...headers,
    ], body);
  }

  sendInDialog(dialog: Dialog, method: string, body?: string): Exchange {
    const seq = ++dialog.localSeq;
    const contact: HeaderList = [["Contact", `<${this.contact}>`]];
    return this.#send(
      method,
      dialog.target,
      dialog.nextHop,
      [...dialog.headers(method, seq), ...contact],
      body,
    );
  }

  /** Sends the ACK to a success, as a request of its own (RFC 3261 §13.2.2.4). */
  acknowledge(dialog: Dialog): void {
    const flow = this.#flowTo(dialog.nextHop);
    const branch = this.#layer.newBranch("0");
    const headers: HeaderList = [this.#via(flow, branch), ...dialog.headers("ACK", dialog.localSeq)];
    flow.send(buildRequest("ACK", dialog.target, headers));
  }

  /** The next request of this method that somebody sends us. */
  async receives(method: "INVITE"): Promise<IncomingCall>;
  async receives(method: string): Promise<Incoming>;
  receives(method: string): Promise<Incoming> {
    return this.#requests.take(
      ({ request }) => request.method === method,
      `${method} at ${this.#parts.name}`,
    );
  }

  /** Methods of requests that came and were not taken. */
  get untaken(): string[] {
    return this.#requests.items.map(({ request }) => request.method);
  }

  /** Forgets everything and closes its listener. */
  async close(): Promise<void> {
    await this.#parts.transports.close();
    this.wheel.close();
  }

  #send(method: string, uri: string, nextHop: string, headers: HeaderList, body?: string): Exchange {
    const flow = this.#flowTo(nextHop);
    const branch = this.#layer.newBranch("0");
    const text = buildRequest(method, uri, [this.#via(flow, branch), ...headers], body);
    const exchange = new Exchange(method, this.patience);
    exchange.transaction = this.#layer.openClient({ method, branch, text, flow }, exchange);
    return exchange;
  }

  #via({ transport }: Flow, branch: string): readonly [string, string] {
    const sentBy = this.#host ?? transport.sentBy;
    return ["Via", `SIP/2.0/${viaName(transport.protocol)} ${sentBy};rport;branch=${branch}`];
  }

  #flowTo(uri: string): Flow {
    if (this.#connection !== undefined) return this.#connection;
    const hops = this.#resolver.resolve(parseUri(uri));
    const flow = hops instanceof Promise || hops.length === 0
      ? undefined
      : this.#parts.transports.flowTo(hops[0]);
    if (flow === undefined || flow instanceof Promise) throw new Error(`No flow to ${uri}`);
    return flow;
  }

  #handle(request: SipRequest, flow: Flow): void {
    if (request.method === "ACK") {
      this.dialogs.get(dialogKey(request.callId, request.toTag ?? ""))?.acknowledge(request);
      return;
    }
    // A CANCEL that finds no INVITE (RFC 3261 §9.2).
    if (request.method === "CANCEL") return this.#layer.replyStateless(request, flow, 481);
    const transaction = this.#layer.openServer(request, flow);
    const incoming = request.method === "INVITE"
      ? new IncomingCall(this, request, transaction)
      : new Incoming(this, request, transaction);
    this.#requests.put(incoming);
  }
}

/** Whether it is a protocol whose clients nobody can connect to (RFC 7118 §5.2.2). */
function isBrowsers(protocol: Protocol): boolean {
  return protocol === "ws" || protocol === "wss";
}
