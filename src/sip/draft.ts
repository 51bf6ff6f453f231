import type { HeaderName } from "./header_names.ts";
import type { Patch, SipMessage, SipRequest, SipResponse } from "./message.ts";
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
  /** Order among splices at the same place. */
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

  /** Puts a row above the first of its kind; on top of the header where there is none. */
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
    const edit = this.#edits.find((edit) => edit.name === name);
    if (edit === undefined) return this.#received.all(name);
    return edit.kept ? [...edit.above, ...this.#received.all(name)] : [...edit.above];
  }

  protected copyEdits(): Edit[] {
    return this.#edits.map(({ name, kept, above }) => ({ name, kept, above: [...above] }));
  }

  /** The text with `startLine` (no CRLF) in place of the received one, and the stamp and every edit written in. */
  protected join(startLine: string | undefined, stamp: Patch | undefined): string {
    const received = this.#received;
    const { text } = received;
    const splices: Splice[] = [];
    if (stamp !== undefined) splices.push({ ...stamp, rank: 0 });
    for (let i = 0; i < this.#edits.length; i++) spliceRows(received, this.#edits[i], i + 1, splices);
    if (splices.length > 1) splices.sort(byPlace);

    const startLineEnd = received.headersStart - 2;
    let out = startLine ?? text.slice(0, startLineEnd);
    let at = startLineEnd;
    for (let i = 0; i < splices.length; i++) {
      const { start, end, text: piece } = splices[i];
      // A note on a row that is cut out goes with the row.
      if (start < at) continue;
      out += text.slice(at, start) + piece;
      at = end;
    }
    return out + text.slice(at);
  }

  #edit(name: HeaderName): Edit {
    const found = this.#edits.find((edit) => edit.name === name);
    if (found !== undefined) return found;
    const edit: Edit = { name, kept: true, above: [] };
    this.#edits.push(edit);
    return edit;
  }
}

function byPlace(a: Splice, b: Splice): number {
  return a.start - b.start || a.rank - b.rank;
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
    const at = received.headersStart;
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
    const startLine = this.#uri === request.uri ? undefined : `${request.method} ${this.#uri} SIP/2.0`;
    return this.join(startLine, request.stamp);
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
      const comma = via.end < end && text.charCodeAt(via.end) === 0x2c;
      // A row with more values keeps its name and loses the first of them.
      this.#topVia = comma
        ? { start: text.indexOf(":", start) + 1, end: via.end + 1, text: "" }
        : { start, end, text: "" };
    });
    return this;
  }

  override toString(): string {
    return this.join(undefined, this.#topVia);
  }
}
