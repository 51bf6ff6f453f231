import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { latin1Bytes } from "../lib/latin1.ts";
import type { Wire } from "./connection.ts";
import type { SocketAddress } from "./flow.ts";
import { ReadHold } from "./read_hold.ts";
import { StreamFlow, type StreamHost } from "./stream_flow.ts";

/** Milliseconds a connection may take to say goodbye. */
const GOODBYE = 2_000;

/** One connection over TLS. */
export class TlsFlow extends StreamFlow {
  /** The SIP domains the peer has proved to be of (RFC 5922 §7); none if it has proved nothing. */
  readonly verifiedNames: readonly string[];

  /** `carrier`: the socket under that of TLS; `isDialed`: we opened it. Reading begins at once. */
  constructor(
    host: StreamHost,
    socket: TLSSocket,
    carrier: Socket,
    remote: SocketAddress,
    id: number,
    isDialed: boolean,
    verifiedNames: readonly string[],
  ) {
    super(host, new TlsWire(socket), remote, id, isDialed);
    this.verifiedNames = verifiedNames;
    const hold = new ReadHold(carrier);
    const isGone = () => this.isGone;
    socket.on("data", (bytes: Uint8Array) => {
      this.read(bytes);
      hold.until(this.caughtUp(), isGone);
    });
    // What was answered by now may still leave.
    socket.on("end", () => this.closeWhenWritten("peer"));
    socket.on("close", () => this.close("peer"));
  }
}

/** Writes to a socket of TLS; whoever makes it hears of the socket's errors. */
class TlsWire implements Wire {
  readonly #socket: TLSSocket;
  #writing: PromiseWithResolvers<void> | undefined = undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
  }

  write(texts: readonly string[]): Promise<void> {
    const writing = this.#writing = Promise.withResolvers<void>();
    const bytes = latin1Bytes(texts.length === 1 ? texts[0] : texts.join(""));
    this.#socket.write(bytes, (error) => {
      this.#writing = undefined;
      if (error) writing.reject(error);
      else writing.resolve();
    });
    return writing.promise;
  }

  close(): void {
    const socket = this.#socket;
    if (this.#writing === undefined && !socket.destroyed) {
      socket.setTimeout(GOODBYE, () => socket.destroy());
      socket.destroySoon();
    } else {
      // What does not leave must not hold up the end.
      socket.destroy();
      this.#writing?.reject(new Error("The connection is closed"));
    }
  }
}
