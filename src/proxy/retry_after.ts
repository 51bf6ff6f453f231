import type { SipResponse } from "../sip/mod.ts";

/** Milliseconds for which a peer is believed to be busy at most, whatever it says. */
const MAX_TIME = 3_600_000;

/** Milliseconds until the sender of a 503 wants to be asked again (RFC 3261 §20.33); undefined if it does not say. */
export function retryAfterOf(response: SipResponse): number | undefined {
  const [, seconds] = /^\s*(\d+)/.exec(response.get("Retry-After") ?? "") ?? [];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, MAX_TIME);
}
