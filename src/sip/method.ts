/** The methods of RFC 3261 and its extensions; any other token is a method too (RFC 3261 §7.1). */
export const METHODS = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "REGISTER",
  "PRACK",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "INFO",
  "REFER",
  "MESSAGE",
  "UPDATE",
] as const;

const BITS: ReadonlyMap<string, number> = new Map(METHODS.map((method, i) => [method as string, 1 << i]));

const INTERNED: ReadonlyMap<string, string> = new Map(METHODS.map((method) => [method, method]));

/** The same method as a string that is compared at once when it is a known one; methods are case-sensitive. */
export function internMethod(method: string): string {
  return INTERNED.get(method) ?? method;
}

/** All methods, known or not: what a contact that lists none takes. */
export const ALL_METHODS = 0xffff;

/** The bit for a method nobody knows; one for all of them. */
const OTHER_METHOD = 1 << 15;

/** The bit that stands for `method` in a set of methods. */
export function methodBit(method: string): number {
  return BITS.get(method) ?? OTHER_METHOD;
}

/**
 * Whether a request of this method, sent outside a dialog, can create one (RFC 3261 §12, RFC 6665, RFC 3515).
 * Of a method we do not know it must be assumed.
 */
export function isDialogForming(method: string): boolean {
  return method === "INVITE" || method === "SUBSCRIBE" || method === "REFER" || !BITS.has(method);
}
