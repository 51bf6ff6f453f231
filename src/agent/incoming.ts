import { Timer } from "../lib/timer_wheel.ts";
import { buildReply, type HeaderList, type SipRequest } from "../sip/mod.ts";
import type { ServerTransaction } from "../transaction/mod.ts";
import { Dialog } from "./dialog.ts";
import type { Exchange } from "./exchange.ts";
import { Inbox } from "./inbox.ts";
import type { AgentCore } from "./core.ts";

/** What goes into a reply beside its status. */
export interface ReplyWith {
  readonly headers?: HeaderList;
  readonly body?: string;
}

/** A request somebody sent us. */
export class Incoming {
  readonly request: SipRequest;
  protected readonly core: AgentCore;
  protected readonly tag: string;
  readonly #transaction: ServerTransaction;

  constructor(core: AgentCore, request: SipRequest, transaction: ServerTransaction) {
    this.core = core;
    this.request = request;
    this.tag = request.toTag ?? core.tokens.next(8);
    this.#transaction = transaction;
  }

  /** Answers it. */
  reply(status: number, { headers = [], body }: ReplyWith = {}): void {
    this.#transaction.respond(status, this.replyText(status, headers, body));
  }

  protected replyText(status: number, headers: HeaderList, body?: string): string {
    return buildReply(this.request, status, { toTag: this.tag, headers, body });
  }
}

/** An INVITE somebody sent us, and the call it becomes. */
export class IncomingCall extends Incoming {
  readonly #server: ServerTransaction;
  readonly #acks: Inbox<SipRequest>;
  readonly #cancels: Inbox<SipRequest>;
  #success: RepeatedSuccess | undefined = undefined;
  #dialog: Dialog | undefined = undefined;

  constructor(core: AgentCore, request: SipRequest, transaction: ServerTransaction) {
    super(core, request, transaction);
    this.#server = transaction;
    this.#acks = new Inbox(core.patience);
    this.#cancels = new Inbox(core.patience);
    transaction.onCancel = (cancel) => {
      this.#cancels.put(cancel);
      this.reply(487);
    };
  }

  /** Answers it; with a success it becomes a call, and the success is repeated until it is acknowledged (§13.3.1.4). */
  override reply(status: number, { headers = [], body }: ReplyWith = {}): void {
    const { request, core } = this;
    const all: HeaderList = status < 300 && status > 100
      ? [...request.all("Record-Route").map((value) => ["Record-Route", value] as const), [
        "Contact",
        `<${core.contact}>`,
      ], ...headers]
      : headers;
    const text = this.replyText(status, all, body);
    this.#server.respond(status, text);
    if (status < 200 || status >= 300) return;
    // What comes in a dialog changes nothing about it.
    if (!request.inDialog) this.#dialog = Dialog.ofCallee(request, this.tag);
    this.#success = new RepeatedSuccess(core, this.#server, status, text);
    core.dialogs.set(dialogKey(request.callId, this.tag), this);
  }

  /** Waits for the ACK to our success. */
  acknowledged(): Promise<SipRequest> {
    return this.#acks.take(() => true, "ACK");
  }

  /** Waits until the caller gives up. */
  cancelled(): Promise<SipRequest> {
    return this.#cancels.take(() => true, "CANCEL");
  }

  /** Hangs up. */
  bye(): Exchange {
    return this.core.sendInDialog(this.#dialog!, "BYE");
  }

  /** The dialog it has made, once it was answered with a success. */
  get dialog(): Dialog | undefined {
    return this.#dialog;
  }

  /** Takes an ACK of its dialog. */
  acknowledge(ack: SipRequest): void {
    this.#success?.stop();
    this.#acks.put(ack);
  }
}

/** What a callee knows its dialogs by. */
export function dialogKey(callId: string, localTag: string): string {
  return `${callId} ${localTag}`;
}

/** A 2xx to INVITE, sent again and again until somebody acknowledges it. */
class RepeatedSuccess extends Timer {
  #interval: number;
  #left: number;

  constructor(
    readonly core: AgentCore,
    readonly server: ServerTransaction,
    readonly status: number,
    readonly text: string,
  ) {
    super();
    this.#interval = core.t1;
    this.#left = 64 * core.t1;
    core.wheel.arm(this, this.#interval);
  }

  stop(): void {
    this.core.wheel.disarm(this);
  }

  override onTimer(): void {
    this.#left -= this.#interval;
    if (this.#left <= 0) return;
    this.server.respond(this.status, this.text);
    this.#interval = Math.min(this.#interval * 2, 8 * this.core.t1);
    this.core.wheel.arm(this, this.#interval);
  }
}
