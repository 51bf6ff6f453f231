import { setImmediate } from "node:timers";
import { encodeLatin1 } from "../../src/lib/latin1.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { type Flow, openListeners, type SocketAddress, type Transport } from "../../src/transport/mod.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

/**
 * How much memory a binding takes, and how long a phone waits for its 200 while all of them refresh.
 *
 *     deno run -A tests/bench/bindings.ts [bindings=1000000] [rate=20000] [seconds=60]
 *
 * Starts a server of its own, registers distinct addresses of record with contacts of 120 bytes, and then
 * refreshes them at an even rate. A request that is not answered within ten seconds is counted as lost.
 */
const [bindings = 1_000_000, rate = 20_000, seconds = 60] = Deno.args.map(Number);

const CONTACT_BYTES = 120;
/** Requests on their way at a time while registering. */
const WINDOW = 256;
const LOST_AFTER = 10_000;

class Phones {
  /** When request i was sent, by i modulo the length. */
  readonly sentAt = new Float64Array(1 << 20);
  readonly latencies: number[] = [];
  answered = 0;
  onAnswer: () => void = () => {};
  #flow!: Flow;
  #transport!: Transport;

  constructor(server: SocketAddress) {
    // Only what the measurement needs of an answer is read: the number in its Call-ID's CSeq.
    const arrival = {
      datagram: (bytes: Uint8Array, start: number, end: number) => this.#take(bytes, start, end),
    };
    openListeners({
      arrival: arrival as never,
      metrics: new Metrics(),
      log: silentLogger,
      onOpen: (transport) => this.#transport = transport,
    }, {
      listen: [{ protocol: "udp", address: "127.0.0.1", port: 0 }],
      udpIo: "auto",
      udp: { receiveBuffer: 8 << 20, sendBuffer: 8 << 20, reusePort: false, maxFlows: 16 },
    });
    this.#flow = this.#transport.connect(server) as Flow;
  }

  send(i: number): void {
    const user = i % bindings;
    const contact = `sip:user${user}@127.0.0.1:${this.#transport.local.port};x=`.padEnd(CONTACT_BYTES, "x");
    this.sentAt[i % this.sentAt.length] = performance.now();
    this.#flow.send(
      `REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP ${this.#transport.sentBy};rport;branch=z9hG4bK${i}\r\n` +
        `Max-Forwards: 70\r\nFrom: <sip:user${user}@example.com>;tag=t\r\nTo: <sip:user${user}@example.com>\r\n` +
        `Call-ID: call-${user}@127.0.0.1\r\nCSeq: ${
          i + 1
        } REGISTER\r\nContact: <${contact}>;expires=3600\r\n` +
        "Content-Length: 0\r\n\r\n",
    );
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    // "SIP/2.0 200 OK": anything else is told at once.
    if (bytes[start + 8] !== 0x32) throw new Error(new TextDecoder().decode(bytes.subarray(start, end)));
    const i = cseqOf(bytes, start, end) - 1;
    this.latencies.push(performance.now() - this.sentAt[i % this.sentAt.length]);
    this.answered++;
    this.onAnswer();
  }
}

const CSEQ = new Uint8Array(8);
encodeLatin1("\r\nCSeq: ", CSEQ);

function cseqOf(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    let matched = 0;
    while (matched < CSEQ.length && bytes[at + matched] === CSEQ[matched]) matched++;
    if (matched < CSEQ.length) continue;
    let number = 0;
    for (let i = at + matched; bytes[i] >= 0x30 && bytes[i] <= 0x39; i++) {
      number = number * 10 + bytes[i] - 0x30;
    }
    return number;
  }
  return 0;
}

async function residentKib(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sends all of them, `WINDOW` on their way at a time. */
async function registerAll(phones: Phones): Promise<void> {
  let sent = 0;
  let moved = performance.now();
  phones.onAnswer = () => {
    moved = performance.now();
    if (sent < bindings) phones.send(sent++);
  };
  while (sent < Math.min(WINDOW, bindings)) phones.send(sent++);
  while (phones.answered < bindings) {
    await turn();
    if (performance.now() - moved > LOST_AFTER) throw new Error(`Only ${phones.answered} were answered`);
  }
  phones.onAnswer = () => {};
}

/** Sends `rate` a second, evenly, for `seconds`; how many were not answered. */
async function refresh(phones: Phones): Promise<number> {
  phones.latencies.length = 0;
  phones.answered = 0;
  const start = performance.now();
  const total = rate * seconds;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((performance.now() - start) / 1_000 * rate));
    // A pause of our own must not become a burst the server never saw coming from so many phones.
    for (const stop = Math.min(due, sent + 64); sent < stop;) phones.send(bindings + sent++);
    await turn();
  }
  for (const end = performance.now() + LOST_AFTER; phones.answered < total && performance.now() < end;) {
    await turn();
  }
  return total - phones.answered;
}

await using server = await SluiceProcess.start(["--log.level", "warning", "--drainTime", "0"]);
const phones = new Phones(server.address);
const empty = await residentKib(server.pid);
const start = performance.now();
await registerAll(phones);
const took = (performance.now() - start) / 1_000;
const filled = await residentKib(server.pid);
console.log(`${bindings} bindings registered in ${took.toFixed(1)} s (${Math.round(bindings / took)}/s)`);
console.log(
  `memory: ${empty} KiB empty, ${filled} KiB with them: ${
    ((filled - empty) / bindings).toFixed(3)
  } KiB a binding`,
);

const lost = await refresh(phones);
const sorted = Float64Array.from(phones.latencies).sort();
const at = (share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2);
const after = await residentKib(server.pid);
console.log(`refreshing ${rate}/s for ${seconds} s: ${sorted.length} answered, ${lost} lost`);
console.log(`latency ms: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, worst ${at(1)}`);
console.log(
  `memory after refreshing: ${after} KiB: ${((after - empty) / bindings).toFixed(3)} KiB a binding`,
);
await phones.close();
