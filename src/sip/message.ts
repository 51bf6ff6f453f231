import { type ByteArea, byteArea, latin1Bytes } from "../lib/latin1.ts";
import { MalformedError } from "./errors.ts";
import {
  CALL_ID,
  CONTACT,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  headerId,
  headerIdAt,
  type HeaderName,
  isListField,
  MAX_FORWARDS,
  nameOf,
  OTHER,
  ROUTE,
  SINGLE_FIELDS,
  TO,
  VIA,
} from "./header_names.ts";
import { internMethod } from "./method.ts";
import { type Contacts } from "./contact.ts";
import {
  AddressPlace,
  type NameAddr,
  parseNameAddr,
  parseNameAddrs,
  readNameAddrs,
  scanAddress,
} from "./name_addr.ts";
import {
  COLON,
  CR,
  cut,
  LF,
  parseDecimal,
  skipDigits,
  skipSpace,
  skipToken,
  SLASH,
  type Source,
  sourceOf,
  SP,
  splitList,
  STAR,
  TAB,
  trimEnd,
  unfold,
} from "./scan.ts";
import { parseUri, type Uri } from "./uri.ts";
import { readVia, type Via } from "./via.ts";

/** Bounds on what is read; more than that is malformed. */
export interface MessageLimits {
  /** Bytes of one message. */
  readonly bytes: number;
  /** Header rows of one message. */
  readonly headers: number;
}

const DEFAULT_LIMITS: MessageLimits = { bytes: 65_535, headers: 256 };

/** The command sequence (RFC 3261 §20.16). */
export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** What §18.2.1 and RFC 3581 put into the top Via of a request: `text` in place of what stands from `start` to `end`. */
export interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const VERSION = "SIP/2.0";
const MAX_CSEQ = 2 ** 32 - 1;
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

/** Copied for every message: an array that is there at once is filled faster than one that grows. */
const BLANK_ROWS: readonly number[] = new Array<number>(64).fill(0);

/** Used again for every address that is scanned. */
const PLACE = new AddressPlace();

/** Numbers per row in the header index: id, start of the row, start and end of the value. */
const STRIDE = 4;

/** The id of a row without a name and colon: kept in the index so that the row before it ends where it does. */
const JUNK = -2;

/**
 * A message as it was received: one text, and where its header rows are. Values are parsed when first asked
 * for; a getter throws MalformedError when what it should return is not there or breaks the grammar.
 */
export abstract class SipMessage {
  /** The first structural fault found, whatever it was; a message that has one is not to be acted on. */
  readonly fault: string | undefined;
  /** Whether it has more bytes than we take. */
  readonly isTooLarge: boolean;
  /** The whole message, one char per byte, without anything after its body. */
  readonly text: string;
  /** Where the first header row starts. */
  readonly headersStart: number;
  /** Where the last header row ends: at the empty line, if there is one. */
  readonly headersEnd: number;
  /** Where the body starts. */
  readonly bodyStart: number;

  /** STRIDE numbers a row, for `count` of them; the rest is room. */
  readonly #rows: number[];
  readonly #count: number;
  readonly #folded: boolean;
  readonly #maxForwards: number | undefined;
  #via: Via | undefined = undefined;
  #callId: string | undefined = undefined;
  #cseq: CSeq | undefined = undefined;
  /** Where things are in the text; -1 or equal ends for what is not there. */
  #fromTagStart = 0;
  #fromTagEnd = -1;
  #toTagStart = 0;
  #toTagEnd = -1;
  #toUriStart = 0;
  #toUriEnd = 0;
  #from: NameAddr | undefined = undefined;
  #to: NameAddr | undefined = undefined;
  #toUri: Uri | undefined = undefined;
  #routes: readonly NameAddr[] | undefined = undefined;
  #contacts: Contacts | undefined = undefined;

