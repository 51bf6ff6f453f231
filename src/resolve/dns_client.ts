import type { Clock } from "../lib/clock.ts";
import { isIpv6 } from "../lib/ip_address.ts";
import type { Metrics } from "../lib/metrics.ts";
import { encodeQuestion, MAX_DATAGRAM, readReply, type Reply } from "./dns_message.ts";
import type { Answer, Question } from "./dns_records.ts";

/** Where a name server is: an IP address without brackets, and a port. */
export interface NameServer {
  readonly address: string;
  readonly port: number;
}

/** Whom to ask, and how patiently. */
export interface DnsClientOptions {
  /** In the order they are asked. */
  readonly servers: readonly NameServer[];
  /** Milliseconds one server has for one answer. */
  readonly timeout: number;
  /** How often the whole list is gone through. */
  readonly attempts: number;
}

/** What the client needs. */
export interface DnsClientParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Names a question may be led to, one after the other. */
const MAX_ALIASES = 8;

/** Datagrams that are no answer, after which a question counts as lost: somebody is guessing. */
const MAX_STRANGERS = 32;

/**
 * Asks name servers that do recursion (RFC 1035): over UDP, each question from a port of its own with an id of its
 * own (RFC 5452), and over TCP what does not fit. Remembers nothing.
 */
export class DnsClient {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #options: DnsClientOptions;
  /** How to end what is under way. */
  readonly #open = new Set<() => void>();
  #isClosed = false;

  constructor({ clock, metrics }: DnsClientParts, options: DnsClientOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#options = options;
  }

  /** What the name servers know, aliases followed; undefined if none of them could say. Never rejects. */
  async ask({ name, type }: Question): Promise<Answer | undefined> {
    let current = name;
    let ttl: number | undefined;
    for (let i = 0; i < MAX_ALIASES; i++) {
      const reply = await this.#askAll({ name: current, type });
      if (reply?.kind === "answer") {
        const { answer } = reply;
        return ttl === undefined ? answer : { ...answer, ttl: Math.min(ttl, answer.ttl ?? ttl) };
      }
      if (reply?.kind !== "alias") return undefined;
      current = reply.name;
      ttl = Math.min(ttl ?? Infinity, reply.ttl ?? 0);
    }
    return undefined;
  }

  /** Ends what is under way: those who wait are told that nobody could say. */
  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#open]) end();
  }

  /** The first reply that says something. */
  async #askAll(question: Question): Promise<Reply | undefined> {
    const { servers, attempts } = this.#options;
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (const server of servers) {
        const reply = await this.#askOne(server, question);
        if (reply?.kind === "answer" || reply?.kind === "alias") return reply;
      }
    }
    return undefined;
  }

  async #askOne(server: NameServer, question: Question): Promise<Reply | undefined> {
    const reply = await this.#try(server, question, true);
    return reply?.kind === "refused" && reply.isFormat ? this.#try(server, question, false) : reply;
  }

  async #try(server: NameServer, question: Question, edns: boolean): Promise<Reply | undefined> {
    const reply = await this.#within(server, question, edns, askByUdp);
    return reply?.kind === "truncated" ? this.#within(server, question, edns, askByTcp) : reply;
  }

  /** One question to one server, given up when its time is over. */
  async #within(server: NameServer, question: Question, edns: boolean, ask: Ask): Promise<Reply | undefined> {
    if (this.#isClosed) return undefined;
    this.#metrics.dnsQueries++;
    const abort = new AbortController();
    const end = () => abort.abort();
    const stopTimer = this.#clock.every(this.#options.timeout, () => {
      if (!abort.signal.aborted) this.#metrics.dnsTimeouts++;
      end();
    });
    this.#open.add(end);
    const id = crypto.getRandomValues(new Uint16Array(1))[0];
    try {
      const bytes = encodeQuestion(question, id, edns);
      return await ask(server, bytes, (reply) => readReply(reply, question, id), abort.signal);
    } catch {
      // Its time is over, or the server cannot be reached: the next one is asked in both cases.
      return undefined;
    } finally {
      this.#open.delete(end);
      stopTimer();
    }
  }
}

/** Sends the bytes of a question, and returns the first reply `read` can make something of; rejects if none comes. */
type Ask = (
  server: NameServer,
  bytes: Uint8Array,
  read: (reply: Uint8Array) => Reply | undefined,
  signal: AbortSignal,
) => Promise<Reply | undefined>;

const askByUdp: Ask = async ({ address, port }, bytes, read, signal) => {
  const hostname = isIpv6(address) ? "::" : "0.0.0.0";
  using socket = closing(Deno.listenDatagram({ transport: "udp", hostname, port: 0 }), signal);
  const buffer = new Uint8Array(MAX_DATAGRAM);
  await socket.it.send(bytes, { transport: "udp", hostname: address, port });
  for (let strangers = 0; strangers < MAX_STRANGERS; strangers++) {
    const [received, from] = await socket.it.receive(buffer);
    const { hostname, port: source } = from as Deno.NetAddr;
    const reply = hostname === address && source === port ? read(received) : undefined;
    if (reply !== undefined) return reply;
  }
};

const askByTcp: Ask = async ({ address, port }, bytes, read, signal) => {
  using socket = closing(await Deno.connect({ hostname: address, port, signal }), signal);
  const question = new Uint8Array(2 + bytes.length);
  question[0] = bytes.length >> 8;
  question[1] = bytes.length & 0xff;
  question.set(bytes, 2);
  for (let written = 0; written < question.length;) {
    written += await socket.it.write(question.subarray(written));
  }
  const [high, low] = await readFully(socket.it, 2);
  return read(await readFully(socket.it, (high << 8) | low));
};

async function readFully(connection: Deno.TcpConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null) throw new Error("The name server closed the connection");
    filled += count;
  }
  return bytes;
}

/** Has a socket closed once: when it is no longer used, or when the signal says so. */
function closing<S extends { close(): void }>(it: S, signal: AbortSignal): Disposable & { readonly it: S } {
  let isOpen = true;
  const close = () => {
    if (isOpen) it.close();
    isOpen = false;
  };
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  return {
    it,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", close);
      close();
    },
  };
}
