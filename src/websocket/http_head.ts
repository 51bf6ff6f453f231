import { byteArea } from "../lib/latin1.ts";

/** The head of an HTTP/1 message, whichever way it goes. */
export interface HttpHead {
  readonly startLine: string;
  /** By names in lower case; rows of one name are joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
  /** How many of the bytes that were given last belong to it. */
  readonly end: number;
}

/** Bytes of a head. */
const MAX_HEAD = 16_384;

/** What no head may have in it; whoever speaks something else is found by it soon. */
// deno-lint-ignore no-control-regex
const FOREIGN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const BLANKS = /^[ \t]+/;

/** Reads a head from bytes that come in pieces (RFC 9112 §2.2, §5). */
export class HttpHeadReader {
  #text = "";

  /** Takes the next bytes; undefined while there is more to come, "bad" as soon as it can be no head. */
  push(bytes: Uint8Array): HttpHead | "bad" | undefined {
    const before = this.#text.length;
    const more = byteArea(bytes).latin1Slice(0, Math.min(bytes.length, MAX_HEAD + 1 - before));
    this.#text += more;
    // One empty line in front is let pass.
    const start = this.#text.startsWith("\r\n") ? 2 : 0;
    const end = this.#text.indexOf("\r\n\r\n", Math.max(start, before - 3));
    if (end < 0) {
      return this.#text.length > MAX_HEAD || FOREIGN.test(more) || !canBegin(this.#text) ? "bad" : undefined;
    }
    const [startLine, ...rows] = this.#text.slice(start, end).split("\r\n");
    this.#text = "";
    const fields = fieldsOf(rows);
    return fields === undefined || FOREIGN.test(startLine) || /[\r\n]/.test(startLine)
      ? "bad"
      : { startLine, fields, end: end + 4 - before };
  }
}

function canBegin(text: string): boolean {
  const code = text.charCodeAt(0);
  return code === 0x0d || code >= 0x41 && code <= 0x5a || code >= 0x61 && code <= 0x7a;
}

function fieldsOf(rows: readonly string[]): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const row of rows) {
    const colon = row.indexOf(":");
    // What is folded has a blank where a name begins (RFC 9112 §5.2).
    if (!FIELD_NAME.test(row.slice(0, Math.max(colon, 0)))) return undefined;
    const value = row.slice(colon + 1);
    if (FOREIGN.test(value) || /[\r\n]/.test(value)) return undefined;
    const name = row.slice(0, colon).toLowerCase();
    const known = fields.get(name);
    const trimmed = trim(value);
    fields.set(name, known === undefined ? trimmed : `${known}, ${trimmed}`);
  }
  return fields;
}

function trim(value: string): string {
  let end = value.length;
  while (end > 0 && (value[end - 1] === " " || value[end - 1] === "\t")) end--;
  return value.slice(0, end).replace(BLANKS, "");
}

/** The members of a list like that of Connection, blanks around them taken off. */
export function listed(value: string | undefined): string[] {
  return value?.split(",").map((member) => member.trim()) ?? [];
}
