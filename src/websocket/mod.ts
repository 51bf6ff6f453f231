/** WebSocket for SIP (RFC 6455, RFC 7118): its handshake and its frames, bytes in and bytes out. */
export { upgradeFault, upgradeRequest } from "./client_handshake.ts";
export { controlFrame, type MaskSource, messageFrames } from "./frame_writer.ts";
export { CLOSE_CODE, type FrameLimits, FrameReader, type FrameSink, OPCODE } from "./frames.ts";
export {
  acceptance,
  answerText,
  BAD_REQUEST,
  type HttpAnswer,
  type HttpRequest,
  refusalOf,
  requestOf,
  TOO_MANY,
  UPGRADE_REQUIRED,
  type WsPolicy,
} from "./handshake.ts";
export { type HttpHead, HttpHeadReader } from "./http_head.ts";
