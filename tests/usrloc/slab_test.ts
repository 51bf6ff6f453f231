import { MAX_BLOCK, offsetOf, Slab, UNIT } from "../../src/usrloc/slab.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";

const PAGE_UNITS = MAX_BLOCK / UNIT;

Deno.test("bytes are given out in units of 32", () => {
  assertEquals([0, 1, 32, 33, 64].map(Slab.units), [0, 1, 1, 2, 2]);
});

Deno.test("a slab takes memory a page at a time, when it is needed", () => {
  const slab = new Slab();
  assertEquals(slab.bytes, 0);
  slab.allocate(1);
  assertEquals(slab.bytes, MAX_BLOCK);
  slab.allocate(PAGE_UNITS - 1);
  assertEquals(slab.bytes, MAX_BLOCK);
  slab.allocate(1);
  assertEquals(slab.bytes, 2 * MAX_BLOCK);
});

Deno.test("a block that was given back is used for the next of its size, and for no other", () => {
  const slab = new Slab();
  const [four, eight] = [slab.allocate(4), slab.allocate(8)];
  slab.release(four, 4);
  slab.release(eight, 8);
  assertNotEquals(slab.allocate(5), four);
  assertEquals(slab.allocate(8), eight);
  assertEquals(slab.allocate(4), four);
  assertNotEquals(slab.allocate(4), four);
});

Deno.test("what is left of a page that was too small for a block is used for one it fits", () => {
  const slab = new Slab();
  slab.allocate(PAGE_UNITS - 3);
  const next = slab.allocate(4);
  assertEquals(offsetOf(next), 0);
  const rest = slab.allocate(3);
  assertEquals(offsetOf(rest), (PAGE_UNITS - 3) * UNIT);
  assert(slab.page(rest) !== slab.page(next));
  assertEquals(slab.bytes, 2 * MAX_BLOCK);
});

Deno.test("the largest block takes a page of its own", () => {
  const slab = new Slab();
  slab.allocate(1);
  const large = slab.allocate(PAGE_UNITS);
  assertEquals([offsetOf(large), slab.page(large).bytes.length], [0, MAX_BLOCK]);
});

Deno.test("the views of a page show the same memory", () => {
  const slab = new Slab();
  const { bytes, u16, u32, f64 } = slab.page(slab.allocate(1));
  f64[1] = 1;
  assertEquals([...bytes.subarray(8, 16)], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  assertEquals([u16[7], u32[3]], [0x3ff0, 0x3ff00000]);
});

Deno.test("blocks in use never overlap, whatever was given back in between", () => {
  const slab = new Slab();
  const owners = new Map<string, number>();
  const blocks: { readonly address: number; readonly units: number }[] = [];
  const cells = ({ address, units }: { address: number; units: number }) =>
    Array.from({ length: units }, (_, i) => `${address >>> 13}:${offsetOf(address) / UNIT + i}`);
  let random = 12_345;
  for (let i = 0; i < 5_000; i++) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    if (blocks.length > 0 && random % 5 < 2) {
      const [block] = blocks.splice((random >>> 8) % blocks.length, 1);
      for (const cell of cells(block)) owners.delete(cell);
      slab.release(block.address, block.units);
    } else {
      const units = 1 + (random >>> 8) % 40;
      const block = { address: slab.allocate(units), units };
      for (const cell of cells(block)) {
        if (owners.has(cell)) throw new Error(`Given out twice: ${cell}`);
        owners.set(cell, i);
      }
      blocks.push(block);
    }
  }
});
