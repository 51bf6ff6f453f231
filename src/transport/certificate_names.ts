import { byteArea } from "../lib/latin1.ts";
import { formatIp } from "../lib/ip_address.ts";

/** The names in a certificate, as they stand there. */
export interface CertificateNames {
  /** Whether it has a subjectAltName at all. */
  readonly hasAltName: boolean;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  /** In canonical form. */
  readonly ips: readonly string[];
  /** The innermost common name of its subject. */
  readonly commonName: string | undefined;
}

/** Object identifiers, as bytes in hexadecimal. */
const SUBJECT_ALT_NAME = "551d11";
const COMMON_NAME = "550403";

/** Tags of ASN.1 values, as they stand in a certificate. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const OCTET_STRING = 0x04;
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;

/** One value in DER: its tag, and its bytes. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * Reads the names from a certificate in DER (RFC 5280 §4.1, §4.2.1.6); undefined if it cannot be read. The
 * runtime shows them only as one text joined by commas, in which a name that has a comma looks like two names.
 */
export function certificateNames(der: Uint8Array): CertificateNames | undefined {
  try {
    return readNames(der);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readNames(der: Uint8Array): CertificateNames {
  const [certificate] = elements(der);
  const [signed] = elements(at([certificate], 0));
  const fields = elements(at([signed], 0));
  // The version is left out of old ones; serial number, algorithm, issuer and validity come before the subject.
  const subject = at(fields, fields[0]?.tag === VERSION ? 5 : 4);
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS);
  const altName = extensions === undefined ? undefined : extension(extensions.content, SUBJECT_ALT_NAME);
  const names = altName === undefined ? [] : elements(at(elements(altName), 0));
  const texts = (wanted: number) =>
    names.filter(({ tag }) => tag === wanted).map(({ content }) => text(content));
  return {
    hasAltName: altName !== undefined,
    uris: texts(URI),
    dns: texts(DNS_NAME),
    ips: names.filter(({ tag, content }) => tag === IP_ADDRESS && [4, 16].includes(content.length))
      .map(({ content }) => formatIp(content)),
    commonName: commonName(subject),
  };
}

function extension(bytes: Uint8Array, wanted: string): Uint8Array | undefined {
  for (const { content } of elements(at(elements(bytes), 0))) {
    const parts = elements(content);
    if (hex(at(parts, 0)) !== wanted) continue;
    return parts.find(({ tag }) => tag === OCTET_STRING)?.content;
  }
  return undefined;
}

function commonName(subject: Uint8Array): string | undefined {
  let name: string | undefined = undefined;
  for (const set of elements(subject)) {
    for (const { content } of elements(set.content)) {
      const parts = elements(content);
      if (hex(at(parts, 0)) === COMMON_NAME) name = text(at(parts, 1));
    }
  }
  return name;
}

/** The bytes of the value at `index`; throws RangeError if there is none. */
function at(list: readonly (Element | undefined)[], index: number): Uint8Array {
  const element = list[index];
  if (element === undefined) throw new RangeError("A value is missing");
  return element.content;
}

/** The values that follow each other in `bytes`; throws RangeError if that is not what is in there. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let position = 0; position < bytes.length;) {
    const tag = bytes[position++];
    let length = byteAt(bytes, position++);
    if (length >= 0x80) {
      let count = length & 0x7f;
      length = 0;
      for (; count > 0; count--) length = length * 256 + byteAt(bytes, position++);
    }
    if (position + length > bytes.length) throw new RangeError("A value is cut short");
    found.push({ tag, content: bytes.subarray(position, position + length) });
    position += length;
  }
  return found;
}

function byteAt(bytes: Uint8Array, position: number): number {
  if (position >= bytes.length) throw new RangeError("A value is cut short");
  return bytes[position];
}

function text(bytes: Uint8Array): string {
  return byteArea(bytes).latin1Slice(0, bytes.length);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
