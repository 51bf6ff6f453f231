import { setImmediate } from "node:timers";
import { ipv4Number, isIpv6 } from "../lib/ip_address.ts";
import { encodeLatin1 } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Arrival } from "./arrival.ts";
import { type SocketAddress, socketAddressText } from "./flow.ts";
import { EAGAIN, type Libc, pinned } from "./libc.ts";
import { byteSwapped, ipv4Key, ipv6Key, readSockaddr, SOCKADDR_ROW, sockaddrOf } from "./sockaddr.ts";
import { type DatagramSender, type FlowIds, MAX_PAYLOAD, UdpFlow, UdpFlowCache } from "./udp_flow.ts";
import type { ErrorArea } from "./udp_errors.ts";
import {
  grantedBuffer,
  type ListenAddress,
  openSocket,
  socketName,
  type UdpSocketOptions,
} from "./udp_options.ts";
import {
  BATCH,
  HEADER,
  HEADER_WORDS,
  HeaderRows,
  NAME_LENGTH_WORD,
  RECEIVE_STRIDE,
  type ReceiveArea,
  RECEIVED_LENGTH_WORD,
} from "./udp_rows.ts";

const MSG_DONTWAIT = 0x40;

/** Bytes of a send slot; a longer message brings memory of its own. Not a power of two; see RECEIVE_STRIDE. */
const SEND_SLOT = 4096 + 320;

/** What batched sockets need. */
export interface BatchParts {
  readonly libc: Libc;
  readonly arrival: Arrival;
  readonly metrics: Metrics;
  readonly flowIds: FlowIds;
  /** Told of what those throw who are told of a datagram or a failure; reading goes on. */
  readonly onError: (error: unknown) => void;
  /** Called before datagrams are taken. */
  readonly onTurn: () => void;
  /** Memory that all sockets share. */
  readonly errors: ErrorArea;
}

/** One UDP socket, read and written by the batch. */
export class BatchSocket implements DatagramSender {
  readonly protocol = "udp";
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly fd: number;
  /** Bytes the kernel keeps for us while we are busy. */
  readonly receiveBuffer: number;

  readonly #parts: BatchParts;
  readonly #retire: () => Promise<void>;
  readonly #isIpv6: boolean;
  /** By the address in a packet. */
  readonly #flows: UdpFlowCache<number | string>;
  /** By the address as it is written; for IPv4 both are one number, and these one cache. */
  readonly #named: UdpFlowCache<number | string>;
  #lastKey: number | string = -1;
  #lastFlow: UdpFlow | undefined = undefined;

  readonly #out: HeaderRows;
  readonly #slots: Uint8Array<ArrayBuffer>[];
  readonly #slotBases: bigint[];
  /** The flow each waiting message goes to. */
  readonly #queue: UdpFlow[] = [];
  /** Memory of messages too long for a slot, reachable until they are sent. */
  readonly #long: Uint8Array<ArrayBuffer>[] = [];
  /** Flows that took a message which could not be sent, and whose watchers do not know yet. */
  readonly #failed = new Set<UdpFlow>();
  #flushIsDue = false;
  readonly #flush = () => this.flush();
  #closing: Promise<void> | undefined = undefined;

