import { setImmediate } from "node:timers";
import { bracketed, ipv4Number, isIpv6 } from "../lib/ip_address.ts";
import { type ByteArea, byteArea, encodeLatin1 } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Arrival } from "./arrival.ts";
import { FlowError, type SocketAddress, socketAddressText } from "./flow.ts";
import { EAGAIN, errorText, type Libc, pinned } from "./libc.ts";
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_ROW, sockaddrOf } from "./sockaddr.ts";
import { type DatagramSender, type FlowIds, MAX_PAYLOAD, UdpFlow, UdpFlowCache } from "./udp_flow.ts";

/**
 * UDP by the batch: one recvmmsg takes up to 64 datagrams, everything they cause is answered by one sendmmsg,
 * and one thread of the runtime's pool waits in poll for all sockets. Numbers are those of Linux.
 */

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
/** Like SO_RCVBUF and SO_SNDBUF, but past the system's limit, for those who may. */
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const EFD_NONBLOCK_CLOEXEC = 0o2004000;

/** Datagrams of one system call, either way. */
const BATCH = 64;
const MAX_DATAGRAM = 65_535;
/**
 * Bytes from one receive slot to the next: not a power of two, or the slots would all compete for the same few
 * lines of the processor's caches.
 */
const RECEIVE_STRIDE = MAX_DATAGRAM + 1 + 640;
/** Bytes of a send slot; a longer message brings memory of its own. */
const SEND_SLOT = 4096 + 320;

/** `struct mmsghdr`, in bytes and 32-bit words. */
const HEADER = 64;
const HEADER_WORDS = HEADER / 4;
const NAME_LENGTH_WORD = 2;
const RECEIVED_LENGTH_WORD = 14;
/** `struct iovec`. */
const IOVEC = 16;

/** Rows of mmsghdr with an address and a stretch of memory each, as recvmmsg and sendmmsg want them. */
class HeaderRows {
  readonly headers = pinned(BATCH * HEADER);
  readonly headerWords = new Uint32Array(this.headers.buffer);
  readonly names = pinned(BATCH * SOCKADDR_ROW);
  readonly nameWords = new Uint32Array(this.names.buffer);
  readonly #vectors = pinned(BATCH * IOVEC);
  readonly #vectorWords = new Uint32Array(this.#vectors.buffer);
  readonly #vectorBases = new BigUint64Array(this.#vectors.buffer);

