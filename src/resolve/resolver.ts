import { after } from "../lib/after.ts";
import { canonicalIp, ipv4Number, isIpv6, isUnicast } from "../lib/ip_address.ts";
import { defaultPort, type Protocol, protocolOf, type Uri } from "../sip/mod.ts";
import type { NaptrRecord, SrvRecord } from "./dns_records.ts";
import type { Hop } from "./hop.ts";
import { type Service, servicesOf } from "./naptr_choice.ts";
import { type Random, srvOrder } from "./srv_order.ts";

/** Where names become addresses; what is known already comes at once. */
export interface Dns {
  /** The IPv4 and IPv6 addresses of a host name, best first; none if there are none, or nobody could say. */
  addresses(name: string): readonly string[] | Promise<readonly string[]>;
  /** The servers of a service; none if there are none, undefined if nobody could say. */
  srv(name: string): Known<readonly SrvRecord[]> | Promise<Known<readonly SrvRecord[]>>;
  /** The ways to reach a domain; none if there are none, undefined if nobody could say. */
  naptr(name: string): Known<readonly NaptrRecord[]> | Promise<Known<readonly NaptrRecord[]>>;
}

type Known<T> = T | undefined;

/** Knows no names at all. */
export const NO_DNS: Dns = { addresses: () => [], srv: () => [], naptr: () => [] };

/** What may differ from one resolver to the other. */
export interface ResolverOptions {
  /** What we can speak; left out, it is everything there is. */
  readonly protocols?: ReadonlySet<Protocol>;
  /** What draws among servers of the same priority. */
  readonly random?: Random;
}

/** Hops one URI leads to at most. */
const MAX_HOPS = 16;

/** Servers of one service whose addresses are looked up. */
const MAX_SERVERS = 8;

const ALL_PROTOCOLS: ReadonlySet<Protocol> = new Set(["udp", "tcp", "tls", "ws", "wss"]);

/** What a domain without NAPTR records is asked for (RFC 3263 §4.1), in the order we would have it. */
const USUAL: readonly Protocol[] = ["udp", "tcp", "tls"];

const SRV_LABELS: Readonly<Record<Protocol, string>> = {
  udp: "_sip._udp",
  tcp: "_sip._tcp",
  tls: "_sips._tcp",
  ws: "_sip._ws",
  wss: "_sips._ws",
};

/** Where something is to go, before any name was looked up. */
interface Aim {
  readonly target: string;
  /** Undefined if DNS is to say. */
  readonly protocol: Protocol | undefined;
  /** Taken if DNS says nothing. */
  readonly usual: Protocol;
  readonly port: number | undefined;
  readonly isSecure: boolean;
  /** The name a peer must prove to have. */
  readonly host: string;
  readonly random: Random;
}

type Hops = readonly Hop[];

/** Finds out where a URI leads (RFC 3263): the hops to try, one after the other. */
export class Resolver {
  readonly #dns: Dns;
  readonly #protocols: ReadonlySet<Protocol>;
  readonly #random: Random;

  constructor(dns: Dns, { protocols = ALL_PROTOCOLS, random = Math.random }: ResolverOptions = {}) {
    this.#dns = dns;
    this.#protocols = protocols;
    this.#random = random;
  }

  /**
   * At once when the host is an IP address or DNS's answers are known; no hops means that the URI leads nowhere, or
   * where nothing may be sent. `random` draws among servers of the same priority: a stateless proxy has it draw the
   * same for copies of a request (RFC 3263 §4.4).
   */
  resolve(uri: Uri, random: Random = this.#random): Hops | Promise<Hops> {
    const usual = uri.isSip ? protocolOf(uri) : undefined;
    if (usual === undefined) return [];
    const { host, port } = uri;
    const target = targetOf(uri);
    const hop = numericHop(target, usual, port, host);
    if (hop !== undefined) return hop;
    const isOpen = port === undefined && !uri.params.has("transport");
    const isSecure = uri.scheme === "sips";
    return this.#aim({ target, protocol: isOpen ? undefined : usual, usual, port, isSecure, host, random });
  }

  /**
   * Where a response goes that cannot go back the way the request came (RFC 3263 §5): by host and port of its Via.
   * Nobody can be reached by WebSocket who does not come to us (RFC 7118 §5).
   */
  resolveSentBy(host: string, port: number | undefined, protocol: Protocol): Hops | Promise<Hops> {
    if (protocol === "ws" || protocol === "wss") return [];
    const isSecure = protocol === "tls";
    const random = this.#random;
    return numericHop(host, protocol, port, host) ??
      this.#aim({ target: host, protocol, usual: protocol, port, isSecure, host, random });
  }

