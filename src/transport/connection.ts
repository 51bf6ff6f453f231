import { Timer, type TimerWheel } from "../lib/timer_wheel.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Protocol } from "../sip/mod.ts";
import type { Flow, FlowWatcher, SocketAddress, Transport } from "./flow.ts";

/** What carries the bytes of one connection. */
export interface Wire {
  /** Sends the messages in this order; resolves when more may be given, rejects when the connection is gone. */
  write(texts: readonly string[]): Promise<void>;
  /** Ends the connection, whether or not what was written has left; may be called again. */
  close(): void;
}

/** How long connections may live, and what they may hold; times in ms. */
export interface ConnectionOptions {
  /** Until a peer that has connected sends its first byte. */
  readonly firstByte: number;
  /** From the first byte of a message, or of a keep-alive, to its last. */
  readonly wholeMessage: number;
  /** From the last byte heard to the end. */
  readonly idle: number;
  /** Bytes that may wait to be written from one turn to the next; in one turn eight times that. */
  readonly writeQueue: number;
}

/** What a connection needs of the listener it belongs to. */
export interface ConnectionHost extends Transport {
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly options: ConnectionOptions;
  readonly onError: (error: unknown) => void;
  /** It is over: forget it. */
  ended(connection: Connection, reason: CloseReason): void;
}

/** Why a connection ended, for log and counters. */
export type CloseReason =
  /** The peer closed it, or the network did. */
  | "peer"
  /** Nothing came after it was opened. */
  | "first byte"
  /** A message took too long to arrive. */
  | "slow message"
  /** Nothing was heard for too long. */
  | "idle"
  /** The peer does not read what it is sent. */
  | "write queue"
  /** What it sent cannot be followed any further. */
  | "broken stream"
  /** The server stops. */
  | "stopping";

/** The counters of those reasons that are limits of ours. */
const COUNTERS: Readonly<Partial<Record<CloseReason, keyof Metrics & `connections${string}`>>> = {
  "first byte": "connectionsSilent",
  "slow message": "connectionsSlow",
  idle: "connectionsIdle",
  "write queue": "connectionsFull",
  "broken stream": "connectionsBroken",
};

/** How many times the bytes that may wait may come together in one turn, as when many answers fall due at once. */
const BURST = 8;

/**
 * One connection as a flow: its write queue, its deadlines, and who wants to know of its end. How bytes become
 * messages is for those who extend it to say.
 *
 *     silent ──byte──▶ receiving ──whole message or keep-alive──▶ quiet ──byte──▶ receiving
 *       └──firstByte──▶ closed └──wholeMessage──▶ closed             └──idle──▶ closed
 */
export class Connection extends Timer implements Flow {
  readonly id: number;
  readonly protocol: Protocol;
  readonly transport: Transport;
  readonly remote: SocketAddress;
  readonly isAccepted: boolean;
  isGone = false;

  readonly #host: ConnectionHost;
  readonly #wire: Wire;
  #state: "silent" | "receiving" | "quiet" = "silent";
  /** When the state began, or for "quiet" when something was last heard; in ms of the wheel. */
  #since: number;
  /** What waits, and what the wire has and has not yet written. */
  #queue: string[] = [];
  #waiting = 0;
  /** Of what waits, what has waited since before this turn: nobody can be blamed for not having read the rest. */
  #stale = 0;
  #isWriting = false;
  #isTurnOpen = false;
  /** What is to happen when all is written. */
  #lastWill: CloseReason | undefined = undefined;
  /** Told when nothing waits any more. */
  #drained: PromiseWithResolvers<void> | undefined = undefined;
  #watchers: Set<FlowWatcher> | undefined = undefined;

  /** `isDialed`: we opened it, so that the peer owes us nothing yet. */
  constructor(host: ConnectionHost, wire: Wire, remote: SocketAddress, id: number, isDialed: boolean) {
    super();
    this.#host = host;
    this.#wire = wire;
    this.id = id;
    this.protocol = host.protocol;
    this.transport = host;
    this.remote = remote;
    this.isAccepted = !isDialed;
    this.#since = host.wheel.now;
    if (isDialed) this.#state = "quiet";
    host.wheel.arm(this, isDialed ? host.options.idle : host.options.firstByte);
  }

