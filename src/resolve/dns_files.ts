import { canonicalIp } from "../lib/ip_address.ts";
import type { NameServer } from "./dns_client.ts";
import { dnsName } from "./dns_records.ts";

const DNS_PORT = 53;

/** Name servers of a file that are used, as everywhere on this system (resolv.conf(5)). */
const MAX_SERVERS = 3;

/** The name servers of a resolv.conf; the one on this machine if it names none. */
export function nameServersOf(text: string): NameServer[] {
  const servers = text.split("\n").flatMap((line) => {
    const [, written = ""] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    const address = canonicalIp(written);
    return address === undefined ? [] : [{ address, port: DNS_PORT }];
  });
  return servers.length > 0 ? servers.slice(0, MAX_SERVERS) : [{ address: "127.0.0.1", port: DNS_PORT }];
}

/** The names of a hosts file and their addresses, in the order they stand there. */
export function hostsOf(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [first, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const address = canonicalIp(first);
    if (address === undefined) continue;
    for (const name of names.map(dnsName)) {
      if (name === undefined) continue;
      const addresses = hosts.get(name);
      if (addresses === undefined) hosts.set(name, [address]);
      else if (!addresses.includes(address)) addresses.push(address);
    }
  }
  return hosts;
}
