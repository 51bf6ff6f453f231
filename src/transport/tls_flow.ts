import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { latin1Bytes } from "../lib/latin1.ts";
import type { Wire } from "./connection.ts";
import type { SocketAddress } from "./flow.ts";
import { StreamFlow, type StreamHost } from "./stream_flow.ts";

/** Milliseconds a connection may take to say goodbye. */
const GOODBYE = 2_000;

/** The part of a socket that its types leave out. */
interface HandledSocket extends Socket {
  readonly _handle?: { readStop(): void; readStart(): void } | null;
}

/** One connection over TLS. */
export class TlsFlow extends StreamFlow {
  /** The SIP domains the peer has proved to be of (RFC 5922 §7); none if it has proved nothing. */
  readonly verifiedNames: readonly string[];
  #isHeld = false;

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
    socket.on("data", (bytes: Uint8Array) => {
      this.read(bytes);
      this.#readNoFurther(carrier);
    });
    // What was answered by now may still leave.
    socket.on("end", () => this.closeWhenWritten("peer"));
    socket.on("close", () => this.close("peer"));
  }

  /** Reading goes on when the answers to what was read have left. */
  #readNoFurther(carrier: HandledSocket): void {
    if (this.#isHeld) return;
    const caughtUp = this.caughtUp();
    if (caughtUp === undefined) return;
    this.#isHeld = true;
    // A pause of either socket would keep what comes from us, but the runtime would go on to store it.
    carrier._handle?.readStop();
    caughtUp.then(() => {
      this.#isHeld = false;
      if (!this.isGone) carrier._handle?.readStart();
    });
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
