import { Breadth } from "../../src/proxy/breadth.ts";
import { MalformedError } from "../../src/sip/mod.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { request } from "../support/messages.ts";

function breadthOf(value: string | undefined, max = 60): Breadth {
  const headers = value === undefined ? [] : [["Max-Breadth", value] as const];
  return Breadth.of(request("INVITE", { headers }), max);
}

Deno.test("the breadth is what the request says, but never more than our own", () => {
  const table: [value: string | undefined, free: number][] = [
    [undefined, 60],
    ["10", 10],
    ["60", 60],
    ["1000", 60],
    ["007", 7],
    ["99999999999999999999", 60],
    ["0", 0],
  ];
  for (const [value, free] of table) assertEquals(breadthOf(value).free, free, value);
});

Deno.test("a Max-Breadth that is no number is malformed", () => {
  for (const value of ["", "-1", "ten", "1.5", "1, 2"]) assertThrows(() => breadthOf(value), MalformedError);
});

Deno.test("all of the breadth is given out, as evenly as can be", () => {
  const table: [total: number, wanted: number, shares: number[]][] = [
    [60, 1, [60]],
    [60, 3, [20, 20, 20]],
    [10, 3, [3, 3, 4]],
    [4, 8, [1, 1, 1, 1]],
    [1, 3, [1]],
    [0, 3, []],
    [5, 0, []],
  ];
  for (const [total, wanted, shares] of table) {
    const breadth = breadthOf(String(total));
    assertEquals(breadth.take(wanted), shares);
    assertEquals(breadth.free, wanted === 0 ? total : 0);
  }
});

Deno.test("what comes back is given out again", () => {
  const breadth = breadthOf("4");
  assertEquals(breadth.take(2), [2, 2]);
  breadth.giveBack(2);
  assertEquals(breadth.take(3), [1, 1]);
  assertEquals(breadth.take(1), []);
});
