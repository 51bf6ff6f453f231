import { systemClock } from "../../src/lib/clock.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("the machine's clock never goes back, and knows the date", () => {
  let last = systemClock.monotonic();
  for (let i = 0; i < 1_000; i++) {
    const next = systemClock.monotonic();
    assert(next >= last);
    last = next;
  }
  assert(Math.abs(systemClock.now() - Date.now()) < 1_000);
});

Deno.test("what is to be called again and again is, until it is stopped", async () => {
  let calls = 0;
  await new Promise<void>((resolve) => {
    const stop = systemClock.every(1, () => {
      if (++calls < 3) return;
      stop();
      resolve();
    });
  });
  assertEquals(calls, 3);
});
