import { byteArea, latin1Bytes } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Arrival } from "./arrival.ts";
import { FlowError, type SocketAddress, socketAddressText } from "./flow.ts";
import { type DatagramSender, type FlowIds, UdpFlow, UdpFlowCache } from "./udp_flow.ts";

/** What a portable socket needs; as for a batched one, without the C library. */
export interface PortableParts {
  readonly arrival: Arrival;
  readonly metrics: Metrics;
  readonly flowIds: FlowIds;
  readonly onError: (error: unknown) => void;
}

/** Datagrams handed to the runtime and not yet sent; more are dropped, as a full socket buffer would. */
const MAX_PENDING = 1024;

const NO_WORDS = new Uint32Array(0);

/** One UDP socket by the runtime's own means: slower by far than a batched one, and there on every system. */
export class PortableSocket implements DatagramSender {
  readonly protocol = "udp";
  readonly local: SocketAddress;
  readonly sentBy: string;

  readonly #parts: PortableParts;
  readonly #socket: Deno.DatagramConn;
  readonly #flows: UdpFlowCache<string>;
  readonly #reading: Promise<void>;
  readonly #sending = new Set<Promise<unknown>>();
  #closed = false;

  /** Opens it and starts reading; throws FlowError. */
  constructor(parts: PortableParts, { address, port }: SocketAddress, maxFlows: number) {
    this.#parts = parts;
    this.#flows = new UdpFlowCache(maxFlows);
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname: address, port });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new FlowError(`Cannot listen on udp:${socketAddressText({ address, port })}: ${reason}`, {
        cause,
      });
    }
    const { hostname, port: bound } = this.#socket.addr as Deno.NetAddr;
    this.local = { address: hostname, port: bound };
    this.sentBy = socketAddressText(this.local);
    this.#reading = this.#read();
  }

  connect(remote: SocketAddress): UdpFlow {
    const key = socketAddressText(remote);
    const known = this.#flows.get(key);
    if (known !== undefined) return known;
    const flow = new UdpFlow(this.#parts.flowIds.next(), this, remote, NO_WORDS);
    this.#flows.set(key, flow);
    return flow;
  }

  find(remote: SocketAddress): UdpFlow {
    return this.connect(remote);
  }

  sendTo(flow: UdpFlow, text: string): boolean {
    const { metrics } = this.#parts;
    if (this.#closed) {
      metrics.sendsFailed++;
      return false;
    }
    if (this.#sending.size >= MAX_PENDING) {
      metrics.sendsFailed++;
      return true;
    }
    const { address: hostname, port } = flow.remote;
    metrics.messagesSent++;
    const sending = this.#socket.send(latin1Bytes(text), { transport: "udp", hostname, port }).catch(() => {
      metrics.sendsFailed++;
      if (!this.#closed) flow.failed();
    }).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    return true;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(this.#sending);
    this.#socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { arrival, onError } = this.#parts;
    while (!this.#closed) {
      try {
        const [bytes, from] = await this.#socket.receive(new Uint8Array(65_535));
        const { hostname, port } = from as Deno.NetAddr;
        arrival.datagram(byteArea(bytes), 0, bytes.length, this.connect({ address: hostname, port }));
      } catch (error) {
        // Closing ends the wait with an error; a refusal that some earlier datagram met is not ours to mind.
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset) {
          continue;
        }
        onError(error);
      }
    }
  }
}
