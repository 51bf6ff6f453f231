import type { Buffer } from "node:buffer";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { WebSocket, WebSocketServer } from "ws";
import { bracketed, canonicalIp } from "../lib/ip_address.ts";
import { Timer } from "../lib/timer_wheel.ts";
import type { Connection } from "./connection.ts";
import { FlowError, type Peer, type SocketAddress, socketAddressText } from "./flow.ts";
import { type StreamOptions, type StreamParts, StreamTransport } from "./stream_transport.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { Acceptor } from "./acceptor.ts";
import { WsFlow, type WsFlowParts } from "./ws_flow.ts";
import {
  BAD_REQUEST,
  type HttpAnswer,
  refusalOf,
  sendAnswer,
  sipAmong,
  TOO_MANY,
  UPGRADE_REQUIRED,
  WsHandshake,
  type WsPolicy,
} from "./ws_handshake.ts";

/** How a listener for WebSockets is set up; times in ms. */
export interface WsOptions extends StreamOptions, WsPolicy {
  readonly protocol: "ws" | "wss";
  /** Host and port peers reach it by; its own if left out. */
  readonly sentBy?: string;
  /** The most bytes of one message. */
  readonly messageBytes: number;
  /** From one Ping frame to the next. */
  readonly pingInterval: number;
  /** From a Ping frame until something must have come. */
  readonly pongTimeout: number;
  /** Required for wss. */
  readonly identity?: TlsIdentity;
}

/** Milliseconds a peer has to end its side of a closing handshake. */
const CLOSE_TIMEOUT = 1_000;

/** Bytes of the head of an HTTP request. */
const MAX_HEAD = 16_384;

/** Pieces of one message that may wait for the rest: whoever sends it byte by byte is not followed. */
const MAX_PIECES = 256;

/** Connections too many that are told so at the same time; beyond them there is not even a word. */
const MAX_TURNED_AWAY = 64;

/** SIP over WebSocket (RFC 7118), with TLS under it or without. */
export class WsTransport extends StreamTransport {
  readonly protocol: "ws" | "wss";
  readonly local: SocketAddress;
  readonly sentBy: string;

  readonly #options: WsOptions;
  readonly #flowParts: WsFlowParts;
  readonly #http: Server | HttpsServer;
  readonly #upgrader: WebSocketServer;
  readonly #acceptor: Acceptor;
  readonly #stopReloading: () => void;
  /** Those on their way to be WebSockets, by the address they come from. */
  readonly #handshakes = new Map<string, WsHandshake>();
  #turnedAway = 0;
  /** Every WebSocket whose connection is not yet closed. */
  readonly #sockets = new Set<WebSocket>();
  #ended: Promise<void> | undefined = undefined;

