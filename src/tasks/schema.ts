import { documents } from "../config/mod.ts";

/** Writes the documents that are made from the schema of the settings into config/. */
for (const [name, text] of Object.entries(documents())) {
  await Deno.writeTextFile(new URL(`../../config/${name}`, import.meta.url), text);
  console.log(`config/${name}`);
}
