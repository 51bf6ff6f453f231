/** RFC 3263: where a URI leads. */
export { DeadHops, type DeadHopsOptions, DEFAULT_DEAD_HOPS } from "./dead_hops.ts";
export { DEFAULT_DNS, type DnsOptions, SystemDns } from "./dns.ts";
export type { NameServer } from "./dns_client.ts";
export type { NaptrRecord, SrvRecord } from "./dns_records.ts";
export type { Hop } from "./hop.ts";
export { type Dns, NO_DNS, Resolver, type ResolverOptions } from "./resolver.ts";
export type { Random } from "./srv_order.ts";
