import { isIpAddress } from "../lib/ip_address.ts";
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

  /** At once when the host is an IP address; no hops means that the URI leads nowhere. */
  resolve(uri: Uri): readonly Hop[] | Promise<readonly Hop[]> {
    const protocol = uri.isSip ? protocolOf(uri) : undefined;
    if (protocol === undefined) return [];
    const host = targetOf(uri);
    const port = uri.port ?? defaultPort(protocol);
    if (isIpAddress(host)) return [{ protocol, address: host, port }];
    return this.#dns.addresses(host).then((list) => list.map((address) => ({ protocol, address, port })));
  }
}

/** The maddr if there is one, else the host (RFC 3263 §4). */
function targetOf(uri: Uri): string {
  const maddr = uri.params.get("maddr")?.toLowerCase();
  return maddr === undefined || maddr === "" ? uri.host : maddr.replace(/^\[(.*)\]$/, "$1");
}
