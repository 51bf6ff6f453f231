import { MalformedError } from "./errors.ts";
import { headerId, headerIdAt, type HeaderName, nameOf, OTHER, SINGLE_FIELDS, VIA } from "./header_names.ts";
import {
  COLON,
  CR,
  parseDecimal,
  skipSpace,
  skipToken,
  type Source,
  SP,
  TAB,
  trimEnd,
  unfold,
} from "./scan.ts";

/** Numbers per row: id, start of the row, start and end of the value. */
const STRIDE = 4;

/** The id of a row without a name and colon: kept in the index so that the row before it ends where it does. */
const JUNK = -2;

/** Copied for every message: an array that is there at once is filled faster than one that grows. */
const BLANK_ROWS: readonly number[] = new Array<number>(64).fill(0);

/**
 * Where the header rows of a message are, and what each is called. A row is named by its place in the index,
 * a number that only the index understands; -1 is no row.
 */
export class HeaderIndex {
  /** The first structural fault found. */
  readonly fault: string | undefined;
  /** Where the first row starts, in the text. */
  readonly start: number;
  /** Where the last row ends: at the empty line, if there is one. */
  readonly end: number;
  /** Where the body starts; -1 if there is no empty line. */
  readonly bodyStart: number;
  /** Whether a value goes on over several lines. */
  readonly isFolded: boolean;

  readonly #text: string;
  /** STRIDE numbers a row, for `count` of them; the rest is room. */
  readonly #rows: number[];
  readonly #count: number;

  /** Reads the rows from `start` in the text on, and no more of them than `maxRows`. */
  constructor(source: Source, start: number, maxRows: number) {
    const { text, bytes, base } = source;
    const rows = BLANK_ROWS.slice();
    let count = 0;
    let fault: string | undefined;
    let isFolded = false;
    let seen = 0;
    let at = start;
    let bodyStart = -1;

    for (;;) {
      const lf = text.indexOf("\n", at);
      if (lf < 0) {
        fault ??= "No empty line after the header";
        break;
      }
      const end = lf - 1;
      if (end < at || bytes[base + end] !== CR) {
        // What follows may be anything: there is no telling where the header ends.
        fault ??= "Line does not end in CRLF";
        break;
      }
      if (end === at) {
        bodyStart = lf + 1;
        break;
      }
      const first = bytes[base + at];
      const stop = base + end;
      if (first === SP || first === TAB) {
        const from = skipSpace(bytes, base + at, stop);
        if (count === 0) fault ??= "Continuation line before any header";
        else if (from < stop) {
          // The value may start only here.
          if (rows[count - 2] >= rows[count - 1]) rows[count - 2] = from - base;
          rows[count - 1] = trimEnd(bytes, from, stop) - base;
        }
        isFolded = true;
        at = lf + 1;
        continue;
      }
      if (count >= maxRows * STRIDE) {
        fault ??= "Too many header rows";
        break;
      }
      const nameEnd = skipToken(bytes, base + at, stop);
      const colon = bytes[nameEnd] === COLON ? nameEnd : skipSpace(bytes, nameEnd, stop);
      rows[count + 1] = at;
      if (nameEnd === base + at || colon >= stop || bytes[colon] !== COLON) {
        fault ??= "Header row without a name and colon";
        rows[count] = JUNK;
        rows[count + 2] = end;
        rows[count + 3] = end;
      } else {
        const id = headerIdAt(bytes, base + at, nameEnd);
        const valueStart = skipSpace(bytes, colon + 1, stop);
        rows[count] = id;
        rows[count + 2] = valueStart - base;
        rows[count + 3] = trimEnd(bytes, valueStart, stop) - base;
        if (id >= 0 && id < SINGLE_FIELDS) {
          if ((seen & (1 << id)) !== 0) fault ??= `More than one ${nameOf(id)}`;
          seen |= 1 << id;
        }
      }
      count += STRIDE;
      at = lf + 1;
    }

    this.fault = fault;
    this.start = start;
    this.end = at;
    this.bodyStart = bodyStart;
    this.isFolded = isFolded;
    this.#text = text;
    this.#rows = rows;
    this.#count = count;
  }

  /** Where the Vias end that the header begins with; where it starts if it begins with something else. */
  get afterVias(): number {
    let row = 0;
    while (row < this.#count && this.#rows[row] === VIA) row += STRIDE;
    return row === 0 ? this.start : this.rowEnd(row - STRIDE);
  }

  /** The first row of a field of the table. */
  rowOf(id: number): number {
    const rows = this.#rows;
    for (let row = 0; row < this.#count; row += STRIDE) if (rows[row] === id) return row;
    return -1;
  }

  /** The first row of a field of the table; throws MalformedError if there is none. */
  neededRow(id: number): number {
    const row = this.rowOf(id);
    if (row < 0) throw new MalformedError(`No ${nameOf(id)}`);
    return row;
  }

  /** The first row of a field, whatever its name. */
  firstRow(name: HeaderName): number {
    const id = headerId(name);
    return id === OTHER ? this.nextRow(name, -STRIDE) : this.rowOf(id);
  }

  /** The next row of a field. */
  nextRow(name: HeaderName, after: number): number {
    const rows = this.#rows;
    const id = headerId(name);
    for (let row = after + STRIDE; row < this.#count; row += STRIDE) {
      if (rows[row] === id && (id !== OTHER || this.#isNamed(row, name))) return row;
    }
    return -1;
  }

  rowStart(row: number): number {
    return this.#rows[row + 1];
  }

  /** Where a row ends, its CRLF included. */
  rowEnd(row: number): number {
    return row + STRIDE < this.#count ? this.#rows[row + STRIDE + 1] : this.end;
  }

  valueStart(row: number): number {
    return this.#rows[row + 2];
  }

  /** Where a value ends, white space behind it left out. */
  valueEnd(row: number): number {
    return this.#rows[row + 3];
  }

  /** A value as one line. */
  value(row: number): string {
    const value = this.#text.slice(this.#rows[row + 2], this.#rows[row + 3]);
    return this.isFolded ? unfold(value) : value;
  }

  /** The number a field holds: undefined if it is not there, -1 if it is none or above `max`. */
  number({ bytes, base }: Source, id: number, max: number): number | undefined {
    const row = this.rowOf(id);
    if (row < 0) return undefined;
    return parseDecimal(bytes, base + this.#rows[row + 2], base + this.#rows[row + 3], max);
  }

  #isNamed(row: number, name: string): boolean {
    const start = this.#rows[row + 1];
    const end = start + name.length;
    const after = this.#text.charCodeAt(end);
    return (after === COLON || after === SP || after === TAB) &&
      this.#text.slice(start, end).toLowerCase() === name.toLowerCase();
  }
}
