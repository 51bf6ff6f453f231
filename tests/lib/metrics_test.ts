import { Metrics } from "../../src/lib/metrics.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("a snapshot names what has been counted, and only that", () => {
  const metrics = new Metrics();
  assertEquals(metrics.snapshot(), {});
  metrics.requestsReceived += 2;
  metrics.loops++;
  assertEquals(metrics.snapshot(), { requestsReceived: 2, loops: 1 });
});

Deno.test("a snapshot stays as it is while counting goes on", () => {
  const metrics = new Metrics();
  metrics.timeouts = 1;
  const before = metrics.snapshot();
  metrics.timeouts = 5;
  assertEquals(before, { timeouts: 1 });
});
