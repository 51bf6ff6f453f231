import { LARGE, ReadBuffers } from "../../src/transport/read_buffers.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("buffers are lent up to a bound, each to one at a time, and used again", () => {
  const buffers = new ReadBuffers();
  const lent = new Set<Uint8Array<ArrayBuffer>>();
  for (let next = buffers.lend(); next !== undefined; next = buffers.lend()) lent.add(next);
  assertEquals(lent.size * LARGE, 1 << 20);
  const [one] = lent;
  buffers.giveBack(one);
  assert(buffers.lend() === one);
  assertEquals(buffers.lend(), undefined);
});
