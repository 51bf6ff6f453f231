import { byteArea } from "../../src/lib/latin1.ts";
import { controlFrame, messageFrames, OPCODE } from "../../src/websocket/mod.ts";
import { inTime } from "../support/sockets.ts";
import { CA, identity } from "./ws_identity.ts";
import { WsHost, type WsHostOptions } from "./ws_host.ts";

const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

const mask = () => 0x5a17c3e9;

/** Frames of a client, one for each text. */
export function frames(...texts: string[]): Uint8Array<ArrayBuffer> {
  return messageFrames(texts, 0, texts.length, mask);
}

/** A control frame of a client. */
export function control(
  kind: "close" | "ping" | "pong",
  payload: Iterable<number> = [],
): Uint8Array<ArrayBuffer> {
  return controlFrame(OPCODE[kind], Uint8Array.from(payload), mask);
}

/** A frame of a client that is not what they usually are: its first byte is given. */
export function odd(first: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = controlFrame(OPCODE.ping, payload, mask);
  frame[0] = first;
  return frame;
}

/** A listener for either protocol. */
export async function hostFor(protocol: "ws" | "wss", options: WsHostOptions = {}): Promise<WsHost> {
  return new WsHost({ ...options, protocol, identity: protocol === "wss" ? await identity() : undefined });
}

/** A WebSocket whose client does only what it is told, and reads only then. */
export class RawWs {
  readonly #conn: Deno.Conn;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open({ transport: { protocol }, local }: WsHost): Promise<RawWs> {
    const to = { hostname: local.address, port: local.port };
    const conn = protocol === "ws" ? await Deno.connect(to) : await Deno.connectTls({ ...to, caCerts: [CA] });
    const raw = new RawWs(conn);
    await raw.write(new TextEncoder().encode(UPGRADE));
    let head = "";
    while (!head.endsWith("\r\n\r\n")) {
      const [code] = await raw.read(1);
      head += String.fromCharCode(code);
    }
    if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(head);
    return raw;
  }

  async write(...pieces: Uint8Array[]): Promise<void> {
    for (let bytes of pieces) {
      while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
    }
  }

  /** Ends its side. */
  endWriting(): Promise<void> {
    return this.#conn.closeWrite();
  }

  /** The next so many bytes; fewer if it ends before. */
  async read(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    let have = 0;
    while (have < count) {
      const more = await inTime(this.#conn.read(bytes.subarray(have)), "bytes");
      if (more === null) break;
      have += more;
    }
    return bytes.subarray(0, have);
  }

  /** The payload of the next frame, and its opcode; undefined at the end. */
  async frame(): Promise<{ readonly opcode: number; readonly text: string } | undefined> {
    const [first, second] = await this.read(2);
    if (second === undefined) return undefined;
    if (second > 126) throw new Error("A frame that is masked, or longer than any here");
    const [high, low] = second === 126 ? await this.read(2) : [0, second];
    const payload = byteArea(await this.read(high << 8 | low));
    return { opcode: first & 0x0f, text: payload.latin1Slice(0, payload.length) };
  }

  /** The code of the Close frame that must come next, after which it must end. */
  async closeCode(): Promise<number> {
    const frame = await this.frame();
    if (frame?.opcode !== OPCODE.close) throw new Error(`No Close but ${JSON.stringify(frame)}`);
    const after = await this.read(1);
    if (after.length > 0) throw new Error("There is something behind the Close");
    return frame.text === "" ? 1005 : frame.text.charCodeAt(0) << 8 | frame.text.charCodeAt(1);
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // The other side was first.
    }
  }
}
