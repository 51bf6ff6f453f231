import { byteArea, encodeLatin1 } from "../lib/latin1.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Arrival } from "./arrival.ts";
import { FlowError, type SocketAddress, socketAddressText } from "./flow.ts";
import type { ListenAddress } from "./udp_options.ts";
import { type DatagramSender, type FlowIds, MAX_PAYLOAD, UdpFlow, UdpFlowCache } from "./udp_flow.ts";

/** What a portable socket needs; as for a batched one, without the C library. */
export interface PortableParts {
  readonly arrival: Arrival;
  readonly metrics: Metrics;
  readonly flowIds: FlowIds;
  readonly onError: (error: unknown) => void;
  readonly onTurn: () => void;
}

/** Datagrams that may wait to be sent; more are dropped, as a full socket buffer would. */
const MAX_PENDING = 1024;

const MAX_DATAGRAM = 65_535;

const NO_WORDS = new Uint32Array(0);

/** One UDP socket by the runtime's own means: slower by far than a batched one, and there on every system. */
export class PortableSocket implements DatagramSender {
  readonly protocol = "udp";
  readonly local: SocketAddress;
  readonly sentBy: string;
  /** The runtime does not tell. */
  readonly receiveBuffer = undefined;

  readonly #parts: PortableParts;
  readonly #socket: Deno.DatagramConn;
  readonly #flows: UdpFlowCache<string>;
  readonly #reading: Promise<void>;
  /** What is being sent. */
  readonly #memory = new Uint8Array(MAX_DATAGRAM);
  readonly #queue: { readonly flow: UdpFlow; readonly text: string }[] = [];
  /** While anything waits. */
  #sending: Promise<void> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  /** Opens it and starts reading; throws FlowError. */
  constructor(parts: PortableParts, { address, port, advertise }: ListenAddress, maxFlows: number) {
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
    this.sentBy = advertise ?? socketAddressText(this.local);
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
    if (text.length > MAX_PAYLOAD || this.#closing !== undefined) {
      metrics.sendsFailed++;
      return false;
    }
    if (this.#queue.length >= MAX_PENDING) {
      metrics.sendsFailed++;
      return true;
    }
    metrics.messagesSent++;
    this.#queue.push({ flow, text });
    this.#sending ??= this.#sendAll();
    return true;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  async #finish(): Promise<void> {
    await this.#sending;
    this.#socket.close();
    await this.#reading;
  }

  /** One after the other: what the runtime is given at once it sends in an order of its own. */
  async #sendAll(): Promise<void> {
    const memory = this.#memory;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { flow, text } = next;
      const { address: hostname, port } = flow.remote;
      const bytes = memory.subarray(0, encodeLatin1(text, memory));
      try {
        await this.#socket.send(bytes, { transport: "udp", hostname, port });
      } catch {
        this.#parts.metrics.sendsFailed++;
        this.#tellFailed(flow);
      }
    }
    this.#sending = undefined;
  }

  #tellFailed(flow: UdpFlow): void {
    try {
      flow.failed();
    } catch (error) {
      this.#parts.onError(error);
    }
  }

  async #read(): Promise<void> {
    const { arrival, onError, onTurn } = this.#parts;
    const memory = new Uint8Array(MAX_DATAGRAM);
    const area = byteArea(memory);
    while (this.#closing === undefined) {
      try {
        const [bytes, from] = await this.#socket.receive(memory);
        const { hostname, port } = from as Deno.NetAddr;
        onTurn();
        arrival.datagram(area, 0, bytes.length, this.connect({ address: hostname, port }));
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
