import { bracketed, canonicalIp } from "../lib/ip_address.ts";
import { MalformedError } from "./errors.ts";
import { Params } from "./params.ts";
import {
  COLON,
  decimalOf,
  EQUALS,
  GREATER,
  isHexDigit,
  isHostChar,
  isUriParamChar,
  isUserChar,
  LESS,
  OPEN_BRACKET,
  PERCENT,
  QUESTION,
  QUOTE,
  SEMICOLON,
  SP,
} from "./scan.ts";

/** A URI as SIP uses it (RFC 3261 §19.1); of a scheme other than sip and sips only scheme and text are known. */
export interface Uri {
  /** In lower case. */
  readonly scheme: string;
  /** Whether it is sip or sips, so that host, port and parameters mean something. */
  readonly isSip: boolean;
  /** Escapes kept; undefined if there is none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Lower case; IPv6 without brackets and in canonical form; "" unless `isSip`. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** What follows the question mark, without it. */
  readonly headers: string;
  /** As written. */
  toString(): string;
}

class ParsedUri implements Uri {
  constructor(
    readonly text: string,
    readonly scheme: string,
    readonly isSip: boolean,
    readonly user: string | undefined,
    readonly password: string | undefined,
    readonly host: string,
    readonly port: number | undefined,
    readonly params: Params,
    readonly headers: string,
  ) {}

  toString(): string {
    return this.text;
  }
}

/** Parses an absolute URI; throws MalformedError. */
export function parseUri(text: string): Uri {
  if (text.startsWith("sip:")) return parseSipUri(text, "sip", 4);
  const colon = text.indexOf(":");
  const scheme = colon < 1 ? "" : text.slice(0, colon).toLowerCase();
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) throw new MalformedError("Malformed URI");
  if (scheme === "sip" || scheme === "sips") return parseSipUri(text, scheme, colon + 1);
  if (colon + 1 === text.length) throw new MalformedError("Malformed URI");
  for (let i = colon + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= SP || code === 0x7f) throw new MalformedError("Malformed URI");
  }
  return new ParsedUri(text, scheme, false, undefined, undefined, "", undefined, Params.none, "");
}

function parseSipUri(text: string, scheme: string, start: number): Uri {
  const end = text.length;
  const at = text.indexOf("@", start);
  let user: string | undefined;
  let password: string | undefined;
  let hostStart = start;
  if (at >= 0) {
    // ";" and "?" may stand in the user part, so it ends at the first "@", whatever came before (§25.1).
    const colon = text.indexOf(":", start);
    const userEnd = colon >= 0 && colon < at ? colon : at;
    checkUserInfo(text, start, at);
    if (userEnd === start) throw new MalformedError("URI with an empty user");
    user = text.slice(start, userEnd);
    password = userEnd < at ? text.slice(userEnd + 1, at) : undefined;
    hostStart = at + 1;
  }

  let i: number;
  let host: string;
  if (text.charCodeAt(hostStart) === OPEN_BRACKET) {
    const close = text.indexOf("]", hostStart);
    const address = close < 0 ? undefined : canonicalIp(text.slice(hostStart + 1, close));
    if (address === undefined || !text.slice(hostStart, close).includes(":")) {
      throw new MalformedError("Malformed IPv6 address in URI");
    }
    host = address;
    i = close + 1;
  } else {
    i = hostStart;
    while (i < end && isHostChar(text.charCodeAt(i))) i++;
    if (i === hostStart) throw new MalformedError("URI without a host");
    host = text.slice(hostStart, i).toLowerCase();
  }

  let port: number | undefined;
  if (text.charCodeAt(i) === COLON) {
    const portStart = ++i;
    while (i < end && text.charCodeAt(i) !== SEMICOLON && text.charCodeAt(i) !== QUESTION) i++;
    port = decimalOf(text.slice(portStart, i), 65_535);
    if (port < 1) throw new MalformedError("Malformed port in URI");
  }

  const paramsEnd = i < end && text.charCodeAt(i) === SEMICOLON ? endOfUriParams(text, i) : i;
  const params = paramsEnd > i ? uriParams(text, i, paramsEnd) : Params.none;
  let headers = "";
  if (paramsEnd < end) {
    if (text.charCodeAt(paramsEnd) !== QUESTION) throw new MalformedError("Malformed URI");
    headers = text.slice(paramsEnd + 1);
    checkHeaders(headers);
  }
  return new ParsedUri(text, scheme, true, user, password, host, port, params, headers);
}

