import { latin1Bytes } from "../../src/lib/latin1.ts";
import type { SocketAddress } from "../../src/transport/mod.ts";

const decoder = new TextDecoder("latin1");

/** Milliseconds an answer that must come may take. */
const LIMIT = 10_000;

/** A bare UDP socket beside the server: sends bytes as they are and hears what comes back. */
export class Wire {
  readonly #socket: Deno.DatagramConn;
  readonly #server: Deno.NetAddr;
  #probes = 0;

  constructor({ address, port }: SocketAddress) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: address, port: 0 });
    this.#server = { transport: "udp", hostname: address, port };
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(bytes: Uint8Array | string): Promise<void> {
    await this.#socket.send(typeof bytes === "string" ? latin1Bytes(bytes) : bytes, this.#server);
  }

  /** Asks the server an OPTIONS, and returns what it says until it answers that: what was sent before is done by then. */
  async answersUntilProbe(): Promise<string[]> {
    const id = `probe${++this.#probes}`;
    await this.send(
      `OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${this.port};rport;branch=z9hG4bK${id}\r\n` +
        `Max-Forwards: 70\r\nFrom: <sip:probe@example.com>;tag=${id}\r\nTo: <sip:example.com>\r\n` +
        `Call-ID: ${id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
    );
    const answers: string[] = [];
    for (;;) {
      const text = await this.#receive(id);
      if (text.includes(`\r\nCall-ID: ${id}\r\n`)) {
        if (!text.startsWith("SIP/2.0 200 ")) {
          throw new Error(`The probe was answered ${text.split("\r\n")[0]}`);
        }
        return answers;
      }
      answers.push(text);
    }
  }

  close(): void {
    this.#socket.close();
  }

  async #receive(what: string): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`No answer to ${what} in ${LIMIT} ms`)), LIMIT);
    try {
      const [bytes] = await Promise.race([this.#socket.receive(new Uint8Array(65_535)), late]);
      return decoder.decode(bytes);
    } finally {
      clearTimeout(timer);
    }
  }
}
