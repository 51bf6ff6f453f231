/** The grammar of SIP (RFC 3261): text in, values out, text again. No socket and no clock. */
export { buildAck, buildCancel, buildRequest } from "./build.ts";
export { type Contacts, MAX_EXPIRES, parseExpires, parseQ } from "./contact.ts";
export { RequestDraft, ResponseDraft } from "./draft.ts";
export { type HeaderList, MalformedError, SipError } from "./errors.ts";
export { Framer, type FrameSink, type StreamFault } from "./framer.ts";
export type { HeaderName } from "./header_names.ts";
export { type CSeq, type MessageLimits, type Patch, SipMessage, SipRequest, SipResponse } from "./message.ts";
export { ALL_METHODS, isDialogForming, methodBit, METHODS } from "./method.ts";
export { NameAddr, parseNameAddr, parseNameAddrs } from "./name_addr.ts";
export { type Param, Params, quote, unquote } from "./params.ts";
export { parseMessage, parseText } from "./parse.ts";
export { defaultPort, type Protocol, protocolOf, viaName } from "./protocol.ts";
export { buildReply, type ReplyOptions } from "./reply.ts";
export { splitList } from "./scan.ts";
export { reasonOf } from "./status.ts";
export { asRequestUri, hostPort, parseUri, sameUri, unescapePlain, type Uri } from "./uri.ts";
export { requestFault } from "./validity.ts";
export { MAGIC_COOKIE, parseVia, Via } from "./via.ts";