function checkUserInfo(text: string, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    // UTF-8 in a user part ought to be escaped; phones send it as it is, and it does no harm.
    if (code < 0x80 && !isUserChar(code)) throw new MalformedError("Malformed user in URI");
    if (code === PERCENT) checkEscape(text, i, end);
  }
}

/** Checks that two hexadecimal digits follow the percent sign at `at`. */
function checkEscape(text: string, at: number, end: number): void {
  if (at + 2 >= end || !isHexDigit(text.charCodeAt(at + 1)) || !isHexDigit(text.charCodeAt(at + 2))) {
    throw new MalformedError("Malformed escape in URI");
  }
}

function endOfUriParams(text: string, start: number): number {
  const end = text.length;
  let i = start;
  while (i < end && text.charCodeAt(i) === SEMICOLON) {
    const name = ++i;
    while (i < end && isUriParamChar(text.charCodeAt(i))) i++;
    if (i === name) throw new MalformedError("Malformed parameter in URI");
    if (i < end && text.charCodeAt(i) === EQUALS) {
      i++;
      while (i < end && isUriParamChar(text.charCodeAt(i))) i++;
    }
  }
  return i;
}

/** Escaped parameter names and values equal the plain ones (§19.1.4), so look-ups see them unescaped. */
function uriParams(text: string, start: number, end: number): Params {
  const params = text.slice(start, end);
  checkEscapes(params);
  return params.includes("%") ? new Params(unescapePlain(params)) : new Params(params);
}

function checkHeaders(headers: string): void {
  if (headers === "") throw new MalformedError("Malformed headers in URI");
  for (let i = 0; i < headers.length; i++) {
    const code = headers.charCodeAt(i);
    if (code <= SP || code === 0x7f || code === QUOTE || code === LESS || code === GREATER) {
      throw new MalformedError("Malformed headers in URI");
    }
  }
  checkEscapes(headers);
}

function checkEscapes(text: string): void {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 1)) {
    checkEscape(text, at, text.length);
  }
}

/** Undoes the escapes of chars that need none, and writes the others in upper case; never decodes twice. */
export function unescapePlain(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => {
    const char = String.fromCharCode(parseInt(hex, 16));
    return /[A-Za-z0-9_.!~*'()-]/.test(char) ? char : `%${hex.toUpperCase()}`;
  });
}

/** Host and, if there is one, port, as they stand in a URI. */
export function hostPort(host: string, port: number | undefined): string {
  return port === undefined ? bracketed(host) : `${bracketed(host)}:${port}`;
}

/** Parameters that make two URIs differ when only one of them has it (§19.1.4). */
const TELLING_PARAMS = ["user", "ttl", "method", "maddr", "transport"] as const;

/**
 * URI equality by RFC 3261 §19.1.4: user and password with regard to case, the rest without; no default
 * equals being absent. URIs of other schemes are equal when their texts are.
 */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.toString() === b.toString()) return true;
  if (!a.isSip || a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false;
  if (samePart(a.user) !== samePart(b.user) || samePart(a.password) !== samePart(b.password)) return false;
  return sameParams(a.params, b.params) && sameHeaders(a.headers, b.headers);
}

function samePart(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unescapePlain(text);
}

function sameParams(a: Params, b: Params): boolean {
  for (const name of TELLING_PARAMS) if (a.has(name) !== b.has(name)) return false;
  for (const { name, value } of a.list) {
    const other = b.get(name);
    if (other !== undefined && other.toLowerCase() !== (value ?? "").toLowerCase()) return false;
  }
  return true;
}

/** Headers must match entirely, in any order; the names without regard to case. */
function sameHeaders(a: string, b: string): boolean {
  if (a === b) return true;
  return normalHeaders(a) === normalHeaders(b);
}

function normalHeaders(headers: string): string {
  return headers.split("&").map((header) => {
    const equals = header.indexOf("=");
    const nameEnd = equals < 0 ? header.length : equals;
    return unescapePlain(header.slice(0, nameEnd)).toLowerCase() + unescapePlain(header.slice(nameEnd));
  }).sort().join("&");
}

/** The URI as it may stand in a request line: without headers and `method` (RFC 3261 §19.1.1 table 1). */
export function asRequestUri(uri: Uri): string {
  const text = uri.toString();
  if (uri.headers === "" && !uri.params.has("method")) return text;
  const base = text.slice(0, text.length - (uri.headers === "" ? 0 : uri.headers.length + 1));
  if (!uri.params.has("method")) return base;
  const plain = base.slice(0, base.indexOf(";", Math.max(base.indexOf("@"), 0)));
  return plain + uri.params.without("method");
}
