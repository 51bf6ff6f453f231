import { MalformedError } from "./errors.ts";
import { HeaderIndex } from "./header_index.ts";
import {
  CALL_ID,
  CONTACT,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  type HeaderName,
  isListField,
  MAX_FORWARDS,
  nameOf,
  ROUTE,
  TO,
  VIA,
} from "./header_names.ts";
import { internMethod } from "./method.ts";
import type { Contacts } from "./contact.ts";
import {
  AddressPlace,
  type NameAddr,
  parseNameAddr,
  parseNameAddrs,
  readNameAddrs,
  scanAddress,
} from "./name_addr.ts";
import {
  cut,
  parseDecimal,
  skipDigits,
  skipSpace,
  skipToken,
  type Source,
  sourceOf,
  splitList,
  STAR,
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

/** What is read when nobody says how much. */
export const DEFAULT_LIMITS: MessageLimits = { bytes: 65_535, headers: 256 };

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

const MAX_CSEQ = 2 ** 32 - 1;
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

/** Used again for every address that is scanned. */
const PLACE = new AddressPlace();

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
  /** Where its header rows are. */
  readonly headers: HeaderIndex;
  /** Where the body starts. */
  readonly bodyStart: number;

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
    const { text } = source;
    const headers = new HeaderIndex(source, startLineEnd + 2, limits.headers);
    let found = fault ?? headers.fault;
    this.headers = headers;
    this.isTooLarge = text.length > limits.bytes;
    if (this.isTooLarge) found ??= "Message too large";

    // Without the empty line all there is is header, as for a datagram that was cut short.
    const hasBody = headers.bodyStart >= 0;
    this.bodyStart = hasBody ? headers.bodyStart : text.length;
    const length = hasBody ? headers.number(source, CONTENT_LENGTH, MAX_LENGTH) : undefined;
    const stop = this.bodyStart + (length ?? text.length - this.bodyStart);
    if (length !== undefined && length < 0) found ??= "Malformed Content-Length";
    else if (stop > text.length) found ??= "Body shorter than its Content-Length";
    this.text = stop >= this.bodyStart && stop < text.length ? text.slice(0, stop) : text;

    // What every message is asked for is read now, while its bytes are at hand.
    this.#maxForwards = headers.number(source, MAX_FORWARDS, 255);
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
    const row = this.headers.firstRow(name);
    return row < 0 ? undefined : this.headers.value(row);
  }

  /** Every value of the field, unfolded, in order; comma lists split where the field is one. */
  all(name: HeaderName): string[] {
    const { headers } = this;
    const values: string[] = [];
    const split = isListField(name);
    for (let row = headers.firstRow(name); row >= 0; row = headers.nextRow(name, row)) {
      if (split) values.push(...splitList(headers.value(row)));
      else values.push(headers.value(row));
    }
    return values;
  }

  has(name: HeaderName): boolean {
    return this.headers.firstRow(name) >= 0;
  }

  /** Whether the tag is among the option tags of the field, without regard to case. */
  hasOption(name: "Supported" | "Require" | "Proxy-Require", tag: string): boolean {
    return this.has(name) && this.all(name).some((value) => value.toLowerCase() === tag);
  }

  /** The first row of a field of the table as it stands in the text, CRLF included; "" if there is none. */
  rowText(id: number): string {
    const row = this.headers.rowOf(id);
    return row < 0 ? "" : this.text.slice(this.headers.rowStart(row), this.headers.rowEnd(row));
  }

  /** Calls `each` with start and end of every row of the field in the text, CRLF included. */
  eachRow(name: HeaderName, each: (start: number, end: number) => void): void {
    const { headers } = this;
    for (let row = headers.firstRow(name); row >= 0; row = headers.nextRow(name, row)) {
      each(headers.rowStart(row), headers.rowEnd(row));
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
    const { headers } = this;
    const row = headers.rowOf(VIA);
    return row >= 0 && headers.nextRow("Via", row) < 0 && this.via.end === headers.valueEnd(row);
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
    if (this.headers.rowOf(ROUTE) < 0) return this.#routes = [];
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
    const { headers } = this;
    const row = headers.neededRow(VIA);
    this.#via = readVia(source, source.base + headers.valueStart(row), source.base + headers.valueEnd(row));
  }

  #readCallId(): void {
    const value = this.headers.value(this.headers.neededRow(CALL_ID));
    if (value === "") throw new MalformedError("No Call-ID");
    this.#callId = value;
  }

  #readCSeq(source: Source): void {
    const { headers } = this;
    const row = headers.neededRow(CSEQ);
    const { bytes, base } = source;
    const start = base + headers.valueStart(row);
    const end = base + headers.valueEnd(row);
    const digitsEnd = skipDigits(bytes, start, end);
    const number = parseDecimal(bytes, start, digitsEnd, MAX_CSEQ);
    const method = skipSpace(bytes, digitsEnd, end);
    if (number < 0 || method === digitsEnd || method === end || skipToken(bytes, method, end) !== end) {
      throw new MalformedError("Malformed CSeq");
    }
    this.#cseq = { number, method: internMethod(cut(source, method, end)) };
  }

  #readFrom(source: Source): void {
    this.#scanAddress(source, FROM);
    this.#fromTagStart = PLACE.tagStart - source.base;
    this.#fromTagEnd = PLACE.tagEnd - source.base;
  }

  #readTo(source: Source): void {
    this.#scanAddress(source, TO);
    this.#toTagStart = PLACE.tagStart - source.base;
    this.#toTagEnd = PLACE.tagEnd - source.base;
    this.#toUriStart = PLACE.uriStart - source.base;
    this.#toUriEnd = PLACE.uriEnd - source.base;
  }

  /** Leaves in PLACE where the parts of the only address in a field are. */
  #scanAddress(source: Source, id: number): void {
    const { headers } = this;
    const row = headers.neededRow(id);
    const end = source.base + headers.valueEnd(row);
    const stop = scanAddress(source.bytes, source.base + headers.valueStart(row), end, nameOf(id), PLACE);
    if (stop !== end) throw new MalformedError(`More than one address in ${nameOf(id)}`);
  }

  #readContacts(source: Source): Contacts {
    const { headers } = this;
    const list: NameAddr[] = [];
    let stars = 0;
    for (let row = headers.rowOf(CONTACT); row >= 0; row = headers.nextRow("Contact", row)) {
      const start = headers.valueStart(row);
      const end = headers.valueEnd(row);
      if (end - start === 1 && this.text.charCodeAt(start) === STAR) {
        stars++;
      } else if (headers.isFolded) {
        list.push(...parseNameAddrs(headers.value(row), "Contact"));
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
