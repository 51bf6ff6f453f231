import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Carrier, CarrierOwner, CarrierSink } from "./carrier.ts";
import type { SocketAddress } from "./flow.ts";
import { ReadHold } from "./read_hold.ts";

/** A TCP connection of node:net on which TLS is spoken, or is to be: until then it carries nothing. */
export class TlsCarrier implements Carrier {
  readonly remote: SocketAddress;
  readonly #raw: Socket;
  readonly #hold: ReadHold;
  readonly #owner: CarrierOwner;
  #socket: TLSSocket | undefined = undefined;
  #sink: CarrierSink | undefined = undefined;
  #isOver = false;
  /** Sockets that are not closed. */
  #open = 0;

  /** `raw`: the socket under that of TLS, `socket`, which may still have to come. */
  constructor(raw: Socket, remote: SocketAddress, owner: CarrierOwner, socket?: TLSSocket) {
    this.remote = remote;
    this.#raw = raw;
    this.#hold = new ReadHold(raw);
    this.#owner = owner;
    this.#socket = socket;
    raw.setNoDelay(true);
    raw.setKeepAlive(true);
    this.#follow(raw);
    if (socket !== undefined) this.#follow(socket);
  }

  start(sink: CarrierSink): void {
    this.#sink = sink;
  }

  passTo(sink: CarrierSink): void {
    this.#sink = sink;
  }

  /** The handshake is over: what comes by `socket` is read from now on. */
  secured(socket: TLSSocket): void {
    if (this.#socket === undefined) this.#follow(socket);
    this.#socket = socket;
    const isOver = () => this.#isOver;
    socket.on("data", (bytes: Uint8Array) => {
      if (this.#isOver) return;
      this.#sink!.read(bytes);
      this.#hold.until(this.#sink!.caughtUp(), isOver);
    });
    socket.on("end", () => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#sink!.ended();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = this.#socket ?? this.#raw;
    const onClose = () => reject(new Error("The connection is closed"));
    if (socket.destroyed) {
      onClose();
    } else {
      // One that is destroyed meanwhile may forget to say so.
      socket.once("close", onClose);
      socket.write(bytes, (error) => {
        socket.off("close", onClose);
        if (error) reject(error);
        else resolve();
      });
    }
    return promise;
  }

  endWriting(): void {
    this.#socket?.end();
  }

  close(): void {
    this.#socket?.destroy();
    this.#raw.destroy();
  }

  #follow(socket: Socket): void {
    this.#open++;
    // The end that follows an error says enough.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!this.#isOver) {
        this.#isOver = true;
        this.#sink?.gone();
      }
      if (--this.#open === 0) this.#owner.carrierClosed(this);
    });
  }
}
