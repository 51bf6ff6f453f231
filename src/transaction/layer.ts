import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { TimerWheel } from "../lib/timer_wheel.ts";
import type { Tokens } from "../lib/token.ts";
import {
  buildCancel,
  type HeaderList,
  requestFault,
  SipError,
  SipRequest,
  type SipResponse,
} from "../sip/mod.ts";
import { type Flow, socketAddressText } from "../transport/mod.ts";
import { type ClientHost, InviteClient, type Sending } from "./invite_client.ts";
import { InviteServer, type ServerHost } from "./invite_server.ts";
import { branchOf } from "./key.ts";
import type { LocalReplies } from "./local_replies.ts";
import { OtherClient } from "./other_client.ts";
import { OtherServer } from "./other_server.ts";
import { ServerTable } from "./server_table.ts";
import { type TimerOptions, Timers } from "./timers.ts";
import type { ClientListener, ClientTransaction, ServerTransaction } from "./transaction.ts";

/** Letters of random text in a branch: 60 bits. */
const BRANCH_LETTERS = 12;

/** Seconds after which a client may try again when there are too many transactions. */
const RETRY_AFTER = 5;

/** What the layer needs, and whom it tells. */
export interface TransactionLayerParts {
  readonly wheel: TimerWheel;
  readonly tokens: Tokens;
  readonly replies: LocalReplies;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly timers: TimerOptions;
  /** Transactions of both kinds at a time. */
  readonly maxTransactions: number;
  /** Where the answers to a request go that came over `flow`. */
  responseFlow(request: SipRequest, flow: Flow): Flow;
  /**
   * A sound request that no transaction takes care of: new, an ACK to a 2xx, or a CANCEL for nothing we know.
   */
  onRequest(request: SipRequest, flow: Flow): void;
}

/** All transactions (RFC 3261 §17): what comes in finds its own here, or goes up. */
export class TransactionLayer {
  readonly #parts: TransactionLayerParts;
  readonly #servers = new ServerTable();
  readonly #clients = new Map<string, InviteClient | OtherClient>();
  readonly #serverHost: ServerHost;
  readonly #clientHost: ClientHost;
  #underWay = 0;

