import type { Patience } from "../../src/agent/mod.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Virtual ms after which something that has not happened will not. */
const LONGEST_WAIT = 600_000;

/** A clock turned by hand, and with it everything that waits for nothing but its turn. */
export class VirtualTime {
  readonly clock = new VirtualClock();

  /** Lets virtual time go by until the promise settles. */
  readonly patience: Patience = async (promise, what) => {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let waited = 0; waited < LONGEST_WAIT;) {
      await this.settle();
      if (isSettled) return promise;
      waited += this.clock.step(LONGEST_WAIT - waited);
    }
    throw new Error(`Waited ${LONGEST_WAIT} virtual ms in vain for ${what}`);
  };

  /** Lets everything happen that waits for nothing but its turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  /** Lets virtual time go by. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let passed = 0; passed < ms;) {
      passed += this.clock.step(ms - passed);
      await this.settle();
    }
  }
}
