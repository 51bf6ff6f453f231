import { AorIndex } from "../../src/usrloc/aor_index.ts";
import { textsOf, unitsFor, writeRecord } from "../../src/usrloc/record.ts";
import { Slab } from "../../src/usrloc/slab.ts";
import { assertEquals } from "../support/assert.ts";
import { aorOf } from "./contract.ts";

/** An index over records without bindings, whose hashes the test chooses. */
class Book {
  readonly slab = new Slab();
  readonly index = new AorIndex(this.slab);
  readonly #known = new Map<string, { readonly address: number; readonly hash: number }>();

  add(user: string, hash: number): void {
    const address = this.write(user, hash);
    this.index.add(address, hash);
    this.#known.set(user, { address, hash });
  }

  write(user: string, hash: number): number {
    const aor = aorOf(user);
    const texts = textsOf(aor, []);
    const units = unitsFor(texts, 0);
    const address = this.slab.allocate(units);
    writeRecord(this.slab.page(address), address, units, hash, aor, [], texts);
    return address;
  }

  remove(user: string): void {
    const { address, hash } = this.#known.get(user)!;
    this.index.remove(address, hash);
    this.#known.delete(user);
  }

  find(user: string, hash: number): number {
    return this.index.find(aorOf(user), hash);
  }

  /** Everyone known is found where they are. */
  check(): void {
    for (const [user, { address, hash }] of this.#known) assertEquals(this.find(user, hash), address, user);
    assertEquals(this.index.select(() => true).length, this.#known.size);
  }
}

Deno.test("nobody is found in an empty index", () => {
  assertEquals(new Book().find("bob", 7), -1);
});

Deno.test("AoRs of the same hash are told apart", () => {
  const book = new Book();
  for (const user of ["a", "b", "c"]) book.add(user, 7);
  book.check();
  assertEquals(book.find("d", 7), -1);
  assertEquals(book.find("a", 7 + 64), -1);
});

const ORDERS = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 3, 0, 2, 4], [2, 3, 1, 4, 0]];

for (
  const [what, hashes] of [["the same hash", [5, 5, 5, 5, 5]], ["the same slot", [
    5,
    69,
    133,
    5,
    69,
  ]]] as const
) {
  for (const order of ORDERS) {
    Deno.test(`five AoRs of ${what} can go in the order ${order.join(", ")}`, () => {
      const book = new Book();
      hashes.forEach((hash, i) => book.add(`user${i}`, hash));
      for (const i of order) {
        book.remove(`user${i}`);
        assertEquals(book.find(`user${i}`, hashes[i]), -1);
        book.check();
      }
    });
  }
}

Deno.test("taking one out of the middle of a cluster moves only those who may move", () => {
  // Slots 10 to 15: homes 10, 10, 12, 11, 14, 10.
  for (let gone = 0; gone < 6; gone++) {
    const book = new Book();
    [10, 10, 12, 11, 14, 10].forEach((hash, i) => book.add(`user${i}`, hash));
    book.remove(`user${gone}`);
    book.check();
  }
});

Deno.test("a cluster may reach around the end of the table", () => {
  for (let gone = 0; gone < 6; gone++) {
    const book = new Book();
    [62, 62, 63, 62, 0, 1].forEach((hash, i) => book.add(`user${i}`, hash));
    book.remove(`user${gone}`);
    book.check();
    book.add("again", 62);
    book.check();
  }
});

Deno.test("the index grows, and finds everyone after that", () => {
  const book = new Book();
  for (let i = 0; i < 1_000; i++) book.add(`user${i}`, Math.imul(i, 0x9e3779b1) >>> 0);
  book.check();
  for (let i = 0; i < 1_000; i += 3) book.remove(`user${i}`);
  book.check();
});

Deno.test("the index grows though all hashes are the same", () => {
  const book = new Book();
  for (let i = 0; i < 200; i++) book.add(`user${i}`, 0xffffffff);
  for (let i = 0; i < 200; i += 2) book.remove(`user${i}`);
  book.check();
});

Deno.test("a record that moved is found where it is now", () => {
  const book = new Book();
  book.add("a", 9);
  book.add("b", 9);
  const [from, to] = [book.find("a", 9), book.write("a", 9)];
  book.index.replace(from, to, 9);
  assertEquals(book.find("a", 9), to);
});

Deno.test("those that pass a test are selected, with their hashes", () => {
  const book = new Book();
  for (const hash of [1, 2, 3]) book.add(`user${hash}`, hash);
  const selected = book.index.select((page, address) => page.u32[(address * 32) >>> 2] !== 2);
  assertEquals(selected.map(({ hash }) => hash), [1, 3]);
});