  constructor(parts: TransactionLayerParts) {
    const { wheel, metrics, replies } = parts;
    const timers = new Timers(parts.timers);
    const repeated = () => {
      metrics.retransmissionsSent++;
    };
    this.#parts = parts;
    this.#serverHost = {
      wheel,
      timers,
      repeated,
      serverEnded: (server) => this.#servers.delete(server),
      serverAnswered: () => {
        this.#underWay--;
      },
      trying: (request) => replies.build(request, 100),
    };
    this.#clientHost = {
      wheel,
      timers,
      repeated,
      clientEnded: (key) => {
        this.#clients.delete(key);
      },
      timedOut: () => {
        metrics.timeouts++;
      },
      cancel: (sent, flow, reason) => {
        const headers: HeaderList = reason === undefined ? [] : [["Reason", reason]];
        const text = buildCancel(sent, headers);
        this.openClient({ method: "CANCEL", branch: sent.via.branch!, text, flow }, NOBODY);
      },
    };
  }

  /** How many requests still wait for their final response. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How many transactions there are, finished ones that still absorb copies included. */
  get size(): number {
    return this.#servers.size + this.#clients.size;
  }

  /** Takes every message that arrives. */
  receive(message: SipRequest | SipResponse, flow: Flow): void {
    if (message instanceof SipRequest) this.#receiveRequest(message, flow);
    else this.#receiveResponse(message);
  }

  /** Answers a request without a transaction: the answer to a copy of it will be made again, and be the same. */
  replyStateless(
    request: SipRequest,
    flow: Flow,
    status: number,
    headers?: HeaderList,
    reason?: string,
  ): void {
    const { responseFlow, replies } = this.#parts;
    responseFlow(request, flow).send(replies.build(request, status, headers, reason));
  }

  /** Starts to answer a request in earnest; throws a SipError of 503 when there are too many transactions. */
  openServer(request: SipRequest, flow: Flow): ServerTransaction {
    if (this.#isFull(request)) {
      this.#parts.metrics.transactionsShed++;
      throw new SipError(503, "Too Many Transactions", [["Retry-After", String(RETRY_AFTER)]]);
    }
    const answerTo = this.#parts.responseFlow(request, flow);
    const transaction = request.method === "INVITE"
      ? new InviteServer(this.#serverHost, request, answerTo)
      : new OtherServer(this.#serverHost, request, answerTo);
    this.#servers.add(transaction);
    this.#underWay++;
    return transaction;
  }

  /** A branch for a request to be sent: random, and with a part that tells loops. */
  newBranch(loop: string): string {
    return branchOf(this.#parts.tokens.next(BRANCH_LETTERS), loop);
  }

  /** Sends a request and waits for its answers; a flow that will not take it is told as an outcome at once. */
  openClient(sending: Sending, listener: ClientListener): ClientTransaction {
    const { method, branch, flow, text } = sending;
    const key = method === "CANCEL" ? cancelKey(branch) : branch;
    const transaction = method === "INVITE"
      ? new InviteClient(this.#clientHost, sending, listener)
      : new OtherClient(this.#clientHost, key, sending, listener);
    this.#clients.set(key, transaction);
    if (!flow.send(text)) transaction.flowClosed();
    return transaction;
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const { metrics, onRequest } = this.#parts;
    const fault = requestFault(request);
    if (fault !== undefined) return this.#refuse(request, flow, fault);
    const known = this.#servers.find(request, request.method);
    if (known !== undefined) {
      if (known.receive(request) === "pass-up") onRequest(request, flow);
      else if (request.method !== "ACK") metrics.retransmissionsAbsorbed++;
    } else if (request.method === "ACK" && this.#parts.replies.isOurTag(request.toTag ?? "")) {
      // It acknowledges a failure we told without a transaction.
      metrics.retransmissionsAbsorbed++;
    } else if (request.method === "CANCEL") {
      this.#receiveCancel(request, flow);
    } else {
      onRequest(request, flow);
    }
  }

  /** An ACK is never answered, and without a Via there is nowhere to answer to. */
  #refuse(request: SipRequest, flow: Flow, fault: SipError): void {
    const { metrics, log } = this.#parts;
    if (request.method === "ACK" || !request.has("Via")) {
      metrics.malformedDropped++;
      return;
    }
    metrics.malformedRequests++;
    if (log.debugs) {
      const from = socketAddressText(flow.remote);
      log.debug("request refused", {
        callId: request.get("Call-ID"),
        from,
        status: fault.status,
        reason: fault.reason,
      });
    }
    this.replyStateless(request, flow, fault.status, fault.headers, fault.reason);
  }

  /** A CANCEL is answered here at once, whatever becomes of its INVITE (RFC 3261 §9.2). */
  #receiveCancel(cancel: SipRequest, flow: Flow): void {
    if (!this.#servers.hasNamedBy(cancel)) return this.#parts.onRequest(cancel, flow);
    const invite = this.#servers.find(cancel, "INVITE");
    if (this.#isFull(cancel)) {
      this.replyStateless(cancel, flow, 200);
    } else {
      this.openServer(cancel, flow).respond(200, this.#parts.replies.build(cancel, 200));
    }
    // What is not an INVITE it does not stop.
    if (invite instanceof InviteServer) invite.cancelled(cancel);
  }

  /** Whether there is no room for a transaction of this request. */
  #isFull(request: SipRequest): boolean {
    return this.size >= this.#parts.maxTransactions || this.#servers.isCrowded(request);
  }

  #receiveResponse(response: SipResponse): void {
    const { metrics } = this.#parts;
    if (response.fault !== undefined) {
      metrics.malformedDropped++;
      return;
    }
    const { method } = response.cseq;
    const branch = response.via.branch ?? "";
    const transaction = this.#clients.get(method === "CANCEL" ? cancelKey(branch) : branch);
    // What answers no request of ours is dropped, a 2xx as well (RFC 6026 §8.2).
    if (transaction === undefined || transaction.method !== method) metrics.strayResponses++;
    else transaction.receive(response);
  }
}

/** A CANCEL has the branch of its INVITE (RFC 3261 §9.1). */
function cancelKey(branch: string): string {
  return `CANCEL ${branch}`;
}

/** What becomes of a CANCEL concerns nobody: the INVITE's own answer is what counts. */
const NOBODY: ClientListener = {
  onProvisional() {},
  onOutcome() {},
  onFurtherSuccess() {},
};
