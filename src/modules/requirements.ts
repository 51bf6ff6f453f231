import type { Received } from "../proxy/mod.ts";
import { reasonOf, SipError } from "../sip/mod.ts";

/** Refuses a request that asks proxies for what none of ours can do (RFC 3261 §16.3 step 5). */
export function checkProxyRequire({ request }: Received): void {
  if (!request.has("Proxy-Require")) return;
  // Neither is answered with a demand to repeat it without (RFC 3261 §8.2.2.3).
  if (request.method === "ACK" || request.method === "CANCEL") return;
  refuse(request.all("Proxy-Require"));
}

/** Refuses a request to this very server that asks for more than `supported`, in lower case (RFC 3261 §8.2.2.3). */
export function checkRequire({ request }: Received, supported: readonly string[] = []): void {
  if (!request.has("Require")) return;
  refuse(request.all("Require").filter((tag) => !supported.includes(tag.toLowerCase())));
}

function refuse(unsupported: readonly string[]): void {
  if (unsupported.length > 0) {
    throw new SipError(420, reasonOf(420), [["Unsupported", unsupported.join(", ")]]);
  }
}
