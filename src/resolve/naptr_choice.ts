import type { Protocol } from "../sip/mod.ts";
import type { NaptrRecord } from "./dns_records.ts";

/** The services that mean a way to SIP servers (RFC 3263 §4.1, RFC 7118 §5.5). */
const SERVICES: ReadonlyMap<string, Protocol> = new Map([
  ["SIP+D2U", "udp"],
  ["SIP+D2T", "tcp"],
  ["SIPS+D2T", "tls"],
  ["SIP+D2W", "ws"],
  ["SIPS+D2W", "wss"],
]);

/** A name under which servers are listed, and how they are spoken to. */
export interface Service {
  readonly protocol: Protocol;
  readonly name: string;
}

/** Records of one order that are looked at. */
const MAX_SERVICES = 8;

/**
 * The services a domain offers that `speaks` allows: groups by order, within each the preferred first. Undefined
 * if the records say nothing of SIP at all; no groups if they do, and nothing of it can be used.
 */
export function servicesOf(
  records: readonly NaptrRecord[],
  speaks: (protocol: Protocol) => boolean,
): Service[][] | undefined {
  const ofSip = records.filter(({ services }) => /^SIPS?\+D2/.test(services));
  if (ofSip.length === 0) return undefined;
  const usable = ofSip
    .map((record) => ({ ...record, protocol: SERVICES.get(record.services) }))
    // SIP has only the simplest of rules: a name to be looked up as SRV.
    .filter(({ flags, regexp, replacement }) => flags === "s" && regexp === "" && replacement !== "")
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference);
  const groups = new Map<number, Service[]>();
  for (const { order, protocol, replacement } of usable) {
    if (protocol === undefined || !speaks(protocol)) continue;
    const group = groups.get(order) ?? [];
    if (group.length < MAX_SERVICES) group.push({ protocol, name: replacement });
    groups.set(order, group);
  }
  return [...groups.values()];
}