  /** `isRegister`: its contacts will be asked for. */
  constructor(
    source: Source,
    startLineEnd: number,
    fault: string | undefined,
    limits: MessageLimits,
    isRegister: boolean,
  ) {
    const { text, bytes, base } = source;
    const rows = BLANK_ROWS.slice();
    let count = 0;
    let found = fault;
    let folded = false;
    let seen = 0;
    let at = startLineEnd + 2;
    let bodyStart = -1;
    this.headersStart = at;

    for (;;) {
      const lf = text.indexOf("\n", at);
      if (lf < 0) {
        found ??= "No empty line after the header";
        break;
      }
      const end = lf - 1;
      if (end < at || bytes[base + end] !== CR) {
        // What follows may be anything: there is no telling where the header ends.
        found ??= "Line does not end in CRLF";
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
        if (count === 0) found ??= "Continuation line before any header";
        else if (from < stop) {
          // The value may start only here.
          if (rows[count - 2] >= rows[count - 1]) rows[count - 2] = from - base;
          rows[count - 1] = trimEnd(bytes, from, stop) - base;
        }
        folded = true;
        at = lf + 1;
        continue;
      }
      const nameEnd = skipToken(bytes, base + at, stop);
      const colon = bytes[nameEnd] === COLON ? nameEnd : skipSpace(bytes, nameEnd, stop);
      if (count >= limits.headers * STRIDE) {
        found ??= "Too many header rows";
        break;
      }
      if (nameEnd === base + at || colon >= stop || bytes[colon] !== COLON) {
        found ??= "Header row without a name and colon";
        rows[count] = JUNK;
        rows[count + 1] = at;
        rows[count + 2] = end;
        rows[count + 3] = end;
        count += STRIDE;
      } else {
        const id = headerIdAt(bytes, base + at, nameEnd);
        const valueStart = skipSpace(bytes, colon + 1, stop);
        rows[count] = id;
        rows[count + 1] = at;
        rows[count + 2] = valueStart - base;
        rows[count + 3] = trimEnd(bytes, valueStart, stop) - base;
        count += STRIDE;
        if (id >= 0 && id < SINGLE_FIELDS) {
          if ((seen & (1 << id)) !== 0) found ??= `More than one ${nameOf(id)}`;
          seen |= 1 << id;
        }
      }
      at = lf + 1;
    }

    this.isTooLarge = text.length > limits.bytes;
    if (this.isTooLarge) found ??= "Message too large";
    this.#rows = rows;
    this.#count = count;
    this.#folded = folded;
    this.headersEnd = at;
    this.bodyStart = bodyStart < 0 ? text.length : bodyStart;
    const bodyLength = bodyStart < 0 ? undefined : this.#number(source, CONTENT_LENGTH, MAX_LENGTH);
    const stop = this.bodyStart + (bodyLength ?? text.length - this.bodyStart);
    if (bodyLength !== undefined && bodyLength < 0) found ??= "Malformed Content-Length";
    else if (stop > text.length) found ??= "Body shorter than its Content-Length";
    this.text = stop >= this.bodyStart && stop < text.length ? text.slice(0, stop) : text;

    // What every message is asked for is read now, while its bytes are at hand.
    this.#maxForwards = this.#number(source, MAX_FORWARDS, 255);
    try {
      this.#readVia(source);
      this.#readCallId();
      this.#readCSeq(source);
      this.#readFrom(source);
      this.#readTo(source);
      if (isRegister) this.#contacts = this.#readContacts(source);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      found ??= error.reason;
      this.#salvage(source);
    }
    this.fault = found;
  }

  /** The first value of the field, unfolded; a comma list is not split. */
  get(name: HeaderName): string | undefined {
    const row = this.#firstRow(name);
    return row < 0 ? undefined : this.#value(row);
  }

