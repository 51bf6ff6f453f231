import { assert, assertEquals } from "../support/assert.ts";
import { allKeys, configSchema, documents, parseConfig } from "../../src/config/mod.ts";

const CONFIG = new URL("../../config/", import.meta.url);

for (const [name, text] of Object.entries(documents())) {
  Deno.test(`config/${name} is what the schema makes of it (deno task schema)`, async () => {
    assertEquals(await Deno.readTextFile(new URL(name, CONFIG)), text);
  });
}

Deno.test("config/combined.yaml runs as it is, and means the defaults", async () => {
  const text = await Deno.readTextFile(new URL("combined.yaml", CONFIG));
  assertEquals(parseConfig({ name: "combined.yaml", text }, [], () => undefined), configSchema.parse({}));
});

Deno.test("every key has a sentence and a default", () => {
  for (const { name, description, fallback } of allKeys()) {
    assert(/^[A-Z].*\.$/s.test(description), `${name}: ${description}`);
    assert(fallback !== undefined, name);
  }
});
