import { canonicalIp, isIpv6 } from "../lib/ip_address.ts";
import { MalformedError } from "./errors.ts";
import { type ParamPlace, Params, stepOverParam } from "./params.ts";
import {
  CLOSE_BRACKET,
  COLON,
  COMMA,
  cut,
  DOT,
  find,
  OPEN_BRACKET,
  parseDecimal,
  skipDigits,
  skipHost,
  skipSpace,
  skipToken,
  SLASH,
  type Source,
  sourceOf,
  SP,
  trimSpace,
} from "./scan.ts";

/** What a branch made by RFC 3261 begins with (§8.1.1.7). */
export const MAGIC_COOKIE = "z9hG4bK";

/** One hop a request took (RFC 3261 §20.42). Offsets are those of the text it was parsed from. */
export class Via {
  /** In upper case: UDP, TCP, TLS, WS, WSS or what else somebody speaks. */
  transport = "UDP";
  /** Lower case; IPv6 without brackets and in canonical form. */
  host = "";
  port: number | undefined = undefined;
  branch: string | undefined = undefined;
  /** As written; "" when the sender asks for its port to be noted (RFC 3581). */
  rport: string | undefined = undefined;
  received: string | undefined = undefined;
  maddr: string | undefined = undefined;
  /** Where the name of an rport parameter ends that is alone and has no value, not even "="; -1 for any other. */
  rportEnd = -1;
  /** Where the parameters start: the first semicolon, or `end` if there is none. */
  paramsStart = 0;
  /** Where the value ends: at a comma or at the end. */
  end = 0;
  readonly #text: string;

  /** `text` is what it is parsed from. */
  constructor(text: string) {
    this.#text = text;
  }

  get params(): Params {
    return new Params(trimSpace(this.#text.slice(this.paramsStart, this.end)));
  }

  /** Whether the branch identifies the transaction by itself (RFC 3261 §17.2.3). */
  get hasCookie(): boolean {
    const { branch } = this;
    return branch !== undefined && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE);
  }
}

/** Parses a Via value that stands alone. Throws MalformedError. */
export function parseVia(text: string): Via {
  return readVia(sourceOf(text), 0, text.length);
}

/** Parses the Via value at `start`, up to a comma or `end`. Throws MalformedError. */
export function readVia(source: Source, start: number, end: number): Via {
  const { bytes, base } = source;
  const via = new Via(source.text);
  let i = skipSpace(bytes, start, end);
  if (isUsualProtocol(bytes, i, end)) {
    i += 12;
  } else {
    i = skipTokenAndSlash(bytes, i, end);
    i = skipTokenAndSlash(bytes, i, end);
    const stop = skipToken(bytes, i, end);
    if (stop === i || skipSpace(bytes, stop, end) === stop) throw malformed();
    via.transport = cut(source, i, stop).toUpperCase();
    i = stop;
  }

  i = skipSpace(bytes, i, end);
  const hostStart = i;
  if (bytes[i] === OPEN_BRACKET && i < end) {
    i = find(bytes, i, end, CLOSE_BRACKET);
    const text = i === end ? "" : cut(source, hostStart + 1, i);
    const address = isIpv6(text) ? canonicalIp(text) : undefined;
    if (address === undefined) throw malformed();
    via.host = address;
    i++;
  } else {
    i = skipHost(bytes, i, end);
    if (i === hostStart) throw malformed();
    via.host = lowerCase(source, hostStart, i);
  }

  i = skipSpace(bytes, i, end);
  if (bytes[i] === COLON && i < end) {
    const portStart = skipSpace(bytes, i + 1, end);
    i = skipDigits(bytes, portStart, end);
    via.port = parseDecimal(bytes, portStart, i, 65_535);
    if (via.port < 1) throw malformed();
    i = skipSpace(bytes, i, end);
  }

  const paramsStart = i;
  while (i < end && bytes[i] !== COMMA) {
    i = stepOverParam(bytes, i, end, "Via", PLACE);
    noteParam(source, via, PLACE);
  }
  via.paramsStart = paramsStart - base;
  via.end = i - base;
  return via;
}

/** Used again for every parameter: none is stepped over while another is. */
const PLACE: ParamPlace = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };

function lowerCase(source: Source, start: number, end: number): string {
  const text = cut(source, start, end);
  for (let i = start; i < end; i++) {
    const code = source.bytes[i];
    if (code >= 0x41 && code <= 0x5a) return text.toLowerCase();
  }
  return text;
}

/** "SIP/2.0/UDP " without white space, as nearly everybody writes it. */
function isUsualProtocol(bytes: Uint8Array, i: number, end: number): boolean {
  return i + 12 < end && bytes[i + 11] === SP && bytes[i + 8] === 0x55 && bytes[i + 9] === 0x44 &&
    bytes[i + 10] === 0x50 && bytes[i + 7] === SLASH && bytes[i] === 0x53 && bytes[i + 1] === 0x49 &&
    bytes[i + 2] === 0x50 && bytes[i + 3] === SLASH && bytes[i + 4] === 0x32 && bytes[i + 5] === DOT &&
    bytes[i + 6] === 0x30;
}

function noteParam(source: Source, via: Via, place: ParamPlace): void {
  const { nameStart, nameEnd, valueStart, valueEnd } = place;
  const length = nameEnd - nameStart;
  // The others nobody asks for; an address in maddr may be a name.
  if (length !== 5 && length !== 6 && length !== 8) return;
  const name = lowerCase(source, nameStart, nameEnd);
  if (name === "branch") {
    // Two of them would name two transactions.
    if (via.branch !== undefined) throw new MalformedError("More than one branch in Via");
    via.branch = cut(source, valueStart, valueEnd);
  } else if (name === "rport") {
    const isBare = via.rport === undefined && valueStart === nameEnd;
    via.rport = cut(source, valueStart, valueEnd);
    via.rportEnd = isBare ? nameEnd - source.base : -1;
  } else if (name === "received") {
    via.received = cut(source, valueStart, valueEnd);
  } else if (name === "maddr") {
    via.maddr = lowerCase(source, valueStart, valueEnd);
  }
}

/** The name or version of the protocol at `start`, and the slash after it. */
function skipTokenAndSlash(bytes: Uint8Array, start: number, end: number): number {
  const stop = skipToken(bytes, start, end);
  const slash = skipSpace(bytes, stop, end);
  if (stop === start || slash >= end || bytes[slash] !== SLASH) throw malformed();
  return skipSpace(bytes, slash + 1, end);
}

function malformed(): MalformedError {
  return new MalformedError("Malformed Via");
}
