import { type HeaderList, reasonOf, RequestDraft, SipError, type SipRequest } from "../sip/mod.ts";
import type { ServerTransaction } from "../transaction/mod.ts";
import { type Flow, socketAddressText } from "../transport/mod.ts";
import type { ForkOptions, RelayOptions, Route, RouteContext, Target } from "./context.ts";
import { Fork, type ForkParts, type Script } from "./fork.ts";
import { countHop, type ForwardEdit } from "./forward.ts";
import { isLoop, loopPart, type LoopParts } from "./loop.ts";
import { forwardStateless } from "./stateless.ts";

/** What the proxy core needs. */
export interface ProxyParts extends ForkParts {
  readonly loop: LoopParts;
  readonly route: Route;
  /** What a request without Max-Forwards goes on with. */
  readonly maxForwards: number;
}

/** Seconds after which a client may try again while the server is stopping. */
const RETRY_AFTER = 5;

/** The core of a proxy (RFC 3261 §16): gives each request to the route, and does what the route decides. */
export class Proxy {
  readonly #parts: ProxyParts;
  #isDraining = false;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
  }

  /** From now on nothing new is begun: requests outside dialogs are answered 503. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes a sound request that no transaction takes care of. */
  handle(request: SipRequest, flow: Flow): void {
    const { log } = this.#parts;
    if (log.debugs) {
      const { method, uriText: uri, callId } = request;
      log.debug("request", { callId, method, uri, from: socketAddressText(flow.remote) });
    }
    const ctx = new Context(this.#parts, request, flow);
    try {
      if (this.#isDraining) this.#refuseNew(request);
      // The ACK to a failure within a dialog has the dialog's tag, and not ours: only a transaction knows it.
      if (request.method === "INVITE" && request.inDialog) ctx.open();
      const waiting = this.#parts.route(ctx);
      if (waiting !== undefined) ctx.waitFor(waiting);
    } catch (error) {
      ctx.fail(error);
    }
  }

  #refuseNew(request: SipRequest): void {
    if (request.inDialog || request.method === "CANCEL") return;
    throw new SipError(503, "Server Is Stopping", [["Retry-After", String(RETRY_AFTER)]]);
  }
}

/** One request on its way through the route. */
class Context implements RouteContext, Script {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly #parts: ProxyParts;
  #draft: RequestDraft | undefined = undefined;
  #server: ServerTransaction | undefined = undefined;
  readonly #edits: ForwardEdit[] = [];
  #isDone = false;

  constructor(parts: ProxyParts, request: SipRequest, flow: Flow) {
    this.#parts = parts;
    this.request = request;
    this.flow = flow;
  }

  get draft(): RequestDraft {
    return this.#draft ??= new RequestDraft(this.request);
  }

  onForward(edit: ForwardEdit): void {
    this.#edits.push(edit);
  }

  reply(status: number, headers?: HeaderList, reason?: string): void {
    const { layer, replies, log } = this.#parts;
    const { request } = this;
    if (request.method === "ACK") return;
    if (log.debugs) log.debug("reply", { callId: request.callId, method: request.method, status });
    if (this.#server !== undefined) {
      this.#server.respond(status, replies.build(request, status, headers, reason));
    } else if (!this.#isDone) layer.replyStateless(request, this.flow, status, headers, reason);
    this.#isDone = true;
  }

  relay(options: RelayOptions = {}): void {
    const target = { uri: this.draft.uri.toString(), path: [], q: 1, via: options.via, alternates: [] };
    this.fork([target], options);
  }

  fork(targets: readonly Target[], options: ForkOptions = {}): void {
    // It was refused or cancelled while the route had yet to make up its mind.
    if (this.#isDone) return;
    const { request, draft } = this;
    countHop(draft, this.#parts.maxForwards);
    const near = this.flow.transport;
    const edits = this.#edits;
    const { seed, isOurs } = this.#parts.loop;
    if (request.method === "ACK" || request.method === "CANCEL") {
      const start = { target: targets[0], draft, edits, near, to: options.to, seed };
      this.#isDone = true;
      // Nobody waits for an answer to either.
      forwardStateless(this.#parts, start)?.catch((error) => this.#log(error));
      return;
    }
    const loop = loopPart(request, seed);
    if (isLoop(request, loop, isOurs)) {
      this.#parts.metrics.loops++;
      throw new SipError(482, reasonOf(482));
    }
    const server = this.open();
    this.#isDone = true;
    const start = { request, draft, edits, near, loop, targets, script: this };
    new Fork(this.#parts, server, start, options).start();
  }

  /**
   * The route needs time: copies of the request must find that it is being worked on, and so must a CANCEL
   * for it. What is never answered has no transaction.
   */
  waitFor(route: Promise<void>): void {
    route.catch((error) => this.fail(error));
    const { method } = this.request;
    if (this.#isDone || method === "ACK" || method === "CANCEL") return;
    this.open().onCancel = () => this.reply(487);
  }

  /** The transaction that answers it; throws a SipError of 503 when there are too many. */
  open(): ServerTransaction {
    return this.#server ??= this.#parts.layer.openServer(this.request, this.flow);
  }

  /** Answers with the status of a SipError, and with 500 for what is no error of the peer's. */
  fail(error: unknown): void {
    if (error instanceof SipError) return this.reply(error.status, error.headers, error.reason);
    this.#log(error);
    this.reply(500);
  }

  #log(error: unknown): void {
    if (error instanceof SipError) return;
    const { metrics, log } = this.#parts;
    metrics.internalErrors++;
    log.error("request failed", { callId: this.request.callId, method: this.request.method, error });
  }
}
