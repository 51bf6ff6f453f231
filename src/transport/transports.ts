import { canonicalIp, isIpv6, isUnicast } from "../lib/ip_address.ts";
import { defaultPort, type Protocol, type SipRequest } from "../sip/mod.ts";
import type { Flow, Peer, SocketAddress, Transport } from "./flow.ts";
import { ReplyPath } from "./reply_path.ts";

/** Where a message is to go: an address, and how to get there. */
interface Destination extends Peer {
  readonly protocol: Protocol;
}

/** Where a listener is, or is said to be: then the address may be a name. */
interface Place extends SocketAddress {
  readonly protocol: Protocol;
}

/** All listeners of the server: finds and opens the flows to peers. */
export class Transports {
  /** Every open connection, by its id. */
  readonly byId = new Map<number, Flow>();
  readonly #list: Transport[] = [];
  readonly #protocols = new Set<Protocol>();
  readonly #places: Place[] = [];
  readonly #forceRport: boolean;

  /** `forceRport`: whether answers go to the port a request came from, asked for or not (RFC 3581). */
  constructor(forceRport = false) {
    this.#forceRport = forceRport;
  }

  /** One more listener is open. */
  add(transport: Transport): void {
    this.#list.push(transport);
    this.#protocols.add(transport.protocol);
    const { protocol, local, sentBy } = transport;
    const colon = sentBy.lastIndexOf(":");
    const host = sentBy.slice(0, colon).replace(/^\[|\]$/g, "");
    const port = Number(sentBy.slice(colon + 1));
    this.#places.push({ protocol, ...local }, { protocol, address: host, port });
  }

  /** What the listeners there are by now speak. */
  get protocols(): ReadonlySet<Protocol> {
    return this.#protocols;
  }

  get list(): readonly Transport[] {
    return this.#list;
  }

  /**
   * Whether we listen at this host and port, or are known by them; an IP address in canonical form, a name in lower
   * case; without a port, its protocol's default.
   */
  owns(host: string, port: number | undefined): boolean {
    return this.#places.some((place) =>
      place.address === host && place.port === (port ?? defaultPort(place.protocol))
    );
  }

  /** Whether we listen at this port, or are known by it. */
  hasPort(port: number): boolean {
    return this.#places.some((place) => place.port === port);
  }

  /**
   * The flow to `hop`, from the listener `near` if that can reach it; undefined if no listener speaks its
   * protocol and address family. Rejects with FlowError if it cannot be opened.
   */
  flowTo(hop: Destination, near?: Transport): Flow | Promise<Flow> | undefined {
    if (near !== undefined && fits(near, hop) && reaches(near, hop)) return near.connect(hop);
    const fitting = this.#list.filter((transport) => fits(transport, hop));
    const transport = fitting.find((transport) => reaches(transport, hop)) ?? fitting[0];
    return transport?.connect(hop);
  }

  /**
   * Where the answers to a request go (RFC 3261 §18.2.2, RFC 3581 §4): over UDP to the maddr of its Via, else
   * to the address it came from, at the port it came from if it asked for that, else at its Via's port. Over a
   * connection, back over that; should it have closed, over a new one to the Via's port.
   */
  responseFlow(request: SipRequest, flow: Flow): Flow {
    if (!request.hasReadableVia) return flow;
    if (flow.protocol !== "udp") return replyPath(request, flow);
    const { maddr, port = defaultPort("udp"), rport } = request.via;
    if (maddr !== undefined) {
      const there = maddrFlow(maddr, port, flow.transport);
      if (there !== undefined) return there;
    }
    if (this.#forceRport || rport !== undefined || port === flow.remote.port) return flow;
    return flow.transport.find({ address: flow.remote.address, port }) ?? flow;
  }

  /** Closes all of them, once what they were given is sent. */
  async close(): Promise<void> {
    await Promise.all(this.#list.map((transport) => transport.close()));
  }
}

/** Nobody listens at the port a connection was made from, and nobody can connect to a browser. */
function replyPath(request: SipRequest, flow: Flow): Flow {
  const { protocol, remote } = flow;
  if (protocol === "ws" || protocol === "wss") return flow;
  const { port = defaultPort(protocol) } = request.via;
  return flow.isAccepted && port === remote.port ? flow : new ReplyPath(flow, port);
}

/** The flow to a maddr; undefined if it is a name, or an address this listener cannot or should not send to. */
function maddrFlow(maddr: string, port: number, transport: Transport): Flow | undefined {
  const address = canonicalIp(maddr.startsWith("[") ? maddr.slice(1, -1) : maddr);
  if (address === undefined || !isUnicast(address)) return undefined;
  const to = { protocol: transport.protocol, address, port };
  return fits(transport, to) && reaches(transport, to) ? transport.find(to) : undefined;
}

function fits({ protocol, local }: Transport, hop: Destination): boolean {
  return protocol === hop.protocol && isIpv6(local.address) === isIpv6(hop.address);
}

/** A socket bound to the loopback cannot send out into the world, and the other way round it should not. */
function reaches({ local }: Transport, { address }: Destination): boolean {
  return isLoopback(local.address) === isLoopback(address);
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
