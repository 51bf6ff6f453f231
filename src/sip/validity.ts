import { MalformedError, SipError } from "./errors.ts";
import type { SipRequest } from "./message.ts";
import { reasonOf } from "./status.ts";

/**
 * What keeps a request from being acted on, whoever it is for: undefined if it is sound, else the answer it
 * deserves. Looks only at what every request must have right (RFC 3261 §8.1.1, §16.3 step 1): other fields
 * may be as odd as they like.
 */
export function requestFault(request: SipRequest): SipError | undefined {
  if (request.version !== "SIP/2.0" && isOtherVersion(request.version)) {
    return new SipError(505, reasonOf(505));
  }
  if (request.isTooLarge) return new SipError(513, reasonOf(513));
  if (request.fault !== undefined) return new MalformedError(request.fault);
  if (request.cseq.method !== request.method) return new MalformedError("CSeq method is not the request's");
  try {
    // Read for what they throw.
    void request.maxForwards;
    if (request.uri.headers !== "") throw new MalformedError("Request-URI with headers");
    return undefined;
  } catch (error) {
    if (error instanceof SipError) return error;
    throw error;
  }
}

/** Whether it is a version of SIP, and not ours in another case (RFC 3261 §7.1). */
function isOtherVersion(version: string): boolean {
  return /^SIP\/[0-9]+\.[0-9]+$/i.test(version) && version.toUpperCase() !== "SIP/2.0";
}