  /** Every value of the field, unfolded, in order; comma lists split where the field is one. */
  all(name: HeaderName): string[] {
    const values: string[] = [];
    const split = isListField(name);
    for (let row = this.#firstRow(name); row >= 0; row = this.#nextRow(name, row)) {
      if (split) values.push(...splitList(this.#value(row)));
      else values.push(this.#value(row));
    }
    return values;
  }

  has(name: HeaderName): boolean {
    return this.#firstRow(name) >= 0;
  }

  /** Whether the tag is among the option tags of the field, without regard to case. */
  hasOption(name: "Supported" | "Require" | "Proxy-Require", tag: string): boolean {
    return this.has(name) && this.all(name).some((value) => value.toLowerCase() === tag);
  }

  /** The first row of a field of the table as it stands in the text, CRLF included; "" if there is none. */
  rowText(id: number): string {
    const row = this.#rowOf(id);
    return row < 0 ? "" : this.text.slice(this.#rows[row + 1], this.#rowEnd(row));
  }

  /** Calls `each` with start and end of every row of the field in the text, CRLF included. */
  eachRow(name: HeaderName, each: (start: number, end: number) => void): void {
    for (let row = this.#firstRow(name); row >= 0; row = this.#nextRow(name, row)) {
      each(this.#rows[row + 1], this.#rowEnd(row));
    }
  }

  /** The topmost Via. */
  get via(): Via {
    return this.#via ?? this.#missing();
  }

  /** Whether To could be read. */
  get hasReadableTo(): boolean {
    return this.#toUriEnd > 0;
  }

  /** Whether the getter of the topmost Via would return one. */
  get hasReadableVia(): boolean {
    return this.#via !== undefined;
  }

  /** Whether the topmost Via is the only one. */
  get hasOneVia(): boolean {
    const row = this.#rowOf(VIA);
    return row >= 0 && this.#nextRow("Via", row) < 0 && this.via.end === this.#rows[row + 3];
  }

  get callId(): string {
    return this.#callId ?? this.#missing();
  }

  get cseq(): CSeq {
    return this.#cseq ?? this.#missing();
  }

  get from(): NameAddr {
    return this.#from ??= this.#address("From");
  }

  get to(): NameAddr {
    return this.#to ??= this.#address("To");
  }

  get fromTag(): string | undefined {
    return this.#fromTagEnd < 0 ? undefined : this.text.slice(this.#fromTagStart, this.#fromTagEnd);
  }

  get toTag(): string | undefined {
    return this.#toTagEnd < 0 ? undefined : this.text.slice(this.#toTagStart, this.#toTagEnd);
  }

  /** The URI in To. */
  get toUri(): Uri {
    return this.#toUri ??= this.#toUriEnd === 0
      ? this.#missing()
      : parseUri(this.text.slice(this.#toUriStart, this.#toUriEnd));
  }

  /** Undefined if there is none; throws MalformedError unless it is 0 to 255 (RFC 3261 §20.22). */
  get maxForwards(): number | undefined {
    if (this.#maxForwards !== undefined && this.#maxForwards < 0) {
      throw new MalformedError("Malformed Max-Forwards");
    }
    return this.#maxForwards;
  }

  /** All Route values, top first. */
  get routes(): readonly NameAddr[] {
    if (this.#routes !== undefined) return this.#routes;
    if (this.#rowOf(ROUTE) < 0) return this.#routes = [];
    return this.#routes = this.all("Route").flatMap((value) => parseNameAddrs(value, "Route"));
  }

  /** What its Contact rows hold; throws MalformedError, also for a star that does not stand alone. */
  get contacts(): Contacts {
    return this.#contacts ??= this.#readContacts(sourceOf(this.text));
  }

  get body(): string {
    return this.text.slice(this.bodyStart);
  }

  /** Fields that every message needs are missing only where something is wrong with it. */
  #missing(): never {
    throw new MalformedError(this.fault ?? "Malformed message");
  }

  /** Reads each thing by itself, so that one that cannot be read does not hide the others. */
  #salvage(source: Source): void {
    const reads = [
      () => this.#readVia(source),
      () => this.#readCallId(),
      () => this.#readCSeq(source),
      () => this.#readFrom(source),
      () => this.#readTo(source),
    ];
    for (const read of reads) {
      try {
        read();
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
      }
    }
  }

  #readVia(source: Source): void {
    const row = this.#rowOf(VIA);
    if (row < 0) throw new MalformedError("No Via");
    this.#via = readVia(source, source.base + this.#rows[row + 2], source.base + this.#rows[row + 3]);
  }

  #readCallId(): void {
    const row = this.#rowOf(CALL_ID);
    const value = row < 0 ? "" : this.#value(row);
    if (value === "") throw new MalformedError("No Call-ID");
    this.#callId = value;
  }

  #readCSeq(source: Source): void {
    const row = this.#rowOf(CSEQ);
    if (row < 0) throw new MalformedError("No CSeq");
    const { bytes, base } = source;
    const start = base + this.#rows[row + 2];
    const end = base + this.#rows[row + 3];
    const digitsEnd = skipDigits(bytes, start, end);
    const number = parseDecimal(bytes, start, digitsEnd, MAX_CSEQ);
    const method = skipSpace(bytes, digitsEnd, end);
    if (number < 0 || method === digitsEnd || method === end || skipToken(bytes, method, end) !== end) {
      throw new MalformedError("Malformed CSeq");
    }
    this.#cseq = { number, method: internMethod(cut(source, method, end)) };
  }

  #readFrom(source: Source): void {
    this.#scanAddress(source, FROM, "From");
    this.#fromTagStart = PLACE.tagStart - source.base;
    this.#fromTagEnd = PLACE.tagEnd - source.base;
  }

  #readTo(source: Source): void {
    this.#scanAddress(source, TO, "To");
    this.#toTagStart = PLACE.tagStart - source.base;
    this.#toTagEnd = PLACE.tagEnd - source.base;
    this.#toUriStart = PLACE.uriStart - source.base;
    this.#toUriEnd = PLACE.uriEnd - source.base;
  }

  /** Leaves in PLACE where the parts of the only address in a field are. */
  #scanAddress(source: Source, id: number, name: string): void {
    const row = this.#rowOf(id);
    if (row < 0) throw new MalformedError(`No ${name}`);
    const end = source.base + this.#rows[row + 3];
    const stop = scanAddress(source.bytes, source.base + this.#rows[row + 2], end, name, PLACE);
    if (stop !== end) throw new MalformedError(`More than one address in ${name}`);
  }

  #readContacts(source: Source): Contacts {
    const rows = this.#rows;
    const list: NameAddr[] = [];
    let stars = 0;
    for (let row = this.#rowOf(CONTACT); row >= 0; row = this.#nextRow("Contact", row)) {
      const start = rows[row + 2];
      const end = rows[row + 3];
      if (end - start === 1 && this.text.charCodeAt(start) === STAR) {
        stars++;
      } else if (this.#folded) {
        list.push(...parseNameAddrs(this.#value(row), "Contact"));
      } else {
        readNameAddrs(source, source.base + start, source.base + end, "Contact", list);
      }
    }
    if (stars === 1 && list.length === 0) return "*";
    // A star in a list or in brackets reads as an address.
    if (stars > 0 || list.some(({ uriText }) => uriText === "*")) {
      throw new MalformedError("Contact * among others");
    }
    return list;
  }

  #address(name: "From" | "To"): NameAddr {
    return parseNameAddr(this.get(name) ?? this.#missing(), name);
  }

  /** The number a field holds: undefined if it is not there, -1 if it is none or above `max`. */
  #number(source: Source, id: number, max: number): number | undefined {
    const row = this.#rowOf(id);
    if (row < 0) return undefined;
    return parseDecimal(
      source.bytes,
      source.base + this.#rows[row + 2],
      source.base + this.#rows[row + 3],
      max,
    );
  }

  #rowOf(id: number): number {
    const rows = this.#rows;
    for (let row = 0; row < this.#count; row += STRIDE) if (rows[row] === id) return row;
    return -1;
  }

  #firstRow(name: HeaderName): number {
    const id = headerId(name);
    return id === OTHER ? this.#nextRow(name, -STRIDE) : this.#rowOf(id);
  }

  #nextRow(name: HeaderName, after: number): number {
    const rows = this.#rows;
    const id = headerId(name);
    for (let row = after + STRIDE; row < this.#count; row += STRIDE) {
      if (rows[row] === id && (id !== OTHER || this.#isNamed(row, name))) return row;
    }
    return -1;
  }

  #isNamed(row: number, name: string): boolean {
    const { text } = this;
    const start = this.#rows[row + 1];
    const end = start + name.length;
    const after = text.charCodeAt(end);
    return (after === COLON || after === SP || after === TAB) &&
      text.slice(start, end).toLowerCase() === name.toLowerCase();
  }

  #rowEnd(row: number): number {
    return row + STRIDE < this.#count ? this.#rows[row + STRIDE + 1] : this.headersEnd;
  }

