import type { Socket } from "node:net";

/** The part of a socket that its types leave out. */
interface HandledSocket extends Socket {
  readonly _handle?: { readStop(): void; readStart(): void } | null;
}

/**
 * Keeps the socket under one of TLS from being read while a peer has not taken its answers. A pause of either socket
 * would keep what comes from us, but the runtime would go on to store it.
 */
export class ReadHold {
  readonly #socket: HandledSocket;
  #isHeld = false;

  /** `socket`: the one under that of TLS. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Reads no further until `caughtUp` resolves; goes on then unless `isOver` says so. Nothing to wait for: undefined. */
  until(caughtUp: Promise<void> | undefined, isOver: () => boolean): void {
    if (caughtUp === undefined || this.#isHeld) return;
    this.#isHeld = true;
    this.#socket._handle?.readStop();
    caughtUp.then(() => {
      this.#isHeld = false;
      if (!isOver()) this.#socket._handle?.readStart();
    });
  }
}
