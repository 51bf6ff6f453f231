import { assert, assertEquals } from "../support/assert.ts";
import { allFlags, allKeys, flagValues } from "../../src/config/mod.ts";

Deno.test("there is a flag for every key", () => {
  const flagged = new Set(allFlags().map(({ key }) => key));
  assertEquals(allKeys().filter(({ name }) => !flagged.has(name)), []);
});

Deno.test("a flag shows what it takes and its default", () => {
  const flag = allFlags().find(({ key }) => key === "log.level")!;
  assertEquals(flag.spec, "--log-level <debug|info|warning|error>");
  assert(flag.description.endsWith("Default: info."));
});

Deno.test("what was given becomes settings, short names and long ones together", () => {
  const given = {
    domain: ["a.example"],
    domains: ["b.example"],
    logLevel: "debug",
    "registrar.maxContacts": "3",
  };
  assertEquals(flagValues(given), [
    { key: "domains", values: ["a.example", "b.example"] },
    { key: "log.level", values: ["debug"] },
    { key: "registrar.maxContacts", values: ["3"] },
  ]);
});

Deno.test("what may be written as a line or as a mapping is a text to a flag, and may be given several times", () => {
  const found = ["listen", "tls.certificates"].map((key) => allKeys().find(({ name }) => name === key));
  assertEquals(found.map((key) => [key?.type, key?.isList]), [["string", true], ["string", true]]);
});
