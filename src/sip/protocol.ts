import type { Uri } from "./uri.ts";

/** What carries SIP from hop to hop. */
export type Protocol = "udp" | "tcp" | "tls" | "ws" | "wss";

const VIA_NAMES: Readonly<Record<Protocol, string>> = {
  udp: "UDP",
  tcp: "TCP",
  tls: "TLS",
  ws: "WS",
  wss: "WSS",
};

/** The protocol's name in a Via (RFC 3261 §20.42, RFC 7118 §5.1). */
export function viaName(protocol: Protocol): string {
  return VIA_NAMES[protocol];
}

/**
 * The protocol a URI asks for, or the default of its scheme (RFC 3263 §4.1); undefined for one nobody here
 * speaks. A sips URI makes everything secure (RFC 3261 §26.2.2).
 */
export function protocolOf(uri: Uri): Protocol | undefined {
  const isSecure = uri.scheme === "sips";
  switch (uri.params.get("transport")?.toLowerCase()) {
    case undefined:
      return isSecure ? "tls" : "udp";
    case "udp":
      return isSecure ? undefined : "udp";
    case "tcp":
      return isSecure ? "tls" : "tcp";
    case "tls":
      return "tls";
    case "ws":
      return isSecure ? "wss" : "ws";
    case "wss":
      return "wss";
    default:
      return undefined;
  }
}

const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};

/** The port a URI or Via without one means (RFC 3261 §18.1.1, RFC 7118 §5.5). */
export function defaultPort(protocol: Protocol): number {
  return DEFAULT_PORTS[protocol];
}
