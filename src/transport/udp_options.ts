import { bracketed, isIpv6 } from "../lib/ip_address.ts";
import { FlowError, type SocketAddress } from "./flow.ts";
import { errorText, type Libc, pinned } from "./libc.ts";
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_ROW, sockaddrOf } from "./sockaddr.ts";

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
/** Like SO_RCVBUF and SO_SNDBUF, but past the system's limit, for those who may. */
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_RECVERR = 11;
const IPPROTO_IPV6 = 41;
const IPV6_RECVERR = 25;
const IPV6_V6ONLY = 26;

/** Where a socket is to be bound, and what it is known as outside. */
export interface ListenAddress extends SocketAddress {
  /** Host and port; its own if left out. */
  readonly advertise?: string;
}

/** How a UDP socket is to be set up. */
export interface UdpSocketOptions {
  /** Bytes of the kernel's buffers; it may grant less. */
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** Whether other processes may listen on the same port (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Peers remembered; see UdpFlowCache. */
  readonly maxFlows: number;
}

/** Opens a UDP socket bound to an address; its descriptor. Throws FlowError. */
export function openSocket(libc: Libc, address: SocketAddress, options: UdpSocketOptions): number {
  const { call } = libc;
  const v6 = isIpv6(address.address);
  const fd = call.socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new FlowError(`Cannot open a UDP socket: ${errorText(libc.errno())}`);
  const set = (level: number, option: number, value: number) => {
    const bytes = pinned(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return call.setsockopt(fd, level, option, bytes, 4) === 0;
  };
  if (options.reusePort) set(SOL_SOCKET, SO_REUSEPORT, 1);
  if (v6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Or nobody would tell us that nobody is there.
  if (v6) set(IPPROTO_IPV6, IPV6_RECVERR, 1);
  else set(IPPROTO_IP, IP_RECVERR, 1);
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBuffer)) {
    set(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
  }
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, options.sendBuffer)) set(SOL_SOCKET, SO_SNDBUF, options.sendBuffer);
  const name = pinned(SOCKADDR_ROW);
  const sockaddr = sockaddrOf(address);
  name.set(sockaddr);
  if (call.bind(fd, name, sockaddr.length) !== 0) {
    const reason = errorText(libc.errno());
    call.close(fd);
    throw new FlowError(`Cannot listen on udp:${bracketed(address.address)}:${address.port}: ${reason}`);
  }
  return fd;
}

/** Bytes that became of the receive buffer that was asked for; Linux counts its own needs as well, and so doubles it. */
export function grantedBuffer(libc: Libc, fd: number): number {
  const value = pinned(4);
  const length = pinned(4);
  length[0] = 4;
  libc.call.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, length);
  return new DataView(value.buffer).getInt32(0, true) / 2;
}

/** The address a socket is bound to. */
export function socketName(libc: Libc, fd: number): SocketAddress {
  const name = pinned(SOCKADDR_ROW);
  const length = pinned(4);
  length[0] = SOCKADDR_ROW;
  libc.call.getsockname(fd, name, length);
  return readSockaddr(name, 0);
}
