import { ConnectionLimits } from "../../src/transport/connection_limits.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("no more connections are allowed than in all, and one that ends makes room", () => {
  const limits = new ConnectionLimits({ total: 2, perAddress: 2 });
  assert(limits.admit("192.0.2.1") && limits.admit("192.0.2.2"));
  assert(!limits.admit("192.0.2.3"));
  limits.release("192.0.2.1");
  assert(limits.admit("192.0.2.3"));
  assertEquals(limits.total, 2);
});

Deno.test("no more connections are allowed than for one address, and others do not notice", () => {
  const limits = new ConnectionLimits({ total: 10, perAddress: 2 });
  assert(limits.admit("192.0.2.1") && limits.admit("192.0.2.1"));
  assert(!limits.admit("192.0.2.1"));
  assert(limits.admit("2001:db8::1"));
  limits.release("192.0.2.1");
  assert(limits.admit("192.0.2.1"));
  assert(!limits.admit("192.0.2.1"));
  assertEquals(limits.total, 3);
});

Deno.test("an address without a connection has none to give back", () => {
  const limits = new ConnectionLimits({ total: 1, perAddress: 1 });
  limits.release("192.0.2.1");
  assertEquals(limits.total, 0);
  assert(limits.admit("192.0.2.1"));
  limits.release("192.0.2.1");
  limits.release("192.0.2.1");
  assertEquals(limits.total, 0);
});