  constructor(libc: Libc) {
    const headers = new BigUint64Array(this.headers.buffer);
    const names = libc.addressOf(this.names);
    const vectors = libc.addressOf(this.#vectors);
    for (let i = 0; i < BATCH; i++) {
      const row = i * HEADER / 8;
      headers[row] = names + BigInt(i * SOCKADDR_ROW);
      headers[row + 2] = vectors + BigInt(i * IOVEC);
      headers[row + 3] = 1n;
      this.headerWords[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_ROW;
    }
  }

  /** Points row `i` at `length` bytes of memory. */
  setVector(i: number, base: bigint, length: number): void {
    this.#vectorBases[i * 2] = base;
    this.setLength(i, length);
  }

  setLength(i: number, length: number): void {
    this.#vectorWords[i * 4 + 2] = length;
  }
}

/** What a reactor needs. */
export interface UdpReactorParts {
  readonly libc: Libc;
  readonly arrival: Arrival;
  readonly metrics: Metrics;
  readonly flowIds: FlowIds;
  /** Told of what those throw who are told of a datagram or a failure; the reactor goes on. */
  readonly onError: (error: unknown) => void;
}

/** How a UDP socket is to be set up. */
export interface UdpSocketOptions {
  /** Bytes of the kernel's buffers; it may grant less. */
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** Whether other processes may listen on the same port (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Peers remembered; see UdpFlowCache. */
  readonly maxFlows: number;
}

/**
 * Waits for all batched sockets of the process at once, and lets each read a batch in turn. With its last
 * socket it gives back the C library, and opens no more.
 */
export class UdpReactor {
  readonly #parts: UdpReactorParts;
  readonly #received: ReceiveArea;
  readonly #sockets: BatchSocket[] = [];
  readonly #retiring: { readonly socket: BatchSocket; readonly done: () => void }[] = [];
  /** An eventfd among the polled descriptors; -1 while nothing is polled. */
  #wakeUp = -1;
  #polled = pinned(0);
  /** What the poll in flight reads and writes: only this keeps it from being collected. */
  #inFlight = this.#polled;

  constructor(parts: UdpReactorParts) {
    this.#parts = parts;
    this.#received = new ReceiveArea(parts.libc);
  }

  /** Opens a socket and starts reading it; throws FlowError. */
  listen(address: SocketAddress, options: UdpSocketOptions): BatchSocket {
    const socket: BatchSocket = new BatchSocket(this.#parts, address, options, () => this.#retire(socket));
    this.#sockets.push(socket);
    const isRunning = this.#wakeUp >= 0;
    if (!isRunning) this.#wakeUp = openWakeUp(this.#parts.libc);
    this.#watch();
    if (isRunning) this.#wake();
    else this.#run().catch(this.#parts.onError);
    return socket;
  }

  /** For when no socket could be opened: the others give the C library back when the last of them closes. */
  abandon(): void {
    if (this.#sockets.length === 0) this.#parts.libc.close();
  }

  #wake(): void {
    const one = pinned(8);
    one[0] = 1;
    this.#parts.libc.call.write(this.#wakeUp, one, 8n);
  }

  /** `struct pollfd` of eight bytes a socket, the wake-up first. */
  #watch(): void {
    // New memory, not the old resized: a poll in flight still reads that.
    const polled = pinned((this.#sockets.length + 1) * 8);
    const view = new DataView(polled.buffer);
    [this.#wakeUp, ...this.#sockets.map(({ fd }) => fd)].forEach((fd, i) => {
      view.setInt32(i * 8, fd, true);
      view.setInt16(i * 8 + 4, POLLIN, true);
    });
    this.#polled = polled;
  }

  async #run(): Promise<void> {
    const { libc } = this.#parts;
    const wakeUps = pinned(8);
    while (this.#sockets.length > 0) {
      await this.#poll(-1);
      libc.call.read(this.#wakeUp, wakeUps, 8n);
      this.#release();
      for (let turn = 1; this.#retiring.length === 0 && this.#readAll(); turn++) {
        // setImmediate lets timers run but starves the runtime's own sockets; a poll now and then does not.
        if (turn % 8 === 0) await this.#poll(0);
        else await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
    libc.call.close(this.#wakeUp);
    this.#wakeUp = -1;
    libc.close();
  }

  #poll(timeout: number): Promise<number> {
    this.#inFlight = this.#polled;
    return this.#parts.libc.call.poll(this.#inFlight, BigInt(this.#sockets.length + 1), timeout);
  }

  /** Whether any socket had something to read. */
  #readAll(): boolean {
    let any = false;
    for (const socket of this.#sockets) {
      try {
        if (socket.readBatch(this.#received)) any = true;
      } catch (error) {
        any = true;
        this.#parts.onError(error);
      }
    }
    return any;
  }

  #retire(socket: BatchSocket): Promise<void> {
    return new Promise((done) => {
      this.#retiring.push({ socket, done });
      this.#wake();
    });
  }

  /** Closes the sockets that are to go, now that no poll is in flight that could see their numbers reused. */
  #release(): void {
    if (this.#retiring.length === 0) return;
    for (const { socket, done } of this.#retiring.splice(0)) {
      this.#sockets.splice(this.#sockets.indexOf(socket), 1);
      socket.release();
      done();
    }
    this.#watch();
  }
}

/** Memory for one batch of datagrams of any size; sockets take turns with it. */
class ReceiveArea {
  readonly rows: HeaderRows;
  readonly bytes: ByteArea;

  constructor(libc: Libc) {
    const memory = pinned(BATCH * RECEIVE_STRIDE);
    this.bytes = byteArea(memory);
    this.rows = new HeaderRows(libc);
    const base = libc.addressOf(memory);
    for (let i = 0; i < BATCH; i++) {
      this.rows.setVector(i, base + BigInt(i * RECEIVE_STRIDE), MAX_DATAGRAM);
    }
  }
}

/** One UDP socket, read and written by the batch. */
export class BatchSocket implements DatagramSender {
  readonly protocol = "udp";
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly fd: number;
  /** Bytes the kernel keeps for us while we are busy. */
  readonly receiveBuffer: number;

  readonly #parts: UdpReactorParts;
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
  #failed: UdpFlow[] = [];
  #flushIsDue = false;
  readonly #flush = () => this.flush();
  #closing: Promise<void> | undefined = undefined;

  constructor(
    parts: UdpReactorParts,
    address: SocketAddress,
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
    this.sentBy = socketAddressText(this.local);
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
    if (!this.#flushIsDue) {
      this.#flushIsDue = true;
      setImmediate(this.#flush);
    }
    return true;
  }

  /** Sends what waits, and tells of what could not be sent. */
  flush(): void {
    this.#flushIsDue = false;
    this.#sendAll();
    if (this.#failed.length > 0) this.#tellFailed();
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
      // The first of the rest cannot be sent: skip it and go on. SIP repeats what was dropped for want of room.
      metrics.sendsFailed++;
      if (libc.errno() !== EAGAIN) this.#failed.push(queue[at]);
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
    const failed = this.#failed;
    this.#failed = [];
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
    // Nothing there, or an error that belongs to an earlier datagram: neither concerns the next.
    if (count <= 0) return false;
    for (let i = 0; i < count; i++) {
      const start = i * RECEIVE_STRIDE;
      const end = start + rows.headerWords[i * HEADER_WORDS + RECEIVED_LENGTH_WORD];
      rows.headerWords[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_ROW;
      try {
        arrival.datagram(bytes, start, end, this.#flowTo(rows.nameWords, rows.names, i * SOCKADDR_ROW));
      } catch (error) {
        onError(error);
      }
    }
    return true;
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

/** What an IPv6 flow is known by: port and address, two bytes a char. */
function ipv6Key(words: Uint32Array, word: number): string {
  const a = words[word + 2];
  const b = words[word + 3];
  const c = words[word + 4];
  const d = words[word + 5];
  return String.fromCharCode(
    words[word] >>> 16,
    a >>> 16,
    a & 0xffff,
    b >>> 16,
    b & 0xffff,
    c >>> 16,
    c & 0xffff,
    d >>> 16,
    d & 0xffff,
  );
}

/** What an IPv4 flow is known by: address and port in one number. */
function ipv4Key(address: number, port: number): number {
  return address * 65_536 + port;
}

/** A word from the network, where the first byte is the highest. */
function byteSwapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function openWakeUp(libc: Libc): number {
  const fd = libc.call.eventfd(0, EFD_NONBLOCK_CLOEXEC);
  if (fd < 0) throw new FlowError(`Cannot make an eventfd: ${errorText(libc.errno())}`);
  return fd;
}

function openSocket(libc: Libc, address: SocketAddress, options: UdpSocketOptions): number {
  const { call } = libc;
  const v6 = isIpv6(address.address);
  const fd = call.socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new FlowError(`Cannot open a UDP socket: ${errorText(libc.errno())}`);
  const set = (level: number, option: number, value: number) => {
    const bytes = pinned(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return call.setsockopt(fd, level, option, bytes, 4) === 0;
  };
  if (options.reusePort) set(SOL_SOCKET, SO_REUSEPORT, 1);
  if (v6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBuffer)) {
    set(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
  }
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, options.sendBuffer)) set(SOL_SOCKET, SO_SNDBUF, options.sendBuffer);
  const name = pinned(SOCKADDR_ROW);
  const sockaddr = sockaddrOf(address);
  name.set(sockaddr);
  if (call.bind(fd, name, sockaddr.length) !== 0) {
    const reason = errorText(libc.errno());
    call.close(fd);
    throw new FlowError(`Cannot listen on udp:${bracketed(address.address)}:${address.port}: ${reason}`);
  }
  return fd;
}

/** What became of the receive buffer that was asked for; Linux counts its own needs as well, and so doubles it. */
function grantedBuffer(libc: Libc, fd: number): number {
  const value = pinned(4);
  const length = pinned(4);
  length[0] = 4;
  libc.call.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, length);
  return new DataView(value.buffer).getInt32(0, true) / 2;
}

function socketName(libc: Libc, fd: number): SocketAddress {
  const name = pinned(SOCKADDR_ROW);
  const length = pinned(4);
  length[0] = SOCKADDR_ROW;
  libc.call.getsockname(fd, name, length);
  return readSockaddr(name, 0);
}
