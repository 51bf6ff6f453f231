import { type ByteArea, byteArea, latin1Bytes } from "../lib/latin1.ts";
import { DEFAULT_LIMITS, type MessageLimits, SipRequest, SipResponse } from "./message.ts";
import { internMethod } from "./method.ts";
import { CR, LF, parseDecimal, skipToken, SLASH, type Source, SP } from "./scan.ts";

const VERSION = "SIP/2.0";

/**
 * Reads the message in `bytes` from `start` to `end`; undefined if it is not SIP at all. Never throws: what
 * is wrong with it is in `fault`, before all else the fault that the caller knows of. Nothing of it refers to the bytes afterwards.
 */
export function parseMessage(
  bytes: ByteArea,
  start = 0,
  end = bytes.length,
  limits: MessageLimits = DEFAULT_LIMITS,
  fault?: string,
): SipRequest | SipResponse | undefined {
  let base = start;
  // Empty lines before the start line are to be ignored (RFC 3261 §7.5).
  while (bytes[base] === CR && bytes[base + 1] === LF && base + 1 < end) base += 2;
  const source = { text: bytes.latin1Slice(base, end), bytes, base };
  const lineEnd = source.text.indexOf("\r\n");
  if (lineEnd < 0) return undefined;
  // A method has no slash.
  const isResponse = bytes[base + 3] === SLASH && source.text.slice(0, 4).toUpperCase() === "SIP/";
  return isResponse
    ? readResponse(source, lineEnd, limits, fault)
    : readRequest(source, lineEnd, limits, fault);
}

/** The message in a text of one char per byte, as parseMessage reads it. */
export function parseText(text: string, limits?: MessageLimits): SipRequest | SipResponse | undefined {
  return parseMessage(byteArea(latin1Bytes(text)), 0, text.length, limits);
}

function readRequest(
  source: Source,
  lineEnd: number,
  limits: MessageLimits,
  known?: string,
): SipRequest | undefined {
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
  let fault = known;
  if (skipToken(bytes, base, base + methodEnd) !== base + methodEnd) fault = "Malformed method";
  else if (uriEnd < methodEnd + 2 || uriText.includes(" ")) fault = "Malformed request line";
  else if (version !== VERSION && !/^SIP\/[0-9]+\.[0-9]+$/i.test(version)) fault = "Malformed request line";
  return new SipRequest(source, lineEnd, method, uriText, version, fault, limits);
}

function readResponse(
  source: Source,
  lineEnd: number,
  limits: MessageLimits,
  known?: string,
): SipResponse {
  const { text, bytes, base } = source;
  // "SIP/2.0 200 OK": the status from 8 to 11, the reason after one more space.
  const codeEnd = base + Math.min(11, lineEnd);
  const isOurs = text.startsWith("SIP/2.0 ") || text.slice(0, 8).toUpperCase() === "SIP/2.0 ";
  const status = isOurs ? parseDecimal(bytes, base + 8, codeEnd, 699) : -1;
  const isWellFormed = status >= 100 && (lineEnd === 11 || text.charCodeAt(11) === SP);
  const reason = isWellFormed ? text.slice(12, lineEnd) : "";
  const fault = isWellFormed ? known : "Malformed status line";
  return new SipResponse(source, lineEnd, isWellFormed ? status : 0, reason, fault, limits);
}
