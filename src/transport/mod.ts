/** Sockets, and the one home of flows: bytes come up as messages, messages go down as bytes. */
export { Arrival, type ArrivalParts } from "./arrival.ts";
export {
  type Flow,
  FlowError,
  type FlowWatcher,
  type Peer,
  type Receive,
  type SocketAddress,
  socketAddressText,
  type Transport,
} from "./flow.ts";
export { LIBC_PATHS } from "./libc.ts";
export { ConnectionLimits } from "./connection_limits.ts";
export { openListeners, type OpenOptions } from "./open.ts";
export { type ConnectionSettings, type ListenerOptions } from "./open_connections.ts";
export { TlsIdentity } from "./tls_identity.ts";
export { Transports } from "./transports.ts";
export { type DatagramSender, FlowIds, UdpFlow } from "./udp_flow.ts";
