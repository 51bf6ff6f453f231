import { MalformedError } from "./errors.ts";
import type { NameAddr } from "./name_addr.ts";

/** The largest number of seconds RFC 3261 §20.10 and §20.19 allow. */
export const MAX_EXPIRES = 2 ** 32 - 1;

/** The contacts of a message: a star, or addresses. */
export type Contacts = "*" | readonly NameAddr[];

/**
 * A number of seconds as written in an expires parameter or Expires header: one that is too large is the
 * largest there is, one that is no number is undefined (RFC 3261 §10.2.1.1 leaves it to the default).
 */
export function parseExpires(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  let seconds = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    seconds = Math.min(seconds * 10 + digit, MAX_EXPIRES);
  }
  return seconds;
}

/** A preference from 0 to 1 with up to three decimals (RFC 3261 §25.1 qvalue); throws MalformedError. */
export function parseQ(text: string): number {
  if (!/^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/.test(text)) throw new MalformedError("Invalid q value in Contact");
  return Number(text);
}
