import { Calls } from "../../src/proxy/mod.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("calls that are up are those answered and not ended", () => {
  const calls = new Calls();
  calls.answered();
  calls.answered();
  calls.ended();
  assertEquals(calls.open, 1);
});

Deno.test("the end of a call whose beginning nobody saw makes up for no other", () => {
  const calls = new Calls();
  calls.ended();
  calls.answered();
  assertEquals(calls.open, 1);
});