  #aim(aim: Aim): Hops | Promise<Hops> {
    const { target, protocol, port } = aim;
    if (protocol === undefined) {
      return after(this.#dns.naptr(target), (records = []) => this.#byNaptr(records, aim));
    }
    if (!this.#protocols.has(protocol)) return [];
    if (port !== undefined) return this.#byAddress(target, protocol, port, aim);
    return this.#bySrv([{ protocol, name: `${SRV_LABELS[protocol]}.${target}` }], aim);
  }

  #byNaptr(records: readonly NaptrRecord[], aim: Aim): Hops | Promise<Hops> {
    const speaks = (protocol: Protocol) =>
      this.#protocols.has(protocol) && (!aim.isSecure || isSecured(protocol));
    const groups = servicesOf(records, speaks);
    if (groups !== undefined) return this.#byGroups(groups, 0, aim);
    const services = USUAL.filter(speaks)
      .map((protocol) => ({ protocol, name: `${SRV_LABELS[protocol]}.${aim.target}` }));
    return this.#bySrv(services, aim);
  }

  /** The first order that leads anywhere is the one that counts (RFC 3403 §4.1). */
  #byGroups(groups: readonly Service[][], index: number, aim: Aim): Hops | Promise<Hops> {
    if (index === groups.length) return [];
    return after(this.#servers(groups[index], aim), (found) => {
      return found !== undefined && found.length > 0 ? found : this.#byGroups(groups, index + 1, aim);
    });
  }

  /** By the servers of these services; where there are none, by the addresses of the target itself. */
  #bySrv(services: readonly Service[], aim: Aim): Hops | Promise<Hops> {
    return after(this.#servers(services, aim), (found) => {
      if (found !== undefined) return found;
      if (!this.#protocols.has(aim.usual)) return [];
      return this.#byAddress(aim.target, aim.usual, defaultPort(aim.usual), aim);
    });
  }

  /** Undefined if there are no such services. If nobody could say there may well be, and no hops are the answer. */
  #servers(services: readonly Service[], aim: Aim): Known<Hops> | Promise<Known<Hops>> {
    return all(services.map(({ name }) => this.#dns.srv(name)), (answers) => {
      const servers = answers.flatMap((records = [], i) =>
        srvOrder(records, aim.random).map((record) => ({ ...record, protocol: services[i].protocol }))
      );
      if (servers.length === 0) return answers.every((records) => records !== undefined) ? undefined : [];
      // A root for a name says that the service is decidedly not there (RFC 2782).
      const there = servers.filter(({ target }) => target !== "").slice(0, MAX_SERVERS);
      const hops = there.map(({ target, protocol, port }) => this.#byAddress(target, protocol, port, aim));
      return all(hops, (lists) => lists.flat().slice(0, MAX_HOPS));
    });
  }

  #byAddress(name: string, protocol: Protocol, port: number, { host }: Aim): Hops | Promise<Hops> {
    return after(
      this.#dns.addresses(name),
      (addresses) =>
        addresses.filter((address) => mayBeSentTo(address, ipv4Number(address))).slice(0, MAX_HOPS)
          .map((address) => hopTo(protocol, address, port, host)),
    );
  }
}

/** Calls `next` with all of the values: in this very turn if all are here. */
function all<T, R>(
  values: readonly (T | Promise<T>)[],
  next: (values: T[]) => R | Promise<R>,
): R | Promise<R> {
  return values.some((value) => value instanceof Promise)
    ? Promise.all(values).then(next)
    : next(values as T[]);
}

/** The one hop of an IP address, or none if nothing may be sent there; undefined for a name. */
function numericHop(target: string, protocol: Protocol, port: number | undefined, host: string): Known<Hops> {
  const number = ipv4Number(target);
  if (number < 0 && !isIpv6(target)) return undefined;
  return mayBeSentTo(target, number) ? [hopTo(protocol, target, port ?? defaultPort(protocol), host)] : [];
}

function hopTo(protocol: Protocol, address: string, port: number, host: string): Hop {
  return isSecured(protocol) ? { protocol, address, port, host } : { protocol, address, port };
}

function isSecured(protocol: Protocol): boolean {
  return protocol === "tls" || protocol === "wss";
}

/** Numbers of the first address of class A and of the first for multicast; broadcast comes after that. */
const FIRST_UNICAST = 2 ** 24;
const FIRST_MULTICAST = 224 * 2 ** 24;

/**
 * Nobody is to have us send to whole networks, or to no address at all (RFC 3261 §26.1.5). `number` is the
 * address as ipv4Number tells it.
 */
function mayBeSentTo(address: string, number: number): boolean {
  if (number < 0) return isUnicast(address);
  return number >= FIRST_UNICAST && number < FIRST_MULTICAST;
}

/** The maddr if there is one, else the host (RFC 3263 §4). */
function targetOf(uri: Uri): string {
  const maddr = uri.params.get("maddr")?.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (maddr === undefined || maddr === "") return uri.host;
  return canonicalIp(maddr) ?? maddr;
}
