import { type HeaderName, sameField } from "./header_names.ts";
import type { Patch, SipMessage, SipRequest, SipResponse } from "./message.ts";
import { COMMA, isSpace } from "./scan.ts";
import { parseUri, type Uri } from "./uri.ts";

/** What happens to the rows of one field: how many of the received ones stay, and what stands above them. */
interface Edit {
  readonly name: HeaderName;
  /** Whether the received rows stay. */
  kept: boolean;
  /** Values of new rows, top first, in place of or above the received ones. */
  above: string[];
}

/** A piece of the received text, and what leaves in its place. */
interface Splice extends Patch {
  /** Order among splices that start at the same place and both only put in, or both cut out. */
  readonly rank: number;
}

/** Received text with pieces cut out and put in, joined once at the end; what is not edited leaves as it came. */
abstract class Draft {
  readonly #received: SipMessage;
  readonly #edits: Edit[];

  constructor(received: SipMessage, edits: Edit[]) {
    this.#received = received;
    this.#edits = edits;
  }

  /** Leaves one row of this field with this value. */
  set(name: HeaderName, value: string): this {
    return this.setAll(name, [value]);
  }

  /** Leaves a row for each of these values and none of the received ones. */
  setAll(name: HeaderName, values: readonly string[]): this {
    const edit = this.#edit(name);
    edit.kept = false;
    edit.above = [...values];
    return this;
  }

  /** Puts a row above the first of its kind; where there is none, on top of the header but below its Vias. */
  prepend(name: HeaderName, value: string): this {
    this.#edit(name).above.unshift(value);
    return this;
  }

  /** Takes out all rows of this field. */
  remove(name: HeaderName): this {
    return this.setAll(name, []);
  }

  /** All values of the field as they will leave, comma lists split. */
  all(name: HeaderName): string[] {
    const edit = this.#find(name);
    if (edit === undefined) return this.receivedValues(name);
    return edit.kept ? [...edit.above, ...this.receivedValues(name)] : [...edit.above];
  }

  /** The values that came in and that no edit of its field has taken out. */
  protected receivedValues(name: HeaderName): string[] {
    return this.#received.all(name);
  }

  protected copyEdits(): Edit[] {
    return this.#edits.map(({ name, kept, above }) => ({ name, kept, above: [...above] }));
  }

  /** The text with `startLine` (no CRLF) in place of the received one, and the patch and every edit written in. */
  protected join(startLine: string | undefined, patch: Patch | undefined): string {
    const received = this.#received;
    const { text } = received;
    const splices: Splice[] = [];
    for (let i = 0; i < this.#edits.length; i++) spliceRows(received, this.#edits[i], i, splices);
    if (patch !== undefined) splices.push({ ...patch, rank: this.#edits.length });
    if (splices.length > 1) splices.sort(byPlace);

    const startLineEnd = received.headers.start - 2;
    let out = startLine ?? text.slice(0, startLineEnd);
    let at = startLineEnd;
    for (let i = 0; i < splices.length; i++) {
      const { start, end, text: piece } = splices[i];
      // A patch of a row that is cut out goes with the row.
      if (start < at) continue;
      out += text.slice(at, start) + piece;
      at = end;
    }
    return out + text.slice(at);
  }

  #edit(name: HeaderName): Edit {
    const found = this.#find(name);
    if (found !== undefined) return found;
    const edit: Edit = { name, kept: true, above: [] };
    this.#edits.push(edit);
    return edit;
  }

  #find(name: HeaderName): Edit | undefined {
    for (let i = 0; i < this.#edits.length; i++) {
      if (sameField(this.#edits[i].name, name)) return this.#edits[i];
    }
    return undefined;
  }
}

/** What is only put in goes before what is cut out at the same place, or it would be taken for part of that. */
function byPlace(a: Splice, b: Splice): number {
  return a.start - b.start || Number(a.end > a.start) - Number(b.end > b.start) || a.rank - b.rank;
}

function spliceRows(received: SipMessage, edit: Edit, rank: number, splices: Splice[]): void {
  const { name, kept, above } = edit;
  if (kept && above.length === 0) return;
  let text = "";
  for (let i = 0; i < above.length; i++) text += `${name}: ${above[i]}\r\n`;
  let isFirst = true;
  received.eachRow(name, (start, end) => {
    if (isFirst || !kept) splices.push({ start, end: kept ? start : end, text: isFirst ? text : "", rank });
    isFirst = false;
  });
  if (isFirst && text !== "") {
    const at = received.headers.afterVias;
    splices.push({ start: at, end: at, text, rank });
  }
}

/** A received request on its way out. */
export class RequestDraft extends Draft {
  readonly request: SipRequest;
  #uri: Uri;

  constructor(request: SipRequest, uri: Uri = request.uri, edits: Edit[] = []) {
    super(request, edits);
    this.request = request;
    this.#uri = uri;
  }

  /** The Request-URI that will leave. */
  get uri(): Uri {
    return this.#uri;
  }

  set uri(uri: Uri | string) {
    this.#uri = typeof uri === "string" ? parseUri(uri) : uri;
  }

  /** The same edits again, for one more branch. */
  fork(): RequestDraft {
    return new RequestDraft(this.request, this.#uri, this.copyEdits());
  }

  override toString(): string {
    const { request } = this;
    // The version leaves in capitals, however it came (RFC 3261 §7.1).
    const isSame = this.#uri === request.uri && request.version === "SIP/2.0";
    return this.join(isSame ? undefined : `${request.method} ${this.#uri} SIP/2.0`, request.stamp);
  }
}

/** A received response on its way on. */
export class ResponseDraft extends Draft {
  readonly response: SipResponse;
  #topVia: Patch | undefined = undefined;

  constructor(response: SipResponse) {
    super(response, []);
    this.response = response;
  }

  /** Takes off the topmost Via, which is ours (RFC 3261 §16.7 step 3). */
  removeTopVia(): this {
    const { response } = this;
    const { via } = response;
    let isFirst = true;
    response.eachRow("Via", (start, end) => {
      if (!isFirst) return;
      isFirst = false;
      const { text } = response;
      const comma = via.end < end && text.charCodeAt(via.end) === COMMA;
      // A row with more values keeps its name and loses the first of them.
      this.#topVia = comma && !isBlank(text, via.end + 1, end)
        ? { start: text.indexOf(":", start) + 1, end: via.end + 1, text: "" }
        : { start, end, text: "" };
    });
    return this;
  }

  override toString(): string {
    const { text, headers } = this.response;
    const isUsual = text.startsWith("SIP");
    return this.join(isUsual ? undefined : `SIP${text.slice(3, headers.start - 2)}`, this.#topVia);
  }

  protected override receivedValues(name: HeaderName): string[] {
    const values = super.receivedValues(name);
    return this.#topVia !== undefined && sameField(name, "Via") ? values.slice(1) : values;
  }
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isSpace(text.charCodeAt(i))) return false;
  return true;
}
