import type { Protocol, SipRequest, SipResponse } from "../sip/mod.ts";

/** An IP address, without brackets, and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** Where a flow is to lead, and to whom. */
export interface Peer extends SocketAddress {
  /** The name it must prove to have, where the protocol has proofs: the host of the URI that led there (RFC 5922 §4). */
  readonly host?: string;
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
  /**
   * Whether the peer is known to be there no more: its connection is closed, or, over UDP, its host says that
   * nobody listens at the port, and nothing was heard from it since.
   */
  readonly isGone: boolean;
  /** Whether the peer has connected to us, so that nothing else may lead to it. */
  readonly isAccepted: boolean;
  /**
   * Takes a message to be sent in this turn; false if the flow is known dead or can never carry it, and nothing
   * was sent. Tells no watcher before it returns.
   */
  send(text: string): boolean;
  watch(watcher: FlowWatcher): void;
  unwatch(watcher: FlowWatcher): void;
}

/** One listener: a socket, and the flows to its peers. */
export interface Transport {
  readonly protocol: Protocol;
  /** Where it really listens. */
  readonly local: SocketAddress;
  /** Where peers reach it: the host and port of our Via, Record-Route and Path, IPv6 in brackets. */
  readonly sentBy: string;
  /** The open flow to `peer`, or a new one; rejects with FlowError when none can be opened. */
  connect(peer: Peer): Flow | Promise<Flow>;
  /** Only the open one. */
  find(peer: Peer): Flow | undefined;
  /** What was handed to it is sent, then it is closed. */
  close(): Promise<void>;
}

/** A flow could not be opened, or a listener not be set up; `cause` has the reason. */
export class FlowError extends Error {
  override readonly name = "FlowError";
}

/** How a message comes up from the transports; it is sound or says what is wrong with it. */
export type Receive = (message: SipRequest | SipResponse, flow: Flow) => void;

/** An address as it is written and compared: IPv6 in brackets. */
export function socketAddressText({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
