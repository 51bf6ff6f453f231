import { checkMaxForwards, checkProxyRequire } from "../modules/mod.ts";
import type { RouteContext } from "../proxy/mod.ts";
import { reasonOf, SipError } from "../sip/mod.ts";

/** What every request must pass before anything else is done with it (RFC 3261 §16.3). */
export function admit(ctx: RouteContext): void {
  if (!ctx.request.uri.isSip) throw new SipError(416, reasonOf(416));
  checkMaxForwards(ctx);
  checkProxyRequire(ctx);
}
