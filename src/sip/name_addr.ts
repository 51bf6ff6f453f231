import { MalformedError } from "./errors.ts";
import { type ParamPlace, Params, stepOverParam } from "./params.ts";
import {
  COMMA,
  cut,
  GREATER,
  isSpace,
  isTokenChar,
  LESS,
  QUESTION,
  QUOTE,
  SEMICOLON,
  skipQuoted,
  skipSpace,
  type Source,
  sourceOf,
  SP,
  trimEnd,
} from "./scan.ts";
import { parseUri, type Uri } from "./uri.ts";

/** An address in a header: a URI, perhaps with a display name, and the parameters after it (RFC 3261 §20.10). */
export class NameAddr {
  #uri: Uri | undefined = undefined;

  constructor(
    /** As written, quotes included; "" if there is none. */
    readonly display: string,
    /** The URI as written, without angle brackets. */
    readonly uriText: string,
    /** The parameters of the header field, not those of the URI. */
    readonly params: Params,
  ) {}

  /** Throws MalformedError. */
  get uri(): Uri {
    return this.#uri ??= parseUri(this.uriText);
  }

  /** The URI in angle brackets, with its parameters: a form that means the same in every header. */
  toString(): string {
    return `${this.display}<${this.uriText}>${this.params}`;
  }
}

/** Where the parts of one address stand; a part of equal ends is empty. */
export class AddressPlace {
  displayStart = 0;
  displayEnd = 0;
  uriStart = 0;
  uriEnd = 0;
  paramsStart = 0;
  paramsEnd = 0;
  /** The value of the tag parameter; the end is -1 if there is none. */
  tagStart = 0;
  tagEnd = -1;
}

/** Used again for every address that is scanned: none is scanned while another is. */
const PARAM: ParamPlace = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };
const PLACE = new AddressPlace();

/** All addresses of a comma list. Throws MalformedError. */
export function parseNameAddrs(text: string, what: string): NameAddr[] {
  const list: NameAddr[] = [];
  readNameAddrs(sourceOf(text), 0, text.length, what, list);
  return list;
}

/** Adds the addresses of the comma list from `start` to `end` to `list`. Throws MalformedError. */
export function readNameAddrs(
  source: Source,
  start: number,
  end: number,
  what: string,
  list: NameAddr[],
): void {
  for (let at = start; at < end;) {
    at = scanAddress(source.bytes, at, end, what, PLACE) + 1;
    list.push(addressAt(source, PLACE));
  }
}

/** The only address of a text. Throws MalformedError. */
export function parseNameAddr(text: string, what: string): NameAddr {
  const list = parseNameAddrs(text, what);
  if (list.length !== 1) throw new MalformedError(`Not one address in ${what}`);
  return list[0];
}

function addressAt(source: Source, place: AddressPlace): NameAddr {
  const { displayStart, displayEnd, uriStart, uriEnd, paramsStart, paramsEnd } = place;
  const params = paramsEnd > paramsStart ? new Params(cut(source, paramsStart, paramsEnd)) : Params.none;
  return new NameAddr(cut(source, displayStart, displayEnd), cut(source, uriStart, uriEnd), params);
}

/**
 * Finds the parts of the address at `start`, notes them in `place`, and returns where it stops: at a comma or
 * at `end`. Throws MalformedError about `what`.
 */
export function scanAddress(
  bytes: Uint8Array,
  start: number,
  end: number,
  what: string,
  place: AddressPlace,
): number {
  const from = skipSpace(bytes, start, end);
  place.displayStart = from;
  if (from < end && bytes[from] === QUOTE) {
    const close = skipQuoted(bytes, from, end);
    if (close < 0) throw new MalformedError(`Unterminated quoted string in ${what}`);
    const less = skipSpace(bytes, close, end);
    if (less === end || bytes[less] !== LESS) throw new MalformedError(`Malformed ${what}`);
    place.displayEnd = close;
    return scanBrackets(bytes, less, end, what, place);
  }
  const less = endOfDisplayName(bytes, from, end);
  if (less < 0) return scanBare(bytes, from, end, what, place);
  place.displayEnd = trimEnd(bytes, from, less);
  return scanBrackets(bytes, less, end, what, place);
}

/** The offset of the "<" that only tokens and white space precede; -1 if the value is a bare URI. */
function endOfDisplayName(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if (code === LESS) return i;
    if (!isTokenChar(code) && !isSpace(code)) return -1;
  }
  return -1;
}

function scanBrackets(
  bytes: Uint8Array,
  less: number,
  end: number,
  what: string,
  place: AddressPlace,
): number {
  let close = less + 1;
  // White space has no place in a URI, nor have control characters.
  while (close < end && bytes[close] !== GREATER && bytes[close] > SP) close++;
  if (close === end || bytes[close] !== GREATER || close === less + 1) {
    throw new MalformedError(`Malformed ${what}: no URI in its angle brackets`);
  }
  place.uriStart = less + 1;
  place.uriEnd = close;
  return scanParams(bytes, close + 1, end, what, place);
}

/** Without brackets every semicolon starts a header parameter, and "," and "?" end or spoil it (§20.10). */
function scanBare(bytes: Uint8Array, start: number, end: number, what: string, place: AddressPlace): number {
  let i = start;
  for (; i < end; i++) {
    const code = bytes[i];
    if (code === SEMICOLON || code === COMMA || isSpace(code)) break;
    if (code === QUESTION || code === LESS || code === GREATER || code === QUOTE) {
      throw new MalformedError(`Malformed ${what}: the address needs angle brackets`);
    }
  }
  if (i === start) throw new MalformedError(`Empty ${what}`);
  place.displayEnd = start;
  place.uriStart = start;
  place.uriEnd = i;
  return scanParams(bytes, i, end, what, place);
}

function scanParams(
  bytes: Uint8Array,
  after: number,
  end: number,
  what: string,
  place: AddressPlace,
): number {
  const from = skipSpace(bytes, after, end);
  place.tagStart = 0;
  place.tagEnd = -1;
  let i = from;
  while (i < end && bytes[i] !== COMMA) {
    i = stepOverParam(bytes, i, end, what, PARAM);
    if (isTag(bytes)) {
      // Two of them would name two dialogs.
      if (place.tagEnd >= 0) throw new MalformedError(`More than one tag in ${what}`);
      place.tagStart = PARAM.valueStart;
      place.tagEnd = PARAM.valueEnd;
    }
  }
  place.paramsStart = from;
  place.paramsEnd = trimEnd(bytes, from, i);
  return i;
}

/** Whether the parameter just stepped over is called tag. */
function isTag(bytes: Uint8Array): boolean {
  const { nameStart, nameEnd } = PARAM;
  return nameEnd - nameStart === 3 && (bytes[nameStart] | 0x20) === 0x74 &&
    (bytes[nameStart + 1] | 0x20) === 0x61 && (bytes[nameStart + 2] | 0x20) === 0x67;
}
