import { parseText, SipRequest } from "../sip/mod.ts";
import type { Flow, FlowWatcher, SocketAddress, Transport } from "../transport/mod.ts";

/** Told of each message that leaves. */
export type OnSend = (text: string) => void;

/** What a message is called in a drawing: its method, or status and reason. */
export function labelOf(text: string): string {
  const message = parseText(text);
  if (message === undefined) return "?";
  return message instanceof SipRequest ? message.method : `${message.status} ${message.reason}`;
}

/** A listener that says what is sent by it. */
export class TracedTransport implements Transport {
  readonly protocol: Transport["protocol"];
  readonly local: SocketAddress;
  readonly sentBy: string;
  readonly #inner: Transport;
  readonly #onSend: OnSend;

  constructor(inner: Transport, onSend: OnSend) {
    this.#inner = inner;
    this.#onSend = onSend;
    this.protocol = inner.protocol;
    this.local = inner.local;
    this.sentBy = inner.sentBy;
  }

  /** The flow as this listener gives it out. */
  traced(flow: Flow): Flow {
    return new TracedFlow(this, flow, this.#onSend);
  }

  connect(remote: SocketAddress): Flow | Promise<Flow> {
    const flow = this.#inner.connect(remote);
    return flow instanceof Promise ? flow.then((flow) => this.traced(flow)) : this.traced(flow);
  }

  find(remote: SocketAddress): Flow | undefined {
    const flow = this.#inner.find(remote);
    return flow === undefined ? undefined : this.traced(flow);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

class TracedFlow implements Flow {
  readonly id: number;
  readonly protocol: Flow["protocol"];
  readonly remote: SocketAddress;

  constructor(readonly transport: Transport, private readonly inner: Flow, private readonly onSend: OnSend) {
    this.id = inner.id;
    this.protocol = inner.protocol;
    this.remote = inner.remote;
  }

  get isAccepted(): boolean {
    return this.inner.isAccepted;
  }

  get isGone(): boolean {
    return this.inner.isGone;
  }

  send(text: string): boolean {
    this.onSend(text);
    return this.inner.send(text);
  }

  watch(watcher: FlowWatcher): void {
    this.inner.watch(watcher);
  }

  unwatch(watcher: FlowWatcher): void {
    this.inner.unwatch(watcher);
  }
}
