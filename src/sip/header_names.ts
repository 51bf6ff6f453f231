/**
 * The header fields we look at, each with its compact form (RFC 3261 §7.3.3 and the registry). The index is
 * the id a message's header index holds; the first ones may stand in a message only once.
 */
const NAMES = [
  ["Call-ID", "i"],
  ["CSeq"],
  ["From", "f"],
  ["To", "t"],
  ["Max-Forwards"],
  ["Content-Length", "l"],
  ["Via", "v"],
  ["Contact", "m"],
  ["Route"],
  ["Timestamp"],
  ["Record-Route"],
  ["Expires"],
  ["Max-Breadth"],
  ["Proxy-Require"],
  ["Require"],
  ["Supported", "k"],
  ["Path"],
  ["Allow"],
  ["Authorization"],
  ["Proxy-Authorization"],
  ["WWW-Authenticate"],
  ["Proxy-Authenticate"],
  ["Content-Type", "c"],
  ["User-Agent"],
  ["Server"],
  ["Date"],
  ["Event", "o"],
  ["Reason"],
  ["Retry-After"],
  ["Accept"],
  ["Unsupported"],
  ["Min-Expires"],
  ["Flow-Timer"],
] as const;

/** A header field by its full name, in any case; names we do not know are fine. */
export type HeaderName = (typeof NAMES)[number][0] | (string & Record<never, never>);

/** Ids of the fields that every message is asked for. */
export const CALL_ID = 0;
export const CSEQ = 1;
export const FROM = 2;
export const TO = 3;
export const MAX_FORWARDS = 4;
export const CONTENT_LENGTH = 5;
export const VIA = 6;
export const CONTACT = 7;
export const ROUTE = 8;
export const TIMESTAMP = 9;

/** The id of every field that is not in the table. */
export const OTHER = -1;

/** Fields with a lower id than this may stand in a message only once (RFC 3261 §7.3.1). */
export const SINGLE_FIELDS = 6;

/** Every name in its usual spelling and in lower case. */
const IDS: ReadonlyMap<string, number> = new Map(
  NAMES.flatMap(([name], id): [string, number][] => [[name, id], [name.toLowerCase(), id]]),
);

/**
 * Fields whose commas are not list separators: one value a row (RFC 3261 §7.3.1; dates and comments have
 * commas).
 */
const NOT_LISTS: ReadonlySet<number> = new Set(
  [
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authorization",
    "Proxy-Authorization",
    "Date",
    "Call-ID",
    "User-Agent",
    "Server",
    "Retry-After",
  ].map(headerId),
);

/** Which field a compact letter stands for; OTHER for the rest. */
const COMPACT = new Int8Array(256).fill(OTHER);

/** A hash table by length, first and last letter, which tell nearly all of our names apart; open addressing. */
const PLACES = new Int8Array(1024).fill(OTHER);
const LENGTHS = Uint8Array.from(NAMES, ([name]) => name.length);
/** The names in lower case, in rows of LONGEST bytes. */
const LONGEST = 32;
const LETTERS = new Uint8Array(NAMES.length * LONGEST);

const placeOf = (first: number, last: number, length: number): number =>
  ((first | 0x20) * 5 + (last | 0x20) * 11 + length * 31) & 1023;

for (const [id, [name, compact]] of NAMES.entries()) {
  const lower = name.toLowerCase();
  let place = placeOf(lower.charCodeAt(0), lower.charCodeAt(lower.length - 1), lower.length);
  while (PLACES[place] !== OTHER) place = (place + 1) & 1023;
  PLACES[place] = id;
  for (let i = 0; i < lower.length; i++) LETTERS[id * LONGEST + i] = lower.charCodeAt(i);
  if (compact === undefined) continue;
  COMPACT[compact.charCodeAt(0)] = id;
  COMPACT[compact.toUpperCase().charCodeAt(0)] = id;
}

/** The id of the field whose name stands in `bytes` from `start` to `end`, in any case, full or compact. */
export function headerIdAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 1) return COMPACT[bytes[start]];
  let place = placeOf(bytes[start], bytes[end - 1], length);
  for (let id = PLACES[place]; id !== OTHER; id = PLACES[place]) {
    if (LENGTHS[id] === length && isNamed(bytes, start, length, id * LONGEST)) return id;
    place = (place + 1) & 1023;
  }
  return OTHER;
}

function isNamed(bytes: Uint8Array, start: number, length: number, row: number): boolean {
  // The name is made of token chars; setting this bit turns none but a capital into a letter of ours.
  for (let i = 0; i < length; i++) if ((bytes[start + i] | 0x20) !== LETTERS[row + i]) return false;
  return true;
}

/** The id of a field by its full name; OTHER if the table lacks it. */
export function headerId(name: HeaderName): number {
  return IDS.get(name) ?? IDS.get(name.toLowerCase()) ?? OTHER;
}

/** Whether two full names are those of the same field. */
export function sameField(a: HeaderName, b: HeaderName): boolean {
  return a === b || a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/** The full name of a field in the table. */
export function nameOf(id: number): string {
  return NAMES[id][0];
}

/** Whether several values of the field may share a row, split by commas. */
export function isListField(name: HeaderName): boolean {
  return !NOT_LISTS.has(headerId(name));
}
