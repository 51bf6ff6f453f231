import type { Protocol } from "../sip/mod.ts";
import type { Flow, SocketAddress } from "./flow.ts";

/** One listener: a socket, and the flows to its peers. */
export interface Transport {
  readonly protocol: Protocol;
  /** Where it really listens. */
  readonly local: SocketAddress;
  /** Where peers reach it: the host and port of our Via, Record-Route and Path, IPv6 in brackets. */
  readonly sentBy: string;
  /** The open flow to `remote`, or a new one; rejects with FlowError when none can be opened. */
  connect(remote: SocketAddress): Flow | Promise<Flow>;
  /** Only the open one. */
  find(remote: SocketAddress): Flow | undefined;
  /** What was handed to it is sent, then it is closed. */
  close(): Promise<void>;
}

/** A flow could not be opened, or a listener not be set up; `cause` has the reason. */
export class FlowError extends Error {
  override readonly name = "FlowError";
}
