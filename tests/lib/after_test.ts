import { after } from "../../src/lib/after.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";

Deno.test("a value that is here is passed on in this very turn", () => {
  assertEquals(after(20, (value) => value + 1), 21);
});

Deno.test("a value that has to come is passed on when it has", async () => {
  const later = after(Promise.resolve(20), (value) => value + 1);
  assert(later instanceof Promise);
  assertEquals(await later, 21);
});

Deno.test("what comes next may take its time as well", async () => {
  assertEquals(await after(20, (value) => Promise.resolve(value + 1)), 21);
  assertEquals(await after(Promise.resolve(20), (value) => Promise.resolve(value + 1)), 21);
});

Deno.test("an error goes the way its value would have gone", async () => {
  const oops = () => {
    throw new Error("oops");
  };
  assertThrows(() => after(1, oops), Error, "oops");
  await assertRejects(async () => await after(Promise.resolve(1), oops), Error, "oops");
  await assertRejects(async () => await after(Promise.reject(new Error("lost")), () => 1), Error, "lost");
});
