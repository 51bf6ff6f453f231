import type { Clock } from "../lib/clock.ts";
import type { Protocol } from "../sip/mod.ts";
import type { TimerWheel } from "../lib/timer_wheel.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { type Flow, FlowError, type SocketAddress } from "./flow.ts";
import type { StreamParts, StreamTransport } from "./stream_transport.ts";
import { TcpTransport } from "./tcp.ts";
import { TlsTransport } from "./tls.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { WsTransport } from "./ws.ts";

/** One listener as configured. */
export interface ListenerOptions extends SocketAddress {
  readonly protocol: Protocol;
  /** Host and port it is known by outside; its own if left out. */
  readonly advertise?: string;
  readonly name?: string;
}

/** How listeners for connections are set up; times in ms. */
export interface ConnectionSettings {
  readonly firstByte: number;
  readonly wholeMessage: number;
  readonly handshake: number;
  readonly connect: number;
  readonly idle: Readonly<Record<Exclude<Protocol, "udp">, number>>;
  /** Bytes that may wait for one peer. */
  readonly writeQueue: number;
  /** Bytes of one message. */
  readonly messageBytes: number;
  readonly ws: WsSettings;
  /** For tls and wss; required where there is such a listener. */
  readonly identity: TlsIdentity | undefined;
}

/** What is special about WebSocket; times in ms. */
export interface WsSettings {
  readonly path: string;
  readonly origins: readonly string[];
  readonly pingInterval: number;
  readonly pongTimeout: number;
}

/** What connections need beside that. */
export interface ConnectionsParts {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  /** Every open connection, by its id. */
  readonly byId: Map<number, Flow>;
}

/** Opens one listener for connections; throws FlowError. */
export function openConnections(
  parts: Omit<StreamParts, keyof ConnectionsParts>,
  connections: ConnectionsParts,
  listener: ListenerOptions,
  settings: ConnectionSettings,
): StreamTransport {
  const { protocol, advertise: sentBy } = listener;
  const { ws, identity, idle, ...common } = settings;
  const all = { ...parts, ...connections };
  const options = { ...common, sentBy, idle: idle[protocol as keyof typeof idle] };
  switch (protocol) {
    case "tcp":
      return new TcpTransport(all, listener, options);
    case "tls":
      return new TlsTransport(all, listener, { ...options, identity: needed(identity) });
    case "ws":
      return new WsTransport(all, listener, { ...options, ...ws, protocol });
    case "wss":
      return new WsTransport(all, listener, { ...options, ...ws, protocol, identity: needed(identity) });
    case "udp":
      throw new FlowError("UDP has no connections");
  }
}

function needed(identity: TlsIdentity | undefined): TlsIdentity {
  if (identity === undefined) throw new FlowError("Cannot listen for TLS without a certificate");
  return identity;
}