  #value(row: number): string {
    const value = this.text.slice(this.#rows[row + 2], this.#rows[row + 3]);
    return this.#folded ? unfold(value) : value;
  }
}

/** A request as it was received. */
export class SipRequest extends SipMessage {
  readonly method: string;
  /** The Request-URI as written. */
  readonly uriText: string;
  /** As written: `SIP/2.0` if it is ours. */
  readonly version: string;
  #uri: Uri | undefined = undefined;
  #stamp: Patch | undefined = undefined;

  constructor(
    source: Source,
    startLineEnd: number,
    method: string,
    uriText: string,
    version: string,
    fault: string | undefined,
    limits: MessageLimits,
  ) {
    super(source, startLineEnd, fault, limits, method === "REGISTER");
    this.method = method;
    this.uriText = uriText;
    this.version = version;
  }

  get uri(): Uri {
    return this.#uri ??= parseUri(this.uriText);
  }

  /** Whether its To has a tag. */
  get inDialog(): boolean {
    return this.toTag !== undefined;
  }

  /** Whether it comes straight from a user agent: one Via. */
  get isFirstHop(): boolean {
    return this.hasOneVia;
  }

  /** What copies of the top Via need so that the answer finds its way back; undefined if they need nothing. */
  get stamp(): Patch | undefined {
    return this.#stamp;
  }

