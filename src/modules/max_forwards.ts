import type { Received } from "../proxy/mod.ts";
import { reasonOf, SipError } from "../sip/mod.ts";

/** Refuses a request that may not go any further (RFC 3261 §16.3 step 3). */
export function checkMaxForwards({ request }: Received): void {
  if (request.maxForwards === 0) throw new SipError(483, reasonOf(483));
}
