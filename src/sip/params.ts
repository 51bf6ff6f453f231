import { MalformedError } from "./errors.ts";
import {
  COMMA,
  EQUALS,
  GREATER,
  isSpace,
  LESS,
  QUOTE,
  SEMICOLON,
  skipQuoted,
  skipSpace,
  skipToken,
  trimSpace,
} from "./scan.ts";

/** One parameter: its name and value as written, quotes and all; the value is undefined for a bare name. */
export interface Param {
  readonly name: string;
  readonly value: string | undefined;
}

/** More parameters than this are looked up in a map: who sends thousands shall not cost the square of them. */
const MAX_WALKED = 16;

/**
 * The parameters that follow a value or stand in a URI: `;name=value;flag` (RFC 3261 §25.1 generic-param),
 * kept as the text they are until somebody asks. Names are compared without regard to case.
 */
export class Params {
  /** No parameters at all. */
  static readonly none: Params = new Params("");

  readonly #text: string;
  #list: readonly Param[] | undefined = undefined;
  #byName: ReadonlyMap<string, Param> | undefined = undefined;

  /** `text` is taken as checked: empty, or a semicolon and what follows. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The value as written; "" for a bare name, undefined if it is not there. */
  get(name: string): string | undefined {
    const param = this.#find(name);
    return param === undefined ? undefined : param.value ?? "";
  }

  /** The value with quotes taken off and escapes inside them undone; "" for a bare name. */
  unquoted(name: string): string | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : unquote(value);
  }

  /** Whether a parameter of that name is there, with or without a value. */
  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** All of them, in order. */
  get list(): readonly Param[] {
    return this.#list ??= this.#parse();
  }

  /** The text of all but those named, each with its semicolon; the named ones in lower case. */
  without(...names: string[]): string {
    let text = "";
    for (const { name, value } of this.list) {
      if (names.includes(name.toLowerCase())) continue;
      text += value === undefined ? `;${name}` : `;${name}=${value}`;
    }
    return text;
  }

  /** As written, from the first semicolon. */
  toString(): string {
    return this.#text;
  }

  #parse(): Param[] {
    const text = this.#text;
    const list: Param[] = [];
    for (let at = 0; at < text.length;) {
      // The text was checked: what follows a semicolon is a name, perhaps "=", and a value.
      const start = at + 1;
      let end = text.indexOf(";", start);
      if (end < 0) end = text.length;
      const equals = text.indexOf("=", start);
      if (equals < 0 || equals > end) {
        list.push({ name: trimSpace(text.slice(start, end)), value: undefined });
      } else {
        const name = trimSpace(text.slice(start, equals));
        const quoteAt = text.indexOf('"', equals);
        if (quoteAt >= 0 && quoteAt < end) end = endOfQuotedParam(text, quoteAt);
        list.push({ name, value: trimSpace(text.slice(equals + 1, end)) });
      }
      at = end;
    }
    return list;
  }

  #find(name: string): Param | undefined {
    if (this.#text === "") return undefined;
    const { list } = this;
    if (list.length > MAX_WALKED) return (this.#byName ??= byName(list)).get(name.toLowerCase());
    for (const param of list) {
      if (param.name.length === name.length && sameName(param.name, name)) return param;
    }
    return undefined;
  }
}

/** The first of each name, by the name in lower case. */
function byName(list: readonly Param[]): ReadonlyMap<string, Param> {
  const found = new Map<string, Param>();
  for (const param of list) {
    const name = param.name.toLowerCase();
    if (!found.has(name)) found.set(name, param);
  }
  return found;
}

/** The semicolon after the quoted value that opens at `start`, or the end of the text. */
function endOfQuotedParam(text: string, start: number): number {
  let close = text.indexOf('"', start + 1);
  while (close >= 0 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  const end = close < 0 ? -1 : text.indexOf(";", close);
  return end < 0 ? text.length : end;
}

/** Whether an odd number of backslashes stands before the char at `at`. */
function isEscaped(text: string, at: number): boolean {
  let i = at;
  while (text[i - 1] === "\\") i--;
  return (at - i) % 2 === 1;
}

function sameName(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}

/** Where the parameter last stepped over stands; a value of equal ends is empty or missing. */
export interface ParamPlace {
  nameStart: number;
  nameEnd: number;
  valueStart: number;
  valueEnd: number;
}

/**
 * Steps over the parameter of a header value whose semicolon is at `start`, notes in `place` where it is,
 * and returns where the next one starts: at a semicolon, a comma or `end`. Throws MalformedError about `what`.
 */
export function stepOverParam(
  bytes: Uint8Array,
  start: number,
  end: number,
  what: string,
  place: ParamPlace,
): number {
  if (bytes[start] !== SEMICOLON) throw new MalformedError(`Malformed ${what}`);
  const name = skipSpace(bytes, start + 1, end);
  let i = skipToken(bytes, name, end);
  if (i === name) throw new MalformedError(`Malformed ${what} parameter`);
  place.nameStart = name;
  place.nameEnd = i;
  place.valueStart = i;
  place.valueEnd = i;
  i = skipSpace(bytes, i, end);
  if (i === end || bytes[i] !== EQUALS) return i;
  i = skipSpace(bytes, i + 1, end);
  place.valueStart = i;
  i = endOfValue(bytes, i, end, what);
  place.valueEnd = i;
  return skipSpace(bytes, i, end);
}

/** A value is a token, a host or a quoted string; we take any run of chars that cannot end it. */
function endOfValue(bytes: Uint8Array, start: number, end: number, what: string): number {
  if (start < end && bytes[start] === QUOTE) {
    const stop = skipQuoted(bytes, start, end);
    if (stop < 0) throw new MalformedError(`Unterminated quoted string in ${what}`);
    return stop;
  }
  let i = start;
  for (; i < end; i++) {
    const code = bytes[i];
    if (code === SEMICOLON || code === COMMA || isSpace(code)) break;
    if (code === QUOTE || code === LESS || code === GREATER) {
      throw new MalformedError(`Malformed ${what} parameter`);
    }
  }
  return i;
}

/** A quoted string without its quotes and backslashes; anything else as it is. */
export function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"')) return value;
  const inner = value.slice(1, -1);
  return inner.includes("\\") ? inner.replace(/\\(.)/gs, "$1") : inner;
}

/** A value in quotes, with what would end it escaped (RFC 3261 §25.1 quoted-string). */
export function quote(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
