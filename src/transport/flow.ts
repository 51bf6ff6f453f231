import type { Protocol, SipRequest, SipResponse } from "../sip/mod.ts";
import type { Transport } from "./transport.ts";

/** An IP address, without brackets, and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** One who wants to know when a flow is no more. */
export interface FlowWatcher {
  /** Called once, in the turn in which it became known. */
  flowClosed(flow: Flow): void;
}

/**
 * The identity of one path to a peer (RFC 5626 §2.1): for UDP a listener and a remote address, for the rest
 * one connection.
 */
export interface Flow {
  /** Never used again while the process lives. */
  readonly id: number;
  readonly protocol: Protocol;
  /** The listener it belongs to. */
  readonly transport: Transport;
  readonly remote: SocketAddress;
  /** Takes a message to be sent in this turn; false if the flow is known dead, and nothing was sent. */
  send(text: string): boolean;
  watch(watcher: FlowWatcher): void;
  unwatch(watcher: FlowWatcher): void;
}

/** How a message comes up from the transports; it is sound or says what is wrong with it. */
export type Receive = (message: SipRequest | SipResponse, flow: Flow) => void;

/** An address as it is written and compared: IPv6 in brackets. */
export function socketAddressText({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
