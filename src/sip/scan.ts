/**
 * Steps over a message that every parser of this folder shares. They read bytes, because a loop over bytes
 * is twice as fast as one over the chars of a string, and work on a stretch from `start` up to `end`; line
 * folding inside it is just white space (RFC 3261 §7.3.1).
 */

import { encodeLatin1 } from "../lib/latin1.ts";

/** Text, and the same as bytes: `text` starts at `bytes[base]`. Loops read bytes, values are cut from text. */
export interface Source {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly base: number;
}

/** Memory for texts that are parsed on their own; making some for each would cost more than the parsing. */
const SCRATCH = new Uint8Array(65_536);

/**
 * A source for text that did not come as bytes. Its bytes are good until the next call: whoever parses it
 * cuts out what is wanted before anything else is parsed.
 */
export function sourceOf(text: string): Source {
  const bytes = text.length <= SCRATCH.length ? SCRATCH : new Uint8Array(text.length);
  encodeLatin1(text, bytes);
  return { text, bytes, base: 0 };
}

/** The text behind the bytes from `start` to `end`. */
export function cut(source: Source, start: number, end: number): string {
  return source.text.slice(start - source.base, end - source.base);
}

const TOKEN = 1;
const SPACE = 2;
const HOST = 4;
const DIGIT = 8;
const HEX = 16;
/** What may stand in the user part of a URI as we take it: more than RFC 3261 §25.1 allows, nothing that could end it. */
const USER = 32;
/** What may stand in a URI parameter or its value. */
const URI_PARAM = 64;

const CLASSES = new Uint8Array(256);
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";

function mark(chars: string, kind: number): void {
  for (let i = 0; i < chars.length; i++) CLASSES[chars.charCodeAt(i)] |= kind;
}

mark(LETTERS + DIGITS + "-.!%*_+`'~", TOKEN);
mark(" \t\r\n", SPACE);
mark(LETTERS + DIGITS + "-._", HOST);
mark(DIGITS, DIGIT);
mark(DIGITS + "abcdefABCDEF", HEX);
// mark(unreserved, user-unreserved) of RFC 3261 §25.1, and "#", "[", "]", "^", "|" as phones really send them.
mark(LETTERS + DIGITS + "-_.!~*'()" + "&=+$,;?/" + "%:" + "#[]^|", USER);
mark(LETTERS + DIGITS + "-_.!~*'()" + "[]/:&+$" + "%" + "^|", URI_PARAM);

/** Whether a byte belongs to a class of RFC 3261 §25.1. */
export const isTokenChar = (code: number): boolean => (CLASSES[code] & TOKEN) !== 0;
export const isSpace = (code: number): boolean => (CLASSES[code] & SPACE) !== 0;
export const isHostChar = (code: number): boolean => (CLASSES[code] & HOST) !== 0;
export const isDigit = (code: number): boolean => (CLASSES[code] & DIGIT) !== 0;
export const isHexDigit = (code: number): boolean => (CLASSES[code] & HEX) !== 0;
export const isUserChar = (code: number): boolean => (CLASSES[code] & USER) !== 0;
export const isUriParamChar = (code: number): boolean => (CLASSES[code] & URI_PARAM) !== 0;

/** The bytes that mean something to the grammar. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const PERCENT = 0x25;
export const STAR = 0x2a;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const QUESTION = 0x3f;
export const AT = 0x40;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;

/** The first offset from `start` that is not white space, or `end`. */
export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (CLASSES[bytes[i]] & SPACE) !== 0) i++;
  return i;
}

/** The offset after the last byte before `end` that is not white space; `start` if there is none. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && (CLASSES[bytes[i - 1]] & SPACE) !== 0) i--;
  return i;
}

/** The first offset from `start` that is not a token char, or `end`. */
export function skipToken(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (CLASSES[bytes[i]] & TOKEN) !== 0) i++;
  return i;
}

/** The first offset from `start` that cannot be in a host name or IPv4 address, or `end`. */
export function skipHost(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (CLASSES[bytes[i]] & HOST) !== 0) i++;
  return i;
}

/** The first offset from `start` that is not a digit, or `end`. */
export function skipDigits(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (CLASSES[bytes[i]] & DIGIT) !== 0) i++;
  return i;
}

/** The first offset from `start` that holds `code`, or `end`. */
export function find(bytes: Uint8Array, start: number, end: number, code: number): number {
  let i = start;
  while (i < end && bytes[i] !== code) i++;
  return i;
}

/** The offset after the quoted string that opens at `start`; -1 if it does not close before `end`. */
export function skipQuoted(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    const code = bytes[i];
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/** The unsigned number written in decimal from `start` to `end`; -1 if it is empty, not digits only, or above `max`. */
export function parseDecimal(bytes: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if ((CLASSES[code] & DIGIT) === 0) return -1;
    value = value * 10 + (code - 0x30);
    if (value > max) return -1;
  }
  return value;
}

/** The number a text of nothing but decimal digits stands for; -1 if it is something else or above `max`. */
export function decimalOf(text: string, max: number): number {
  if (!/^[0-9]+$/.test(text)) return -1;
  const value = Number(text);
  return value > max ? -1 : value;
}

/** The values of a comma list, trimmed; empty ones are left out, and commas in quotes or brackets are data. */
export function splitList(text: string): string[] {
  if (!text.includes(",")) {
    const only = trimSpace(text);
    return only === "" ? [] : [only];
  }
  const source = sourceOf(text);
  const { bytes } = source;
  const end = text.length;
  const values: string[] = [];
  for (let at = 0; at < end;) {
    const stop = endOfListItem(bytes, at, end);
    const from = skipSpace(bytes, at, stop);
    const to = trimEnd(bytes, from, stop);
    if (to > from) values.push(text.slice(from, to));
    at = stop + 1;
  }
  return values;
}

/** The first comma from `start` outside quotes and angle brackets, or `end`; one that does not close reaches to the end. */
function endOfListItem(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if (code === COMMA) return i;
    if (code === QUOTE) {
      i = skipQuoted(bytes, i, end) - 1;
      if (i < 0) return end;
    } else if (code === LESS) {
      i = find(bytes, i, end, GREATER);
    }
  }
  return end;
}

/** A text without white space at its ends. `trim` would also take NBSP, which here is a byte of some letters. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A folded value as one line: each fold, with the white space around it, becomes one space (RFC 3261 §7.3.1). */
export function unfold(value: string): string {
  if (!value.includes("\n")) return value;
  return value.split("\r\n").map(trimSpace).filter((line) => line !== "").join(" ");
}
