import type { Protocol } from "../sip/mod.ts";
import type { Flow, FlowWatcher, SocketAddress, Transport } from "./flow.ts";

/**
 * The way back to whoever sent a request over a connection: that very connection while it lives, and a new one to
 * the port its Via names after that (RFC 3261 §18.2.2).
 */
export class ReplyPath implements Flow {
  readonly id: number;
  readonly protocol: Protocol;
  readonly transport: Transport;
  readonly remote: SocketAddress;
  readonly isAccepted: boolean;
  readonly #flow: Flow;
  readonly #port: number;

  /** `port`: that of the Via's sent-by. */
  constructor(flow: Flow, port: number) {
    this.id = flow.id;
    this.protocol = flow.protocol;
    this.transport = flow.transport;
    this.remote = flow.remote;
    this.isAccepted = flow.isAccepted;
    this.#flow = flow;
    this.#port = port;
  }

  get isGone(): boolean {
    return this.#flow.isGone;
  }

  send(text: string): boolean {
    if (this.#flow.send(text)) return true;
    const flow = this.transport.connect({ address: this.remote.address, port: this.#port });
    if (!(flow instanceof Promise)) return flow.send(text);
    // Nobody can be told that an answer was lost; its request will be sent again, or not.
    flow.then((flow) => flow.send(text), () => {});
    return true;
  }

  watch(watcher: FlowWatcher): void {
    this.#flow.watch(watcher);
  }

  unwatch(watcher: FlowWatcher): void {
    this.#flow.unwatch(watcher);
  }
}
