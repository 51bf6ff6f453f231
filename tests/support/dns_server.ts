import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Question,
  TRUNCATED_RESPONSE,
} from "dns-packet";

/** Seconds that are of no concern to the test. */
const TTL = 300;

/** Aliases of one answer. */
const LONGEST_CHAIN = 20;

/** What is different from the usual in one zone. */
export interface ZoneOptions {
  /** Seconds for which it may be remembered that there is nothing; undefined: the zone has no SOA. */
  readonly negativeTtl?: number;
  /** Whether it tells of an alias, and not what that stands for. */
  readonly leavesAliases?: boolean;
}

/** How a server deals with a question. */
export interface Behaviour {
  /** Says nothing. */
  readonly isSilent?: boolean;
  /** Refuses with this code: 1 is FORMERR, 2 SERVFAIL, 5 REFUSED. */
  readonly code?: number;
  /** Over UDP, says that there is more over TCP. */
  readonly truncates?: boolean;
  /** Forged answers that come before the right one. */
  readonly forgeries?: readonly ("id" | "question" | "server")[];
  /** Says it when this is there. */
  readonly after?: Promise<void>;
}

const RESPONSE_CODE_BITS = 0x0f;

/** A name server on the loopback: its zone is data, and what it does with questions can be chosen. */
export class DnsServer implements AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** The questions that came: `udp a.example A`. */
  readonly asked: string[] = [];
  /** Bytes of datagrams the last question allowed for; undefined if it did not say. */
  lastPayload: number | undefined = undefined;
  /** The ports the questions came from. */
  readonly sources: number[] = [];
  /** What it does with a question. */
  behave: (question: Question, isUdp: boolean) => Behaviour = () => ({});
  readonly #records: Answer[];
  readonly #options: ZoneOptions;
  readonly #udp: Deno.DatagramConn;
  readonly #tcp: Deno.TcpListener;
  readonly #other = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #running: Promise<unknown>;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #waiting: { readonly count: number; readonly wake: () => void }[] = [];

  private constructor(
    records: Answer[],
    options: ZoneOptions,
    tcp: Deno.TcpListener,
    udp: Deno.DatagramConn,
  ) {
    this.#records = records;
    this.#options = options;
    this.#tcp = tcp;
    this.#udp = udp;
    const { hostname, port } = udp.addr as Deno.NetAddr;
    this.address = hostname;
    this.port = port;
    this.#running = Promise.all([this.#readDatagrams(), this.#accept()]);
  }

  /** A server for these records, at a port that is free for UDP and for TCP. */
  static of(records: readonly Answer[], options: ZoneOptions = { negativeTtl: 30 }): DnsServer {
    const hostname = "127.0.0.1";
    for (;;) {
      const tcp = Deno.listen({ hostname, port: 0 });
      const { port } = tcp.addr as Deno.NetAddr;
      try {
        return new DnsServer(
          [...records],
          options,
          tcp,
          Deno.listenDatagram({ transport: "udp", hostname, port }),
        );
      } catch (error) {
        tcp.close();
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
  }

  /** Replaces the zone. */
  serve(...records: readonly Answer[]): void {
    this.#records.splice(0, Infinity, ...records);
  }

  /** Resolves when so many questions have come in all. */
  hasHeard(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((wake) => this.#waiting.push({ count, wake }));
  }

  async close(): Promise<void> {
    this.#udp.close();
    this.#other.close();
    this.#tcp.close();
    for (const connection of this.#connections) connection.close();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readDatagrams(): Promise<void> {
    const replies: Promise<void>[] = [];
    for await (const [bytes, from] of this.#udp) {
      this.sources.push((from as Deno.NetAddr).port);
      replies.push(this.#answer(bytes, true, async (reply, isForged) => {
        await (isForged ? this.#other : this.#udp).send(reply, from);
      }));
    }
    await Promise.allSettled(replies);
  }

  async #accept(): Promise<void> {
    const conversations: Promise<void>[] = [];
    for await (const connection of this.#tcp) {
      this.#connections.add(connection);
      conversations.push(this.#converse(connection));
    }
    await Promise.allSettled(conversations);
  }

  async #converse(connection: Deno.TcpConn): Promise<void> {
    const reader = new Uint8Array(4_096);
    try {
      let got = Buffer.alloc(0);
      for (let count = await connection.read(reader); count !== null; count = await connection.read(reader)) {
        got = Buffer.concat([got, reader.subarray(0, count)]);
        if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) continue;
        await this.#answer(got.subarray(2), false, async (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          // In pieces, as it may come.
          await connection.write(length);
          await connection.write(reply.subarray(0, 5));
          await connection.write(reply.subarray(5));
        });
        got = Buffer.alloc(0);
      }
    } finally {
      if (this.#connections.delete(connection)) connection.close();
    }
  }

  async #answer(
    bytes: Uint8Array,
    isUdp: boolean,
    send: (reply: Uint8Array, isFromElsewhere: boolean) => Promise<void>,
  ): Promise<void> {
    const query = decode(Buffer.from(bytes));
    const question = query.questions![0];
    const option = query.additionals!.find((record) => record.type === "OPT");
    this.lastPayload = option?.udpPayloadSize;
    const { isSilent, code, truncates, forgeries = [], after } = this.behave(question, isUdp);
    this.#note(`${isUdp ? "udp" : "tcp"} ${question.name} ${question.type}`);
    if (isSilent) return;
    await after;
    const forged: Answer[] = [{ type: "A", name: question.name, ttl: TTL, data: "203.0.113.66" }];
    for (const forgery of forgeries) {
      const id = forgery === "id" ? (query.id! + 1) & 0xffff : query.id!;
      const questions = forgery === "question" ? [{ ...question, name: "other.example" }] : [question];
      await send(encode({ type: "response", id, questions, answers: forged }), forgery === "server");
    }
    await send(this.#reply(query.id!, question, { code, truncates: truncates && isUdp }), false);
  }

  #reply(id: number, question: Question, { code, truncates }: Behaviour): Uint8Array {
    const answers = code === undefined ? this.#chain(question) : [];
    const isKnown = this.#records.some(({ name }) => name === question.name);
    const { negativeTtl } = this.#options;
    const authorities: Answer[] =
      answers.some(({ type }) => type === question.type) || negativeTtl === undefined ? [] : [{
        type: "SOA",
        name: "example",
        ttl: negativeTtl,
        data: { mname: "ns.example", rname: "admin.example", minimum: negativeTtl },
      }];
    const bytes = encode({
      type: "response",
      id,
      flags: AUTHORITATIVE_ANSWER | (truncates ? TRUNCATED_RESPONSE : 0),
      questions: [question],
      answers: truncates ? answers.slice(0, 1) : answers,
      authorities: code === undefined ? authorities : [],
    });
    bytes[3] |= (code ?? (isKnown ? 0 : 3)) & RESPONSE_CODE_BITS;
    return bytes;
  }

  /** The records of a name, and of those it is an alias of. */
  #chain({ name, type }: Question, depth = 0): Answer[] {
    const own = this.#records.filter((record) => record.name === name);
    const found = own.filter((record) => record.type === type);
    const alias = own.find((record) => record.type === "CNAME") as { data: string } & Answer | undefined;
    if (found.length > 0 || alias === undefined) return found;
    const isEnough = depth === LONGEST_CHAIN || this.#options.leavesAliases;
    return isEnough ? [alias] : [alias, ...this.#chain({ name: alias.data, type }, depth + 1)];
  }

  #note(text: string): void {
    this.asked.push(text);
    for (const { count, wake } of this.#waiting) if (this.asked.length >= count) wake();
  }
}

/** An A or AAAA record. */
export function host(name: string, address: string, ttl = TTL): Answer {
  return { type: address.includes(":") ? "AAAA" : "A", name, ttl, data: address };
}

/** An SRV record. */
export function srv(name: string, priority: number, weight: number, port: number, target: string): Answer {
  return { type: "SRV", name, ttl: TTL, data: { priority, weight, port, target } };
}

/** A NAPTR record as RFC 3263 §4.1 has it. */
export function naptr(name: string, order: number, preference: number, services: string, to: string): Answer {
  const data = { order, preference, flags: "s", services, regexp: "", replacement: to };
  return { type: "NAPTR", name, ttl: TTL, data };
}

/** A name that is another's alias. */
export function alias(name: string, data: string, ttl = TTL): Answer {
  return { type: "CNAME", name, ttl, data };
}
