import { randomBytes } from "node:crypto";
import { latin1Bytes } from "../lib/latin1.ts";
import { HttpHeadReader, upgradeFault, upgradeRequest } from "../websocket/mod.ts";
import type { Carrier, CarrierSink } from "./carrier.ts";

/** Asks for a WebSocket on a connection we have opened (RFC 6455 §4.1). */
export class WsClientHandshake implements CarrierSink {
  readonly #key = randomBytes(16).toString("base64");
  readonly #head = new HttpHeadReader();
  readonly #carrier: Carrier;
  readonly #onOpen: (rest: Uint8Array) => void;
  readonly #onFailure: (reason: string) => void;
  #isOver = false;

  /** `onOpen` has to pass the carrier on; `rest` came behind the answer. `onFailure`: the carrier is closed. */
  constructor(carrier: Carrier, onOpen: (rest: Uint8Array) => void, onFailure: (reason: string) => void) {
    this.#carrier = carrier;
    this.#onOpen = onOpen;
    this.#onFailure = onFailure;
  }

  /** Sends the request; `host` with its port as in a URL. */
  send(host: string): void {
    this.#carrier.write(latin1Bytes(upgradeRequest(host, "/", this.#key))).catch(() => this.gone());
  }

  /** Ends it now, unless it is over. */
  fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#carrier.close();
    this.#onFailure(reason);
  }

  read(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const head = this.#head.push(bytes);
    if (head === undefined) return;
    const fault = head === "bad" ? "the server does not speak HTTP" : upgradeFault(head, this.#key);
    if (head === "bad" || fault !== undefined) return this.fail(fault!);
    this.#isOver = true;
    this.#onOpen(bytes.subarray(head.end));
  }

  caughtUp(): undefined {
    return undefined;
  }

  ended(): void {
    this.gone();
  }

  gone(): void {
    this.fail("the connection was closed");
  }
}
