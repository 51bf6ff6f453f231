import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { drawLadder, runDemo } from "../../src/demo/mod.ts";

Deno.test("a ladder has a column for each name and an arrow for each message", () => {
  const drawn = drawLadder(["alice", "sluice", "bob"], [
    { from: 0, to: 1, label: "INVITE" },
    { from: 2, to: 1, label: "180 Ringing" },
  ], false);
  assertEquals(drawn.split("\n"), [
    " alice                         sluice                           bob",
    "   │                              │                              │",
    "   │────────── INVITE ───────────▶│                              │",
    "   │                              │◀──────── 180 Ringing ────────│",
    "   │                              │                              │",
  ]);
});

Deno.test("a label too long for its arrow is cut", () => {
  const [, , line] = drawLadder(["a", "b"], [{ from: 0, to: 1, label: "x".repeat(60) }], false).split("\n");
  assertEquals(line.length, drawLadder(["a", "b"], [], false).split("\n")[1].length);
});

Deno.test("colors are there only when they are wanted", () => {
  assertStringIncludes(drawLadder(["a", "b"], [{ from: 1, to: 0, label: "200 OK" }], true), "\x1b[32m");
});

Deno.test("the demo shows registrations, a call and its end, each message once by each side", async () => {
  const lines = (await runDemo(false)).split("\n");
  const labels = lines.slice(2, -1).map((line) => line.replace(/[│─▶◀]/g, "").trim());
  assertEquals(labels.filter((label) => label === "REGISTER").length, 2);
  for (const label of ["INVITE", "180 Ringing", "ACK", "BYE"]) {
    assertEquals(labels.filter((other) => other === label).length, 2, label);
  }
  assertEquals(labels.filter((label) => label === "200 OK").length, 6);
});
