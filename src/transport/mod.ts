/** Sockets, and the one home of flows: bytes come up as messages, messages go down as bytes. */
export { Arrival, type ArrivalParts } from "./arrival.ts";
export {
  type Flow,
  FlowError,
  type FlowWatcher,
  type Receive,
  type SocketAddress,
  socketAddressText,
  type Transport,
} from "./flow.ts";
export { LIBC_PATHS } from "./libc.ts";
export { type ListenerOptions, openListeners, type OpenOptions } from "./open.ts";
export { Transports } from "./transports.ts";
export { type DatagramSender, FlowIds, UdpFlow } from "./udp_flow.ts";
