import { isIpv6, parseIpv4, parseIpv6 } from "../lib/ip_address.ts";
import {
  errorCodeBytes,
  FINGERPRINT_BYTES,
  readAttributes,
  softwareBytes,
  unknownAttributesBytes,
  writeErrorCode,
  writeFingerprint,
  writeSoftware,
  writeUnknownAttributes,
  writeXorMappedAddress,
  xorMappedAddressBytes,
} from "./attributes.ts";
import {
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  isStun,
  readUint16,
  ResponseWriter,
} from "./message.ts";

/** Where a datagram came from: an IP address without brackets, and a port. */
export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

/** Bytes of a request; one that the network would have to cut in pieces is none of ours (RFC 8489 §6.1). */
const MAX_REQUEST = 1_500;

/** A SOFTWARE has fewer characters than this (RFC 8489 §14.14). */
const SOFTWARE_LIMIT = 128;

const UNKNOWN_ATTRIBUTE = "Unknown Attribute";

/**
 * Tells clients by which address they are seen. Holds no state of theirs: a repeated request has the same answer
 * once more (RFC 8489 §6.3.1). Nobody has credentials here, so MESSAGE-INTEGRITY is neither checked nor sent.
 */
export class BindingResponder {
  readonly #software: Uint8Array;

  /** `software`: what its responses name as their maker, empty for nothing. Throws RangeError from 128 characters on. */
  constructor(software = "") {
    if (software.length >= SOFTWARE_LIMIT) {
      throw new RangeError(`The SOFTWARE of STUN is too long: "${software}"`);
    }
    this.#software = new TextEncoder().encode(software);
  }

  /**
   * The response to the datagram from `start` to `end`; undefined if it is no Binding request, or damaged: that
   * is dropped without a word (RFC 8489 §6.3). A FINGERPRINT is in the response if the request had one: SIP
   * ports are told apart without it (RFC 5626 §8), so only who sends one is known to look for one.
   */
  answer(
    request: Uint8Array,
    start: number,
    end: number,
    source: TransportAddress,
  ): Uint8Array<ArrayBuffer> | undefined {
    if (end - start > MAX_REQUEST || !isStun(request, start, end)) return undefined;
    if (readUint16(request, start) !== BINDING_REQUEST) return undefined;
    const asked = readAttributes(request, start, end);
    if (asked === undefined) return undefined;
    const { unknown, hasFingerprint } = asked;
    const rest = softwareBytes(this.#software) + (hasFingerprint ? FINGERPRINT_BYTES : 0);
    const writer = unknown.length > 0
      ? refusal(request, start, unknown, rest)
      : success(request, start, source, rest);
    if (writer === undefined) return undefined;
    writeSoftware(writer, this.#software);
    if (hasFingerprint) writeFingerprint(writer);
    return writer.bytes;
  }
}

/** `rest`: bytes to leave for what else is to be written. */
function success(
  request: Uint8Array,
  start: number,
  { address, port }: TransportAddress,
  rest: number,
): ResponseWriter | undefined {
  const ip = isIpv6(address) ? parseIpv6(address) : parseIpv4(address);
  if (ip === undefined) return undefined;
  const writer = new ResponseWriter(BINDING_SUCCESS, request, start, xorMappedAddressBytes(ip) + rest);
  writeXorMappedAddress(writer, ip, port);
  return writer;
}

function refusal(
  request: Uint8Array,
  start: number,
  unknown: readonly number[],
  rest: number,
): ResponseWriter {
  const room = errorCodeBytes(UNKNOWN_ATTRIBUTE) + unknownAttributesBytes(unknown) + rest;
  const writer = new ResponseWriter(BINDING_ERROR, request, start, room);
  writeErrorCode(writer, 420, UNKNOWN_ATTRIBUTE);
  writeUnknownAttributes(writer, unknown);
  return writer;
}
