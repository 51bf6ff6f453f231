import { encodeLatin1 } from "../lib/latin1.ts";
import { MAX_BLOCK, offsetOf, type Page, Slab } from "./slab.ts";
import { type Aor, type Binding, StoreFullError } from "./store.ts";

/**
 * How an AoR and its bindings lie in a block:
 *
 *     0  u32  hash of the AoR
 *     4  u16  length of the AoR      6  u16  number of bindings
 *     8  u32  bytes of all texts    12  u32  units of the block
 *    16  for each binding, 40 bytes:
 *         0  f64  expiresAt          8  f64  updatedAt
 *        16  u32  cseq              20  u16  q in thousandths   22  u16  methods
 *        24  u16  lengths of contact, params, callId and path
 *        32  f64  flowId
 *     …  the texts: AoR, then contact, params, callId and path of each binding, one byte a char
 */
const HEAD = 16;
const BINDING = 40;
const MAX_TEXT = 0xffff;

/** Between two Route values of a path in one text. */
const PATH_SEPARATOR = "\n";

/** The hash of the record at `address`. */
export function hashOf(page: Page, address: number): number {
  return page.u32[offsetOf(address) >>> 2];
}

/** The units of the block at `address`. */
export function unitsOf(page: Page, address: number): number {
  return page.u32[(offsetOf(address) >>> 2) + 3];
}

/** How many bindings the record at `address` has, expired ones included. */
export function countOf(page: Page, address: number): number {
  return page.u16[(offsetOf(address) >>> 1) + 3];
}

/** When the last of the record's bindings expires. */
export function lastExpiryOf(page: Page, address: number): number {
  const first = (offsetOf(address) + HEAD) >>> 3;
  let last = 0;
  for (let i = 0; i < countOf(page, address); i++) last = Math.max(last, page.f64[first + i * (BINDING / 8)]);
  return last;
}

/** Whether the record at `address` is that of `aor`. */
export function isRecordOf(page: Page, address: number, aor: string): boolean {
  const start = offsetOf(address);
  if (page.u16[(start >>> 1) + 2] !== aor.length) return false;
  const text = start + HEAD + BINDING * countOf(page, address);
  for (let i = 0; i < aor.length; i++) if (page.bytes[text + i] !== aor.charCodeAt(i)) return false;
  return true;
}

/** The bindings of the record at `address` that are good at `now`. */
export function readRecord(page: Page, address: number, now: number): Binding[] {
  const start = offsetOf(address);
  const count = countOf(page, address);
  const textStart = start + HEAD + BINDING * count;
  const text = page.bytes.latin1Slice(textStart, textStart + page.u32[(start >>> 2) + 2]);
  const bindings: Binding[] = [];
  let at = page.u16[(start >>> 1) + 2];
  for (let i = 0; i < count; i++) {
    const head = start + HEAD + BINDING * i;
    const lengths = (head + 24) >>> 1;
    const contactEnd = at + page.u16[lengths];
    const paramsEnd = contactEnd + page.u16[lengths + 1];
    const callIdEnd = paramsEnd + page.u16[lengths + 2];
    const pathEnd = callIdEnd + page.u16[lengths + 3];
    const expiresAt = page.f64[head >>> 3];
    if (expiresAt > now) {
      bindings.push({
        contact: text.slice(at, contactEnd),
        params: text.slice(contactEnd, paramsEnd),
        q: page.u16[(head + 20) >>> 1] / 1000,
        callId: text.slice(paramsEnd, callIdEnd),
        cseq: page.u32[(head + 16) >>> 2],
        updatedAt: page.f64[(head + 8) >>> 3],
        expiresAt,
        path: pathEnd === callIdEnd ? [] : text.slice(callIdEnd, pathEnd).split(PATH_SEPARATOR),
        methods: page.u16[(head + 22) >>> 1],
        flowId: page.f64[(head + 32) >>> 3],
      });
    }
    at = pathEnd;
  }
  return bindings;
}

/** Whether `next` has the texts of `live`, binding by binding, so that only numbers differ. */
export function sameTexts(live: readonly Binding[], next: readonly Binding[]): boolean {
  if (live.length !== next.length) return false;
  for (let i = 0; i < live.length; i++) {
    const a = live[i];
    const b = next[i];
    if (a.contact !== b.contact || a.params !== b.params || a.callId !== b.callId) return false;
    if (a.path !== b.path && a.path.join(PATH_SEPARATOR) !== b.path.join(PATH_SEPARATOR)) return false;
  }
  return true;
}

/** The texts of a record in one, as writeRecord wants them. Throws StoreFullError if they are too long for one. */
export function textsOf(aor: Aor, bindings: readonly Binding[]): string {
  let text: string = aor;
  for (const { contact, params, callId, path } of bindings) {
    text += contact + params + callId + path.join(PATH_SEPARATOR);
  }
  if (HEAD + BINDING * bindings.length + text.length > MAX_BLOCK || text.length > MAX_TEXT) {
    throw new StoreFullError("Bindings too large for one record");
  }
  return text;
}

/** The units a record takes. */
export function unitsFor(texts: string, count: number): number {
  return Slab.units(HEAD + BINDING * count + texts.length);
}

/** Writes a record into the block of `units` at `address`. */
export function writeRecord(
  page: Page,
  address: number,
  units: number,
  hash: number,
  aor: Aor,
  bindings: readonly Binding[],
  texts: string,
): void {
  const start = offsetOf(address);
  page.u32[start >>> 2] = hash;
  page.u16[(start >>> 1) + 2] = aor.length;
  page.u16[(start >>> 1) + 3] = bindings.length;
  page.u32[(start >>> 2) + 2] = texts.length;
  page.u32[(start >>> 2) + 3] = units;
  writeNumbers(page, address, bindings);
  for (let i = 0; i < bindings.length; i++) {
    const { contact, params, callId, path } = bindings[i];
    const head = start + HEAD + BINDING * i;
    const lengths = (head + 24) >>> 1;
    page.u16[lengths] = contact.length;
    page.u16[lengths + 1] = params.length;
    page.u16[lengths + 2] = callId.length;
    page.u16[lengths + 3] = path.length === 0 ? 0 : path.join(PATH_SEPARATOR).length;
  }
  encodeLatin1(texts, page.bytes, start + HEAD + BINDING * bindings.length);
}

/** Writes the numbers of the bindings of a record whose texts stay as they are. */
export function writeNumbers(page: Page, address: number, bindings: readonly Binding[]): void {
  const start = offsetOf(address);
  for (let i = 0; i < bindings.length; i++) {
    const { cseq, q, methods, flowId, expiresAt, updatedAt } = bindings[i];
    const head = start + HEAD + BINDING * i;
    page.f64[head >>> 3] = expiresAt;
    page.f64[(head + 8) >>> 3] = updatedAt;
    page.u32[(head + 16) >>> 2] = cseq;
    page.u16[(head + 20) >>> 1] = Math.round(q * 1000);
    page.u16[(head + 22) >>> 1] = methods;
    page.f64[(head + 32) >>> 3] = flowId;
  }
}
