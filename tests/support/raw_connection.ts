import { latin1Bytes } from "../../src/lib/latin1.ts";
import type { SocketAddress } from "../../src/transport/mod.ts";

const decoder = new TextDecoder("latin1");

/** Milliseconds what must come may take. */
const LIMIT = 20_000;

/** A bare connection to the server: sends bytes as they are, and reads only when it is told to. */
export class RawConnection {
  readonly #conn: Deno.Conn;
  /** What was read and not yet asked for, and where that begins. */
  #text = "";
  #at = 0;
  #isClosed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open({ address: hostname, port }: SocketAddress): Promise<RawConnection> {
    return new RawConnection(await Deno.connect({ hostname, port }));
  }

  /** Connects by TLS to who must be `name` by a certificate that `ca` has signed, in PEM. */
  static async secure(
    { address, port }: SocketAddress,
    ca: string,
    name = "example.com",
  ): Promise<RawConnection> {
    const conn = await Deno.connect({ hostname: address, port });
    const secured = await Deno.startTls(conn, { hostname: name, caCerts: [ca] });
    await secured.handshake();
    return new RawConnection(secured);
  }

  /** Connects and has it made a WebSocket. */
  static async upgraded(at: SocketAddress): Promise<RawConnection> {
    const connection = await RawConnection.open(at);
    await connection.write(
      `GET / HTTP/1.1\r\nHost: ${at.address}:${at.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Protocol: sip\r\n\r\n",
    );
    const answer = await connection.until("\r\n\r\n");
    if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(`No WebSocket: ${answer.split("\r\n")[0]}`);
    return connection;
  }

  /** As a Via and a Contact name us. */
  get name(): string {
    const { hostname, port } = this.#conn.localAddr as Deno.NetAddr;
    return `${hostname}:${port}`;
  }

  /** Resolves when the system has taken all of it; rejects when the connection is gone. */
  async write(what: string | Uint8Array): Promise<void> {
    let bytes = typeof what === "string" ? latin1Bytes(what) : what;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  /** What has come up to the next `mark`, and the mark; rejects when the connection ends before or is too slow. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const found = this.#text.indexOf(mark, this.#at);
      if (found >= 0) {
        const text = this.#text.slice(this.#at, found + mark.length);
        this.#at = found + mark.length;
        return text;
      }
      if (await this.#read() === undefined) {
        throw new Error(`The connection has ended, after ${JSON.stringify(this.#text.slice(this.#at))}`);
      }
    }
  }

  /** The next message that has no body. */
  message(): Promise<string> {
    return this.until("\r\n\r\n");
  }

  /** Reads the next `count` bytes at most, and leaves the rest where it is. */
  async part(count: number): Promise<string> {
    const bytes = new Uint8Array(count);
    const length = await this.#conn.read(bytes);
    return decoder.decode(bytes.subarray(0, length ?? 0));
  }

  /** Reads on until the other side ends the connection; all that has come since. */
  async rest(): Promise<string> {
    while (await this.#read() !== undefined);
    const text = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return text;
  }

  /** Ends it; with bytes that were not read, the other side sees it reset. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Undefined: the other side has ended it. */
  async #read(): Promise<true | undefined> {
    const bytes = new Uint8Array(65_536);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`Nothing came for ${LIMIT} ms`)), LIMIT);
    try {
      const length = await Promise.race([this.#conn.read(bytes).catch(endOfReset), late]);
      if (length === null) return undefined;
      // What was asked for is let go of now and then.
      this.#text = this.#text.slice(this.#at) + decoder.decode(bytes.subarray(0, length));
      this.#at = 0;
      return true;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A reset is an end like any other; everything else is an error. */
function endOfReset(error: unknown): null {
  if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.UnexpectedEof) return null;
  throw error;
}
