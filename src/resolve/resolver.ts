import { canonicalIp, ipv4Number, isIpv6, isUnicast } from "../lib/ip_address.ts";
import { defaultPort, protocolOf, type Uri } from "../sip/mod.ts";
import type { Hop } from "./hop.ts";

/** Where names become addresses. */
export interface Dns {
  /** The IPv4 and IPv6 addresses of a host name, best first; none if there are none, or nobody could say. */
  addresses(name: string): Promise<readonly string[]>;
}

/** Finds out where a URI leads (RFC 3263): the hops to try, one after the other. */
export class Resolver {
  readonly #dns: Dns;

  constructor(dns: Dns) {
    this.#dns = dns;
  }

  /** At once when the host is an IP address; no hops means that the URI leads nowhere, or where nothing may be sent. */
  resolve(uri: Uri): readonly Hop[] | Promise<readonly Hop[]> {
    const protocol = uri.isSip ? protocolOf(uri) : undefined;
    if (protocol === undefined) return [];
    const host = targetOf(uri);
    const port = uri.port ?? defaultPort(protocol);
    const number = ipv4Number(host);
    if (number >= 0 || isIpv6(host)) {
      return mayBeSentTo(host, number) ? [{ protocol, address: host, port }] : [];
    }
    return this.#dns.addresses(host).then((list) =>
      list.filter((address) => mayBeSentTo(address, ipv4Number(address)))
        .map((address) => ({ protocol, address, port }))
    );
  }
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
