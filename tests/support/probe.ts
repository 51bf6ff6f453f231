import type { SocketAddress } from "../../src/transport/mod.ts";

/** What the worker is told; `pace` is in ms. */
export type ProbeOrder = { readonly at: SocketAddress; readonly pace: number } | "stop";

/**
 * Somebody who behaves: asks an OPTIONS on a connection of its own, waits `pace` ms after the answer, and asks
 * again. Works in a thread of its own, so that what the test does does not count as time the server took.
 */
export class Probe {
  readonly #worker = new Worker(new URL("./probe_worker.ts", import.meta.url), { type: "module" });
  readonly #failed: Promise<never>;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`The probe failed: ${event.message}`));
    };
    this.#failed = promise;
    promise.catch(() => {});
  }

  /** Resolves when it asks. */
  async start(at: SocketAddress, pace: number): Promise<void> {
    this.#worker.postMessage({ at, pace } satisfies ProbeOrder);
    await this.#told();
  }

  /** Ends it; the ms each answer took. Rejects if one did not come or was not a 200. */
  async stop(): Promise<number[]> {
    this.#worker.postMessage("stop" satisfies ProbeOrder);
    return await this.#told() as number[];
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #told(): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    return Promise.race([promise, this.#failed]);
  }
}