  /** Opens the port; throws FlowError. */
  constructor(parts: StreamParts, address: SocketAddress, options: WsOptions) {
    super(parts, options);
    const { protocol, messageBytes, pingInterval, pongTimeout, origins } = options;
    this.protocol = protocol;
    this.#options = { ...options, origins: origins.map((origin) => origin.toLowerCase()) };
    this.#flowParts = { host: this, arrival: parts.arrival, pingInterval, pongTimeout };
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      handleProtocols: (offered) => sipAmong(offered) ?? false,
      ...frameLimits(messageBytes),
    });
    const { http, stopReloading } = this.#httpServer();
    this.#http = http;
    this.#stopReloading = stopReloading;
    this.#acceptor = new Acceptor({
      wheel: parts.wheel,
      log: parts.log,
      protocol,
      onConnection: (socket) => this.#accepted(socket),
      onRevived: () => this.metrics.listenersRevived++,
    }, address);
    this.local = this.#acceptor.local;
    this.sentBy = options.sentBy ?? socketAddressText(this.local);
  }

  override close(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  protected override dial(peer: Peer): Promise<Connection> {
    const { connect, messageBytes, identity } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const { address, port, host = address } = peer;
    const tls = identity === undefined ? {} : identity.clientOptions(host);
    const ws = new WebSocket(`${this.protocol}://${socketAddressText(peer)}/`, ["sip"], {
      headers: { Host: `${bracketed(host)}:${port}` },
      ...tls,
      ...frameLimits(messageBytes),
    });
    this.#sockets.add(ws);
    const deadline = new Deadline(() => {
      reject(new Error(`no WebSocket within ${connect} ms`));
      ws.terminate();
    });
    this.wheel.arm(deadline, connect);
    let stream: Duplex | undefined;
    ws.on("upgrade", (response) => stream = response.socket);
    ws.on("open", () => {
      this.wheel.disarm(deadline);
      const flow = this.#flow(ws, stream!, { address, port }, true);
      resolve(this.opened(flow, this.keyOf(peer)));
    });
    ws.on("error", reject);
    ws.on("close", () => {
      this.wheel.disarm(deadline);
      this.#sockets.delete(ws);
      reject(new Error("the connection was closed"));
    });
    return promise;
  }

  protected override stopAccepting(): Promise<void> {
    this.#acceptor.close();
    this.#stopReloading();
    this.#http.close();
    this.#upgrader.close();
    const ends = [...this.#handshakes.values()].map(({ socket }) => closed(socket));
    for (const { socket } of this.#handshakes.values()) socket.destroy();
    for (const ws of this.#sockets) if (ws.readyState === WebSocket.CONNECTING) ws.terminate();
    return Promise.all(ends).then(() => {});
  }

  protected override keyOf(peer: Peer): string {
    return `${socketAddressText(peer)} ${peer.host ?? ""}`;
  }

  async #end(): Promise<void> {
    await super.close();
    // Flows are over when they are told to close; their connections may need a little longer.
    await Promise.all([...this.#sockets].map(closed));
  }

  #httpServer(): { readonly http: Server | HttpsServer; readonly stopReloading: () => void } {
    const { protocol, identity } = this.#options;
    if (protocol === "ws") {
      return { http: this.#serve(createHttpServer({ maxHeaderSize: MAX_HEAD })), stopReloading: () => {} };
    }
    if (identity === undefined) throw new FlowError("Cannot listen on wss without a certificate");
    const http = createHttpsServer({ ...identity.serverOptions, maxHeaderSize: MAX_HEAD });
    const stopReloading = identity.onReload(() => http.setSecureContext(identity.serverOptions));
    // What a peer does wrong before there is HTTP ends its connection, and is counted there.
    http.on("tlsClientError", (_, socket) => socket.destroy());
    http.on("secureConnection", (socket) => {
      if (identity.namesOfClient(socket) === undefined) socket.destroy();
    });
    return { http: this.#serve(http), stopReloading };
  }

  #serve<S extends Server | HttpsServer>(http: S): S {
    http.on("request", (request: IncomingMessage) => this.#answer(request, request.socket, UPGRADE_REQUIRED));
    http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket as Socket, head);
    });
    http.on("clientError", (_: Error, socket: Duplex) => {
      if (socket.writable) sendAnswer(socket, BAD_REQUEST);
      else socket.destroy();
    });
    return http;
  }

  #accepted(socket: Socket): void {
    // Who has gone again needs no answer.
    socket.on("error", () => {});
    const remote = remoteOf(socket);
    if (remote === undefined || this.isClosing) return void socket.destroy();
    const isAdmitted = this.admit(remote.address);
    if (!isAdmitted && this.#turnedAway >= MAX_TURNED_AWAY) return void socket.destroy();
    if (!isAdmitted) this.#turnedAway++;
    const handshake = new WsHandshake(socket, remote.address, isAdmitted);
    const place = socketAddressText(remote);
    this.#handshakes.set(place, handshake);
    handshake.onClose = () => this.#failed(handshake, place);
    socket.on("close", handshake.onClose);
    this.wheel.arm(handshake, this.#options.handshake);
    this.#http.emit("connection", socket);
  }

  /** The connection has ended, and never was a WebSocket. */
  #failed(handshake: WsHandshake, place: string): void {
    const { address, isAdmitted, isAnswered } = handshake;
    this.wheel.disarm(handshake);
    this.#handshakes.delete(place);
    if (isAdmitted) this.parts.limits.release(address);
    else this.#turnedAway--;
    if (!isAnswered && isAdmitted && !this.isClosing) this.metrics.handshakesFailed++;
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const remote = remoteOf(socket);
    const place = remote && socketAddressText(remote);
    const handshake = place === undefined ? undefined : this.#handshakes.get(place);
    if (handshake === undefined) return void socket.destroy();
    const refusal = handshake.isAdmitted ? refusalOf(request, this.#options) : TOO_MANY;
    if (refusal !== undefined) return this.#answer(request, socket, refusal);
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => {
      this.wheel.disarm(handshake);
      this.#handshakes.delete(place!);
      handshake.socket.off("close", handshake.onClose);
      this.#sockets.add(ws);
      ws.on("close", () => this.#sockets.delete(ws));
      this.opened(this.#flow(ws, socket, remote!, false));
    });
  }

  #answer(request: IncomingMessage, socket: Socket, answer: HttpAnswer): void {
    const remote = remoteOf(socket);
    const handshake = remote && this.#handshakes.get(socketAddressText(remote));
    const isPage = answer === UPGRADE_REQUIRED;
    if (handshake !== undefined && isPage) handshake.isAnswered = true;
    sendAnswer(socket, handshake?.isAdmitted === false ? TOO_MANY : answer, request.method !== "HEAD");
  }

  #flow(ws: WebSocket, stream: Duplex, remote: SocketAddress, isDialed: boolean): WsFlow {
    return new WsFlow(this.#flowParts, ws, stream, remote, this.parts.flowIds.next(), isDialed);
  }
}

/** When something has taken too long. */
class Deadline extends Timer {
  readonly #onLate: () => void;

  constructor(onLate: () => void) {
    super();
    this.#onLate = onLate;
  }

  override onTimer(): void {
    this.#onLate();
  }
}

/** What holds for the frames of either side. */
function frameLimits(messageBytes: number) {
  return {
    maxPayload: messageBytes,
    maxFragments: MAX_PIECES,
    maxBufferedChunks: MAX_PIECES,
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT,
  };
}

/** Where a connection comes from; undefined if it is closed already. */
function remoteOf({ remoteAddress, remotePort }: Socket): SocketAddress | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  // An IPv4 client of an IPv6 socket is shown with its IPv4 address.
  return { address: canonicalIp(remoteAddress) ?? remoteAddress, port: remotePort };
}

function closed(socket: Socket | WebSocket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