  /**
   * Notes where the packet really came from: `received` when the top Via names another host, both `received`
   * and `rport` when the sender asked for it or `force` is set, and whatever the sender put there itself is
   * replaced (RFC 3261 §18.2.1, RFC 3581 §4). The text stays; replies and drafts write the note.
   */
  stampSource(address: string, port: number, force: boolean): void {
    const { via } = this;
    const { rport, received } = via;
    const wanted = rport !== undefined || force;
    if (!wanted && received === undefined && via.host === address) return;
    const note = wanted ? `=${port};received=${address}` : `;received=${address}`;
    if (via.rportEnd >= 0 && received === undefined) {
      this.#stamp = { start: via.rportEnd, end: via.rportEnd, text: note };
      return;
    }
    const isPlain = rport === undefined && received === undefined;
    this.#stamp = {
      start: via.paramsStart,
      end: isPlain ? via.paramsStart : via.end,
      text: (wanted ? ";rport" : "") + note + (isPlain ? "" : via.params.without("received", "rport")),
    };
  }
}

/** A response as it was received. */
export class SipResponse extends SipMessage {
  readonly status: number;
  readonly reason: string;

  constructor(
    source: Source,
    startLineEnd: number,
    status: number,
    reason: string,
    fault: string | undefined,
    limits: MessageLimits,
  ) {
    super(source, startLineEnd, fault, limits, false);
    this.status = status;
    this.reason = reason;
  }

  get isProvisional(): boolean {
    return this.status < 200;
  }

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }
}

/**
 * Reads the message in `bytes` from `start` to `end`; undefined if it is not SIP at all. Never throws: what
 * is wrong with it is in `fault`. Nothing of it refers to the bytes afterwards.
 */
export function parseMessage(
  bytes: ByteArea,
  start = 0,
  end = bytes.length,
  limits: MessageLimits = DEFAULT_LIMITS,
): SipRequest | SipResponse | undefined {
  let base = start;
  // Empty lines before the start line are to be ignored (RFC 3261 §7.5).
  while (bytes[base] === CR && bytes[base + 1] === LF && base + 1 < end) base += 2;
  const source = { text: bytes.latin1Slice(base, end), bytes, base };
  const lineEnd = source.text.indexOf("\r\n");
  if (lineEnd < 0) return undefined;
  // A method has no slash.
  const isResponse = bytes[base + 3] === SLASH && source.text.slice(0, 4).toUpperCase() === "SIP/";
  return isResponse ? readResponse(source, lineEnd, limits) : readRequest(source, lineEnd, limits);
}

/** The message in a text of one char per byte, as parseMessage reads it. */
export function parseText(text: string, limits?: MessageLimits): SipRequest | SipResponse | undefined {
  return parseMessage(byteArea(latin1Bytes(text)), 0, text.length, limits);
}

function readRequest(source: Source, lineEnd: number, limits: MessageLimits): SipRequest | undefined {
  const { text, bytes, base } = source;
  const methodEnd = text.indexOf(" ");
  if (methodEnd < 1 || methodEnd > lineEnd) return undefined;
  const usual = lineEnd - 8;
  const isUsual = text.startsWith(" SIP/2.0", usual);
  // The version may be in any case (RFC 3261 §7.1).
  const uriEnd = isUsual ? usual : text.slice(0, lineEnd).toLowerCase().lastIndexOf(" sip/");
  if (uriEnd < 0) return undefined;
  const method = internMethod(text.slice(0, methodEnd));
  const uriText = text.slice(methodEnd + 1, uriEnd);
  const version = isUsual ? VERSION : text.slice(uriEnd + 1, lineEnd);
  let fault: string | undefined;
  if (skipToken(bytes, base, base + methodEnd) !== base + methodEnd) fault = "Malformed method";
  else if (uriEnd < methodEnd + 2 || uriText.includes(" ")) fault = "Malformed request line";
  else if (version !== VERSION && !/^SIP\/[0-9]+\.[0-9]+$/i.test(version)) fault = "Malformed request line";
  return new SipRequest(source, lineEnd, method, uriText, version, fault, limits);
}

function readResponse(source: Source, lineEnd: number, limits: MessageLimits): SipResponse {
  const { text, bytes, base } = source;
  // "SIP/2.0 200 OK": the status from 8 to 11, the reason after one more space.
  const codeEnd = base + Math.min(11, lineEnd);
  const isOurs = text.startsWith("SIP/2.0 ") || text.slice(0, 8).toUpperCase() === "SIP/2.0 ";
  const status = isOurs ? parseDecimal(bytes, base + 8, codeEnd, 699) : -1;
  const isWellFormed = status >= 100 && (lineEnd === 11 || text.charCodeAt(11) === SP);
  const reason = isWellFormed ? text.slice(12, lineEnd) : "";
  const fault = isWellFormed ? undefined : "Malformed status line";
  return new SipResponse(source, lineEnd, isWellFormed ? status : 0, reason, fault, limits);
}
