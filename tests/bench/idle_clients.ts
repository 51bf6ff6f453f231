import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { TextLineStream } from "@std/streams/text-line-stream";
import { authority } from "../support/certificates.ts";
import { streamRegister } from "../support/requests.ts";

/**
 * Phones that hold a connection each, register once, and then only keep it alive. Run by connections.ts, several
 * processes of them because each may have only so many open files:
 *
 *     idle_clients.ts tcp|tls|ws HOST PORT SOURCE FIRST COUNT SECONDS
 *
 * Prints "ready" when all are registered; keeps them alive for SECONDS once told so by a line; prints what came of
 * it as JSON; and ends when its input does.
 */
const [kind, host, port, source, first, count, seconds] = Deno.args;

/** Seconds between two keep-alives of one connection: within the two minutes that RFC 5626 §4.4.1 gives them. */
const PERIOD = 25;
/** Connections that are being opened at the same time. */
const AT_ONCE = 32;
/** Milliseconds the last answers may take. */
const LAST_ANSWERS = 10_000;

const PING = "\r\n\r\n";
const UPGRADE = `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/** A frame of a client (RFC 6455 §5.2), masked by zeros: they are as good as any other key. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126
    ? [0x80 | opcode, 0x80 | length]
    : [0x80 | opcode, 0x80 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

class IdleClient {
  static lost = 0;
  static pings = 0;
  static pongs = 0;

  readonly #socket: Socket;
  readonly #registered = Promise.withResolvers<void>();
  #received: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #isClosing = false;

  constructor(readonly index: number) {
    const tcp = connectTcp({ host, port: Number(port), localAddress: source });
    this.#socket = kind === "tls"
      ? connectTls({ socket: tcp, servername: "example.com", ca: authority() })
      : tcp;
    this.#socket.on(kind === "tls" ? "secureConnect" : "connect", () => this.#connected());
    this.#socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#socket.on("error", (error: Error) => this.#registered.reject(error));
    this.#socket.on("close", () => this.#closed());
  }

  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  ping(): void {
    IdleClient.pings++;
    this.#send(PING);
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  #connected(): void {
    if (kind === "ws") this.#socket.write(UPGRADE);
    else this.#register();
  }

  #register(): void {
    const { localAddress, localPort } = this.#socket;
    const sentBy = kind === "ws" ? `c${this.index}.invalid` : `${localAddress}:${localPort}`;
    const user = `idle${this.index}`;
    const protocol = kind.toUpperCase() as "TCP" | "TLS" | "WS";
    this.#send(
      streamRegister(user, `sip:${user}@${sentBy};transport=${kind}`, { sentBy, id: user, protocol }),
    );
  }

  #send(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.#socket.write(kind === "ws" ? frame(1, bytes) : bytes);
  }

  #take(bytes: Buffer): void {
    if (kind !== "ws") return this.#said(bytes.toString("latin1"));
    this.#received = Buffer.concat([this.#received, bytes]);
    if (!this.#isUpgraded) {
      const end = this.#received.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#isUpgraded = true;
      this.#received = this.#received.subarray(end + 4);
      this.#register();
    }
    for (;;) {
      const { length } = this.#received;
      if (length < 2) return;
      const isLong = this.#received[1] === 126;
      if (isLong && length < 4) return;
      const size = isLong ? this.#received.readUInt16BE(2) : this.#received[1];
      const start = isLong ? 4 : 2;
      if (length < start + size) return;
      const opcode = this.#received[0] & 15;
      const payload = this.#received.subarray(start, start + size);
      this.#received = Buffer.from(this.#received.subarray(start + size));
      if (opcode === 9) this.#socket.write(frame(10, payload));
      else if (opcode === 1 || opcode === 2) this.#said(payload.toString("latin1"));
    }
  }

  #said(text: string): void {
    if (text === "\r\n") IdleClient.pongs++;
    else if (text.startsWith("SIP/2.0 200 ")) this.#registered.resolve();
    else this.#registered.reject(new Error(`Not registered: ${text}`));
  }

  #closed(): void {
    if (!this.#isClosing) IdleClient.lost++;
    this.#registered.reject(new Error("The connection was closed"));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const clients: IdleClient[] = [];

async function openAll(): Promise<void> {
  let next = 0;
  const open = async () => {
    while (next < Number(count)) {
      const client = new IdleClient(Number(first) + next++);
      clients.push(client);
      await client.registered;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
}

/** Keeps all of them alive, evenly spread over time. */
async function keepAlive(): Promise<void> {
  const start = performance.now();
  const total = Math.floor(Number(seconds) / PERIOD * clients.length);
  while (IdleClient.pings < total) {
    const due = (performance.now() - start) / 1_000 / PERIOD * clients.length;
    while (IdleClient.pings < Math.min(total, due)) clients[IdleClient.pings % clients.length].ping();
    await pause(10);
  }
  for (
    const end = performance.now() + LAST_ANSWERS;
    IdleClient.pongs < total && performance.now() < end;
  ) await pause(10);
}

const lineStream: TransformStream<string, string> = new TextLineStream();
const orders = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream).getReader();

await openAll();
console.log("ready");
await orders.read();
await keepAlive();
const { pings, pongs, lost } = IdleClient;
console.log(JSON.stringify({ pings, pongs, lost }));
await orders.read();
for (const client of clients) client.close();
