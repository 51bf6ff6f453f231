import { canonicalIp } from "../lib/ip_address.ts";
import type { Logger } from "../lib/log.ts";
import { FlowError, type SocketAddress, socketAddressText } from "./flow.ts";
import { reasonText } from "./stream_transport.ts";

/** What accepting connections of the runtime needs. */
export interface TcpListenerParts {
  readonly log: Logger;
  /** For errors and log: what is spoken at the port. */
  readonly protocol: string;
  readonly onConnection: (conn: Deno.TcpConn, remote: SocketAddress) => void;
}

/** ms to wait when no connection can be accepted, as when there are no file descriptors left. */
const ACCEPT_PAUSE = 100;

/** Accepts TCP connections at one port until it is closed, whatever keeps it from that meanwhile. */
export class TcpListener {
  /** Where it listens. */
  readonly local: SocketAddress;
  readonly #parts: TcpListenerParts;
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  #isClosed = false;

  /** Opens the port and starts accepting; throws FlowError. */
  constructor(parts: TcpListenerParts, { address, port }: SocketAddress) {
    this.#parts = parts;
    try {
      this.#listener = Deno.listen({ transport: "tcp", hostname: address, port });
    } catch (cause) {
      const place = `${parts.protocol}:${socketAddressText({ address, port })}`;
      throw new FlowError(`Cannot listen on ${place}: ${reasonText(cause)}`, { cause });
    }
    this.local = addressOf(this.#listener.addr);
    this.#accepting = this.#accept();
  }

  /** Resolves when the port is free; connections live on. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#listener.close();
    this.#isClosed = true;
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    let isFailing = false;
    while (!this.#isClosed) {
      try {
        const conn = await this.#listener.accept();
        this.#parts.onConnection(conn, addressOf(conn.remoteAddr));
        isFailing = false;
      } catch (error) {
        if (this.#isClosed) return;
        if (!isFailing) {
          const at = `${this.#parts.protocol}:${socketAddressText(this.local)}`;
          this.#parts.log.warn("cannot accept connections", { at, reason: reasonText(error) });
        }
        isFailing = true;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }
}

/** An address as it is compared: an IPv4 peer of an IPv6 socket is shown as what it is. */
function addressOf(addr: Deno.Addr): SocketAddress {
  const { hostname, port } = addr as Deno.NetAddr;
  return { address: canonicalIp(hostname) ?? hostname, port };
}
