/** One server of a service (RFC 2782). */
export interface SrvRecord {
  /** Lower first. */
  readonly priority: number;
  /** How much of what goes to this priority is for this server. */
  readonly weight: number;
  readonly port: number;
  /** In lower case, without a dot at the end; "" says that the service is not there. */
  readonly target: string;
}

/** One way a domain can be reached by (RFC 3403 §4). */
export interface NaptrRecord {
  /** Lower first; once something of one order can be used, the higher ones do not count. */
  readonly order: number;
  /** Lower first, within the same order. */
  readonly preference: number;
  /** In lower case. */
  readonly flags: string;
  /** In upper case: SIP+D2U and its like. */
  readonly services: string;
  readonly regexp: string;
  /** In lower case, without a dot at the end; "" if there is none. */
  readonly replacement: string;
}

/** What is asked for, and what one record of it looks like; addresses are in canonical form. */
export interface RecordTypes {
  readonly A: string;
  readonly AAAA: string;
  readonly SRV: SrvRecord;
  readonly NAPTR: NaptrRecord;
}

/** A kind of record that can be asked for. */
export type RecordType = keyof RecordTypes;

/** What is asked of a name server. */
export interface Question<T extends RecordType = RecordType> {
  /** In lower case, without a dot at the end. */
  readonly name: string;
  readonly type: T;
}

/** What the name servers know about a question. */
export interface Answer {
  /** Of the kind that was asked for, in the order they came; none if there are none. */
  readonly records: readonly RecordTypes[RecordType][];
  /** Seconds it is good for; undefined if nobody said. */
  readonly ttl: number | undefined;
}

/** Bytes of a name without the dot at its end, and of one label of it (RFC 1035 §2.3.4). */
const MAX_NAME = 253;
const MAX_LABEL = 63;

const DOT = 0x2e;

/** The name as it is asked for and compared: lower case, no dot at the end; undefined for what is no name of a host. */
export function dnsName(text: string): string | undefined {
  const { length } = text;
  const end = text.charCodeAt(length - 1) === DOT ? length - 1 : length;
  if (end > MAX_NAME) return undefined;
  let labelStart = 0;
  let isLower = true;
  for (let i = 0; i <= end; i++) {
    const code = i === end ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (i === labelStart || i - labelStart > MAX_LABEL) return undefined;
      labelStart = i + 1;
    } else if (code >= 0x41 && code <= 0x5a) isLower = false;
    else if (!isNameChar(code)) return undefined;
  }
  const name = end === length ? text : text.slice(0, end);
  return isLower ? name : name.toLowerCase();
}

/** A lower case letter, a digit, a hyphen or an underscore. */
function isNameChar(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f;
}