  constructor(
    parts: BatchParts,
    address: ListenAddress,
    options: UdpSocketOptions,
    retire: () => Promise<void>,
  ) {
    const { libc } = parts;
    this.#parts = parts;
    this.#retire = retire;
    this.#isIpv6 = isIpv6(address.address);
    this.#flows = new UdpFlowCache(options.maxFlows);
    this.#named = this.#isIpv6 ? new UdpFlowCache(options.maxFlows) : this.#flows;
    this.#out = new HeaderRows(libc);
    const memory = pinned(BATCH * SEND_SLOT);
    const base = libc.addressOf(memory);
    this.#slots = Array.from(
      { length: BATCH },
      (_, i) => memory.subarray(i * SEND_SLOT, (i + 1) * SEND_SLOT),
    );
    this.#slotBases = this.#slots.map((_, i) => base + BigInt(i * SEND_SLOT));
    this.#slotBases.forEach((slot, i) => this.#out.setVector(i, slot, 0));
    this.fd = openSocket(libc, address, options);
    this.local = socketName(libc, this.fd);
    this.receiveBuffer = grantedBuffer(libc, this.fd);
    this.sentBy = address.advertise ?? socketAddressText(this.local);
  }

  connect(remote: SocketAddress): UdpFlow {
    const { address, port } = remote;
    // Whoever is often written to is found by what he is called, without making his address anew.
    const key = this.#isIpv6 ? `${address} ${port}` : ipv4Key(ipv4Number(address), port);
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const name = pinned(SOCKADDR_ROW);
    name.set(sockaddrOf(remote));
    const flow = this.#flowTo(new Uint32Array(name.buffer), name, 0);
    this.#named.set(key, flow);
    return flow;
  }

  find(remote: SocketAddress): UdpFlow {
    return this.connect(remote);
  }

  sendTo(flow: UdpFlow, text: string): boolean {
    if (text.length > MAX_PAYLOAD || this.#closing !== undefined) {
      this.#parts.metrics.sendsFailed++;
      return false;
    }
    const { length } = this.#queue;
    if (text.length <= SEND_SLOT) {
      this.#out.setLength(length, encodeLatin1(text, this.#slots[length]));
    } else {
      const memory = pinned(text.length);
      this.#long.push(memory);
      this.#out.setVector(length, this.#parts.libc.addressOf(memory), encodeLatin1(text, memory));
    }
    const { nameWords, headerWords } = this.#out;
    const { socketAddress } = flow;
    const row = length * SOCKADDR_ROW / 4;
    for (let i = 0; i < socketAddress.length; i++) nameWords[row + i] = socketAddress[i];
    headerWords[length * HEADER_WORDS + NAME_LENGTH_WORD] = socketAddress.length * 4;
    this.#queue.push(flow);
    if (length + 1 === BATCH) this.#sendAll();
    this.#flushSoon();
    return true;
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(this.#flush);
  }

  /** Sends what waits, and tells of what could not be sent. */
  flush(): void {
    this.#flushIsDue = false;
    this.#sendAll();
    if (this.#failed.size > 0) this.#tellFailed();
  }

  #sendAll(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    const { libc, metrics } = this.#parts;
    for (let at = 0; at < queue.length;) {
      const rows = this.#out.headers.subarray(at * HEADER);
      const sent = libc.call.sendmmsg(this.fd, rows, queue.length - at, MSG_DONTWAIT);
      if (sent > 0) {
        at += sent;
        continue;
      }
      const errno = libc.errno();
      // Most likely it is the fate of an earlier datagram, to whomever, that is told only now.
      if (errno !== EAGAIN && this.readErrors()) continue;
      // The first of the rest cannot be sent: skip it and go on. SIP repeats what was dropped for want of room.
      metrics.sendsFailed++;
      if (errno !== EAGAIN) this.#failed.add(queue[at]);
      at++;
    }
    metrics.messagesSent += queue.length;
    queue.length = 0;
    if (this.#long.length > 0) {
      this.#long.length = 0;
      this.#slotBases.forEach((slot, i) => this.#out.setVector(i, slot, 0));
    }
  }

  #tellFailed(): void {
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const flow of failed) {
      try {
        flow.failed();
      } catch (error) {
        this.#parts.onError(error);
      }
    }
  }

  /** Takes one batch of datagrams, if any wait, and hands each up; whether there were any. */
  readBatch(area: ReceiveArea): boolean {
    const { libc, arrival, onError } = this.#parts;
    const { rows, bytes } = area;
    const count = libc.call.recvmmsg(this.fd, rows.headers, BATCH, MSG_DONTWAIT, 0n);
    if (count < 0) {
      // Nothing there, or the fate of what was sent before.
      return libc.errno() !== EAGAIN && this.readErrors();
    }
    for (let i = 0; i < count; i++) {
      const start = i * RECEIVE_STRIDE;
      const end = start + rows.headerWords[i * HEADER_WORDS + RECEIVED_LENGTH_WORD];
      rows.headerWords[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_ROW;
      const flow = this.#flowTo(rows.nameWords, rows.names, i * SOCKADDR_ROW);
      flow.isGone = false;
      try {
        arrival.datagram(bytes, start, end, flow);
      } catch (error) {
        onError(error);
      }
    }
    return true;
  }

  /** Takes what came back for datagrams sent before, for the next flush to tell of; whether anything had. */
  readErrors(): boolean {
    const { errors, metrics } = this.#parts;
    const { names, nameWords } = errors.rows;
    const count = errors.read(this.fd, (error, row) => {
      if (error === "ignored") return;
      metrics.sendsFailed++;
      const flow = this.#flowTo(nameWords, names, row * SOCKADDR_ROW);
      // Until something is heard from it, even if that comes before anybody is told.
      if (error === "refused") flow.isGone = true;
      this.#failed.add(flow);
    });
    if (this.#failed.size > 0) this.#flushSoon();
    return count > 0;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#retire();
  }

  /** Gives the descriptor back; only the reactor knows when. */
  release(): void {
    this.flush();
    this.#parts.libc.call.close(this.fd);
  }

  /** The flow to the address at `at` in `bytes`, which is also in `words`. */
  #flowTo(words: Uint32Array, bytes: Uint8Array<ArrayBuffer>, at: number): UdpFlow {
    const word = at / 4;
    // Family and port share the first word; an IPv4 address is the second.
    const key = this.#isIpv6
      ? ipv6Key(words, word)
      : ipv4Key(byteSwapped(words[word + 1]), byteSwapped(words[word]) & 0xffff);
    if (key === this.#lastKey) return this.#lastFlow!;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      const length = this.#isIpv6 ? 7 : 4;
      const remote = readSockaddr(bytes, at);
      flow = new UdpFlow(this.#parts.flowIds.next(), this, remote, words.slice(word, word + length));
      this.#flows.set(key, flow);
    }
    this.#lastKey = key;
    this.#lastFlow = flow;
    return flow;
  }
}
