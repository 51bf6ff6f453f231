/** RFC 3263: where a URI leads. */
export { SystemDns } from "./dns.ts";
export type { Hop } from "./hop.ts";
export { type Dns, Resolver } from "./resolver.ts";
