import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import {
  type Answer as WireRecord,
  decode,
  type DecodedPacket,
  encode,
  RECURSION_DESIRED,
  type StringAnswer,
} from "dns-packet";
import { canonicalIp } from "../lib/ip_address.ts";
import { type Answer, dnsName, type Question, type RecordType, type RecordTypes } from "./dns_records.ts";

/** Bytes of a datagram we take: what goes through nearly every network in one piece (RFC 6891, DNS flag day 2020). */
export const MAX_DATAGRAM = 1_232;

/** Records of one answer that are kept. */
const MAX_RECORDS = 64;

/** Aliases followed within one answer. */
const MAX_ALIASES = 8;

const HEADER_BYTES = 12;
const TRUNCATED_BIT = 0x02;

/** What a name server says to a question. */
export type Reply =
  | { readonly kind: "answer"; readonly answer: Answer }
  /** The name is another's alias, and of that one nothing is said. */
  | { readonly kind: "alias"; readonly name: string; readonly ttl: number | undefined }
  /** It did not fit into a datagram. */
  | { readonly kind: "truncated" }
  /** It cannot say, or will not; `isFormat`: it does not understand how it was asked (RFC 6891 §7). */
  | { readonly kind: "refused"; readonly isFormat: boolean };

/** The bytes of a question; `edns`: whether it tells how large an answer may be, which very old servers dislike. */
export function encodeQuestion({ name, type }: Question, id: number, edns: boolean): Uint8Array {
  return encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals: edns
      ? [{
        type: "OPT",
        name: ".",
        udpPayloadSize: MAX_DATAGRAM,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      }]
      : [],
  });
}

/** What the bytes say to this question; undefined if they are no answer to it, or damaged. */
export function readReply(bytes: Uint8Array, question: Question, id: number): Reply | undefined {
  if (bytes.length < HEADER_BYTES || ((bytes[0] << 8) | bytes[1]) !== id) return undefined;
  let packet: DecodedPacket & { readonly rcode?: string };
  try {
    packet = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    // It may have been cut anywhere, and what it says is not looked at in any case.
    return (bytes[2] & TRUNCATED_BIT) !== 0 ? { kind: "truncated" } : undefined;
  }
  if (!packet.flag_qr || !repeats(packet, question)) return undefined;
  if (packet.flag_tc) return { kind: "truncated" };
  switch (packet.rcode) {
    case "NOERROR":
    case "NXDOMAIN":
      return answerOf(packet, question);
    default:
      return { kind: "refused", isFormat: packet.rcode === "FORMERR" || packet.rcode === "NOTIMP" };
  }
}

/** Whether it answers this very question, which a forger who sees nothing has to guess as well. */
function repeats({ questions = [] }: DecodedPacket, { name, type }: Question): boolean {
  const [asked] = questions;
  return questions.length === 1 && asked.type === type && dnsName(asked.name) === name;
}

function answerOf(packet: DecodedPacket, { name, type }: Question): Reply {
  const { answers = [], authorities = [] } = packet;
  let current = name;
  let ttl: number | undefined;
  for (let i = 0; i < MAX_ALIASES; i++) {
    const ours = answers.filter((record) => dnsName(record.name) === current);
    const found = ours.filter((record) => record.type === type).slice(0, MAX_RECORDS);
    if (found.length > 0) {
      const records = found.map((record) => recordOf(record, type)).filter((record) => record !== undefined);
      return { kind: "answer", answer: { records, ttl: found.reduce(shorterTtl, ttl) } };
    }
    const alias = ours.find((record): record is StringAnswer => record.type === "CNAME");
    const next = alias === undefined ? undefined : dnsName(alias.data);
    if (next === undefined) break;
    ttl = shorterTtl(ttl, alias!);
    current = next;
  }
  // Nothing is known for sure only if the zone itself says for how long (RFC 2308 §5).
  const soa = authorities.find((record) => record.type === "SOA");
  if (soa === undefined && current !== name) return { kind: "alias", name: current, ttl };
  const negative = soa === undefined ? undefined : Math.min(soa.ttl ?? 0, soa.data.minimum ?? 0);
  return { kind: "answer", answer: { records: [], ttl: negative } };
}

function shorterTtl(ttl: number | undefined, record: WireRecord): number | undefined {
  const own = "ttl" in record ? record.ttl : undefined;
  return own === undefined ? ttl : Math.min(own, ttl ?? own);
}

/** Undefined if it holds what nobody could use. */
function recordOf(record: WireRecord, type: RecordType): RecordTypes[RecordType] | undefined {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.type === type ? canonicalIp(record.data) : undefined;
    case "SRV": {
      const { priority = 0, weight = 0, port, target } = record.data;
      const name = nameOrNone(target);
      return name === undefined ? undefined : { priority, weight, port, target: name };
    }
    case "NAPTR": {
      const { order, preference, flags, services, regexp, replacement } = record.data;
      const name = nameOrNone(replacement);
      if (name === undefined) return undefined;
      return {
        order,
        preference,
        flags: flags.toLowerCase(),
        services: services.toUpperCase(),
        regexp,
        replacement: name,
      };
    }
  }
}

/** A name, or "" for the root, which stands for none. */
function nameOrNone(text: string): string | undefined {
  return text === "." || text === "" ? "" : dnsName(text);
}
