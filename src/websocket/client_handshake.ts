import { acceptOf } from "./handshake.ts";
import { type HttpHead, listed } from "./http_head.ts";

/**
 * The request for a WebSocket that carries SIP (RFC 6455 §4.1, RFC 7118 §4.1). `host` with its port as in a URL;
 * `key`: sixteen random bytes in base64.
 */
export function upgradeRequest(host: string, path: string, key: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: sip",
    "\r\n",
  ].join("\r\n");
}

/** Why the answer to such a request begins no WebSocket; undefined if it does (RFC 6455 §4.1). */
export function upgradeFault({ startLine, fields }: HttpHead, key: string): string | undefined {
  if (!/^HTTP\/1\.1 101( |$)/.test(startLine)) return `the server answered ${JSON.stringify(startLine)}`;
  const isUpgrade = fields.get("upgrade")?.toLowerCase() === "websocket" &&
    listed(fields.get("connection")).some((member) => member.toLowerCase() === "upgrade");
  if (!isUpgrade || fields.get("sec-websocket-accept") !== acceptOf(key)) {
    return "the server did not understand what was asked for";
  }
  if (fields.get("sec-websocket-protocol") !== "sip") return "the server does not speak SIP";
  return fields.has("sec-websocket-extensions") ? "the server wants extensions nobody offered" : undefined;
}