  send(text: string): boolean {
    if (this.isGone || this.#lastWill !== undefined) {
      this.#host.metrics.sendsFailed++;
      return false;
    }
    const { writeQueue } = this.#host.options;
    if (this.#stale + text.length > writeQueue || this.#waiting + text.length > BURST * writeQueue) {
      this.#host.metrics.sendsFailed++;
      // Nobody is told from within this call.
      queueMicrotask(() => this.close("write queue"));
      return false;
    }
    this.#host.metrics.messagesSent++;
    this.#put(text);
    return true;
  }

  watch(watcher: FlowWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: FlowWatcher): void {
    this.#watchers?.delete(watcher);
  }

  /** Bytes that wait to be written. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether it will be closed as soon as all is written, and takes nothing more. */
  get isEnding(): boolean {
    return this.#lastWill !== undefined;
  }

  /**
   * Resolves when little enough waits to be written that more may be read: a peer whose answers do not leave shall
   * not ask on. Undefined if that is so now; it also resolves when the connection ends.
   */
  caughtUp(): Promise<void> | undefined {
    if (this.isGone || this.#waiting <= this.#host.options.writeQueue / 2) return undefined;
    return (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** Ends it at once, and tells everyone who watches, once and in this turn. */
  close(reason: CloseReason): void {
    if (this.isGone) return;
    this.isGone = true;
    const { wheel, metrics } = this.#host;
    wheel.disarm(this);
    this.#queue = [];
    this.#wire.close();
    this.#drained?.resolve();
    const counter = COUNTERS[reason];
    if (counter !== undefined) metrics[counter]++;
    this.#host.ended(this, reason);
    this.#tell();
  }

  /** Ends it once what it was given is written, but no later than `wholeMessage` from now; nothing more is taken. */
  closeWhenWritten(reason: CloseReason): void {
    if (this.isGone || this.#lastWill !== undefined) return;
    this.#lastWill = reason;
    if (this.#waiting === 0) return this.close(reason);
    this.#host.wheel.arm(this, this.#host.options.wholeMessage);
  }

  override onTimer(): void {
    if (this.#lastWill !== undefined) return this.close(this.#lastWill);
    const { wheel, options } = this.#host;
    const [limit, reason] = this.#deadline(options);
    const left = this.#since + limit - wheel.now;
    // Being heard arms nothing: the time that was left then is made up for here.
    if (left <= 0) this.close(reason);
    else wheel.arm(this, left);
  }

  /** Bytes have come; `isWhole`: and nothing of an unfinished message with them. */
  protected heard(isWhole: boolean): void {
    // Its deadline is that of its end.
    if (this.#lastWill !== undefined || this.isGone) return;
    const { wheel, options } = this.#host;
    if (isWhole) {
      this.#state = "quiet";
      this.#since = wheel.now;
    } else if (this.#state !== "receiving") {
      this.#state = "receiving";
      this.#since = wheel.now;
      wheel.arm(this, options.wholeMessage);
    }
  }

  /** Answers a keep-alive; a peer that asks and never reads gets no more of them. */
  protected pong(text: string): void {
    if (this.isGone || this.#waiting + text.length > this.#host.options.writeQueue) return;
    this.#host.metrics.keepAlivesAnswered++;
    this.#put(text);
  }

  #deadline({ firstByte, wholeMessage, idle }: ConnectionOptions): readonly [number, CloseReason] {
    switch (this.#state) {
      case "silent":
        return [firstByte, "first byte"];
      case "receiving":
        return [wholeMessage, "slow message"];
      case "quiet":
        return [idle, "idle"];
    }
  }

  #put(text: string): void {
    this.#queue.push(text);
    this.#waiting += text.length;
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    queueMicrotask(() => this.#endTurn());
  }

  /** What is sent in one turn leaves together. */
  #endTurn(): void {
    this.#isTurnOpen = false;
    this.#stale = this.#waiting;
    if (!this.#isWriting && !this.isGone) this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#queue.length > 0) {
        const texts = this.#queue;
        this.#queue = [];
        await this.#wire.write(texts);
        for (const text of texts) {
          this.#waiting -= text.length;
          this.#stale -= text.length;
        }
      }
    } catch {
      // Why it is gone, the reading side knows better.
      this.close("peer");
    }
    this.#isWriting = false;
    this.#drained?.resolve();
    this.#drained = undefined;
    if (this.#lastWill !== undefined) this.close(this.#lastWill);
  }

  #tell(): void {
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    this.#watchers = undefined;
    for (const watcher of watchers) {
      try {
        watcher.flowClosed(this);
      } catch (error) {
        this.#host.onError(error);
      }
    }
  }
}
