import { assertEquals } from "../support/assert.ts";
import { type KeyPath, lineOf } from "../../src/config/line_of.ts";

const FILE = `# a comment
mode: combined

domains: [a.example, b.example]
listen:
  - udp:127.0.0.1:5060
  # between
  - udp:127.0.0.2:5060
registrar:
    minExpires: 60

    "maxExpires": 7200
peers:
- name: one
  port: 1
- port: 2
  name: two
timers:
  t1: 500
  t2: 4000
`;

const PLACES: readonly (readonly [KeyPath, number | undefined])[] = [
  [["mode"], 2],
  [["domains"], 4],
  [["domains", 1], 4],
  [["listen"], 5],
  [["listen", 0], 6],
  [["listen", 1], 8],
  [["listen", 7], 5],
  [["registrar", "minExpires"], 10],
  [["registrar", "maxExpires"], 12],
  [["registrar", "nothing"], 9],
  [["peers", 0, "name"], 14],
  [["peers", 0, "port"], 15],
  [["peers", 1, "port"], 16],
  [["peers", 1, "name"], 17],
  [["timers", "t2"], 20],
  [["nothing"], undefined],
  [[], undefined],
];

for (const [path, line] of PLACES) {
  Deno.test(`the line of ${path.join(".") || "the whole file"} is ${line}`, () => {
    assertEquals(lineOf(FILE, path), line);
  });
}

Deno.test("a key of the same name in another group is not taken for it", () => {
  assertEquals(lineOf("a:\n  x: 1\nb:\n  x: 2\n", ["b", "x"]), 4);
  assertEquals(lineOf("a:\n  b:\n    x: 1\nx: 2\n", ["x"]), 4);
});
