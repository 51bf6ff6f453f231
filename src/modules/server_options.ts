import type { HeaderList } from "../sip/mod.ts";

/**
 * What this server says of itself when an OPTIONS asks (RFC 3261 §11.2). No Allow: a proxy passes every
 * method, so it has nothing to list.
 */
export const CAPABILITIES: HeaderList = [
  ["Accept", "application/sdp"],
  ["Accept-Encoding", "identity"],
  ["Accept-Language", "en"],
  ["Supported", ""],
];
