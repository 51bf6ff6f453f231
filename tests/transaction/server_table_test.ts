import { serverKeyOf } from "../../src/transaction/key.ts";
import { type ServerEntry, ServerTable } from "../../src/transaction/server_table.ts";
import { assertEquals } from "../support/assert.ts";
import { request, viaOf } from "../support/messages.ts";

function entryOf(method: string, sentBy: string): ServerEntry {
  const key = serverKeyOf(request(method, { vias: [viaOf("z9hG4bKsame", sentBy)] }));
  return { key, nextWithBranch: undefined, receive: () => "absorbed" };
}

/** Three that share a branch, in a table. */
function threeInATable() {
  const table = new ServerTable();
  const entries = [entryOf("INVITE", "a"), entryOf("CANCEL", "a"), entryOf("INVITE", "b")];
  for (const entry of entries) table.add(entry);
  return { table, entries };
}

function find(table: ServerTable, method: string, sentBy: string): ServerEntry | undefined {
  return table.find(request(method, { vias: [viaOf("z9hG4bKsame", sentBy)] }), method);
}

Deno.test("transactions that share a branch are found by method and sent-by", () => {
  const { table, entries } = threeInATable();
  assertEquals(table.size, 3);
  assertEquals(find(table, "INVITE", "a") === entries[0], true);
  assertEquals(find(table, "CANCEL", "a") === entries[1], true);
  assertEquals(find(table, "INVITE", "b") === entries[2], true);
  assertEquals(find(table, "CANCEL", "b"), undefined);
  assertEquals(find(table, "BYE", "a"), undefined);
});

Deno.test("an ACK finds the INVITE, not what else has its branch", () => {
  const { table, entries } = threeInATable();
  assertEquals(find(table, "ACK", "a") === entries[0], true);
  table.delete(entries[0]);
  assertEquals(find(table, "ACK", "a"), undefined);
});

Deno.test("a request can be looked up as if it were of another method", () => {
  const { table, entries } = threeInATable();
  const cancel = request("CANCEL", { vias: [viaOf("z9hG4bKsame", "b")] });
  assertEquals(table.find(cancel, "INVITE") === entries[2], true);
});

for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]]) {
  Deno.test(`three that share a branch can be taken out in the order ${order.join(", ")}`, () => {
    const { table, entries } = threeInATable();
    const left = new Set(entries);
    for (const i of order) {
      table.delete(entries[i]);
      left.delete(entries[i]);
      const found = [find(table, "INVITE", "a"), find(table, "CANCEL", "a"), find(table, "INVITE", "b")];
      found.forEach((entry, at) => {
        assertEquals(entry === undefined, !left.has(entries[at]));
        if (entry !== undefined) assertEquals(entry === entries[at], true);
      });
      assertEquals(table.size, left.size);
    }
  });
}

Deno.test("what was taken out may come in again", () => {
  const { table, entries } = threeInATable();
  for (const entry of entries) table.delete(entry);
  table.add(entries[1]);
  assertEquals([table.size, find(table, "CANCEL", "a") === entries[1]], [1, true]);
  assertEquals(find(table, "INVITE", "a"), undefined);
});

Deno.test("a branch that very many share is crowded, and others are not", () => {
  const table = new ServerTable();
  for (let i = 0; i < 63; i++) table.add(entryOf("INVITE", `host${i}`));
  const same = request("INVITE", { vias: [viaOf("z9hG4bKsame", "another")] });
  assertEquals(table.isCrowded(same), false);
  table.add(entryOf("INVITE", "host63"));
  assertEquals(table.isCrowded(same), true);
  assertEquals(table.isCrowded(request("INVITE", { vias: [viaOf("z9hG4bKother", "another")] })), false);
});
