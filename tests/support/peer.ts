import { Inbox, type Patience } from "../../src/agent/inbox.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import {
  buildReply,
  buildRequest,
  type HeaderList,
  type NameAddr,
  SipRequest,
  SipResponse,
} from "../../src/sip/mod.ts";
import { Arrival, type SocketAddress } from "../../src/transport/mod.ts";
import type { MemoryListener, Network } from "./network.ts";

/** What is different from the usual in one request; a Max-Forwards of null is left out. */
export interface RequestWith {
  readonly to?: string;
  readonly from?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly maxForwards?: string | null;
  /** Header fields after the usual ones. */
  readonly headers?: HeaderList;
  /** Vias of those who sent it before, top first. */
  readonly vias?: readonly string[];
  readonly body?: string;
}

/** What is different from the usual in one response. */
export interface ResponseWith {
  readonly toTag?: string;
  readonly headers?: HeaderList;
  readonly body?: string;
}

/**
 * An endpoint with no behaviour of its own: it sends what it is told and keeps what arrives, copies and all.
 * What user agents do by themselves is left to the test.
 */
export class Peer {
  readonly sentBy: string;
  /** Everything that has arrived. */
  readonly received: (SipRequest | SipResponse)[] = [];
  readonly #listener: MemoryListener;
  readonly #server: SocketAddress;
  readonly #requests: Inbox<SipRequest>;
  readonly #responses: Inbox<SipResponse>;
  #count = 0;

  constructor(network: Network, local: SocketAddress, server: SocketAddress, patience: Patience) {
    this.#server = server;
    this.#requests = new Inbox(patience);
    this.#responses = new Inbox(patience);
    this.#listener = network.listen(
      local,
      new Arrival({
        metrics: new Metrics(),
        limits: { bytes: 65_535, headers: 256 },
        forceRport: false,
        receive: (message) => {
          this.received.push(message);
          if (message instanceof SipRequest) this.#requests.put(message);
          else this.#responses.put(message);
        },
      }),
    );
    this.sentBy = this.#listener.sentBy;
  }

  /** The text of a request of ours. */
  text(method: string, uri: string, options: RequestWith = {}): string {
    const id = `${this.sentBy}-${++this.#count}`.replace(/[[\]:]/g, "-");
    const { to = `<${uri}>`, from = `<sip:peer@${this.sentBy}>;tag=p${this.#count}`, cseq = 1 } = options;
    const { callId = id, branch = `z9hG4bK${id}`, maxForwards = "70", headers = [], vias = [] } = options;
    return buildRequest(method, uri, [
      ["Via", `SIP/2.0/UDP ${this.sentBy};branch=${branch}`],
      ...vias.map((via) => ["Via", via] as const),
      ...(maxForwards === null ? [] : [["Max-Forwards", maxForwards] as const]),
      ["From", from],
      ["To", to],
      ["Call-ID", callId],
      ["CSeq", `${cseq} ${method}`],
      ...headers,
    ], options.body);
  }

  /** Sends a request to the server, or to somebody else; returns its text. */
  send(method: string, uri: string, options: RequestWith = {}, to?: SocketAddress): string {
    const text = this.text(method, uri, options);
    this.sendText(text, to);
    return text;
  }

  sendText(text: string, to: SocketAddress = this.#server): void {
    this.#listener.connect(to).send(text);
  }

  /** Answers a request to whoever sent it. */
  reply(request: SipRequest, status: number, options: ResponseWith = {}): void {
    const { toTag = `t${this.sentBy}`.replace(/[[\]:]/g, "-"), headers, body } = options;
    this.sendText(buildReply(request, status, { toTag, headers, body }), {
      address: request.via.host,
      port: request.via.port ?? 5060,
    });
  }

  /** The URI it is reached at. */
  get contact(): string {
    return `sip:phone@${this.sentBy}`;
  }

  /** Registers our contact for an address of record; returns the final response, whatever it is. */
  register(aor: string, params = "", headers: HeaderList = []): Promise<SipResponse> {
    const uri = `sip:${aor.slice(aor.indexOf("@") + 1)}`;
    this.send("REGISTER", uri, {
      to: `<${aor}>`,
      headers: [["Contact", `<${this.contact}>${params}`], ...headers],
    });
    return this.final();
  }

  /** The next request of this method, there already or yet to come. */
  receives(method: string): Promise<SipRequest> {
    return this.#requests.take((request) => request.method === method, `${method} at ${this.sentBy}`);
  }

  /** The next response with this status, there already or yet to come. */
  hears(status: number): Promise<SipResponse> {
    return this.#responses.take((response) => response.status === status, `${status} at ${this.sentBy}`);
  }

  /** The next final response, whatever it is. */
  final(): Promise<SipResponse> {
    return this.#responses.take((response) => response.status >= 200, `a final response at ${this.sentBy}`);
  }

  /** The requests of a method that arrived, copies included. */
  requests(method: string): SipRequest[] {
    return this.received.filter((message) => message instanceof SipRequest)
      .filter((request) => request.method === method);
  }

  /** The statuses that arrived in response to a method, copies included. */
  statuses(method: string): number[] {
    return this.received.filter((message) => message instanceof SipResponse)
      .filter((response) => response.cseq.method === method)
      .map(({ status }) => status);
  }
}

/** The contacts of a response, each as it is written there. */
export function contactsOf(response: SipResponse): string[] {
  const { contacts } = response;
  return contacts === "*" ? ["*"] : contacts.map((contact: NameAddr) => String(contact));
}
