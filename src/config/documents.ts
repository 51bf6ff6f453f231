import { allKeys, jsonSchema, type Key } from "./keys.ts";

/** Columns of the comments in a settings file. */
const WIDTH = 100;

/** The documents about the settings that are made from the schema, by their names in config/. */
export function documents(): Readonly<Record<string, string>> {
  return {
    "sluice.schema.json": `${JSON.stringify(jsonSchema(), null, 2)}\n`,
    "REFERENCE.md": reference(),
    "combined.yaml": settingsFile(
      "Registrar and proxy for its domains in one process. Every key is here with its default; a file of your " +
        "own needs only those that differ.",
    ),
  };
}

function reference(): string {
  const rows = allKeys().map((key) =>
    `| \`${key.name}\` | ${shownType(key)} | \`${shownValue(key.fallback)}\` | ${
      key.description.replaceAll("|", "\\|")
    } |`
  );
  return [
    "# Settings",
    "",
    "Made from `src/config/schema.ts` by `deno task schema`; do not edit.",
    "",
    "A key is the same in a YAML file (its parts nested), as a flag (`--log.level debug`) and here. Flags win over",
    "the file. `${NAME}` in a value of the file stands for the environment variable of that name. Unknown keys are",
    "refused; `sluice check` prints every fault with its key and line.",
    "",
    "| key | value | default | what it is |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function shownType({ type, isList, choices, minimum, maximum }: Key): string {
  const value = choices !== undefined
    ? choices.map((choice) => `\`${choice}\``).join(", ")
    : type === "integer"
    ? `${minimum} to ${maximum}`
    : type === "boolean"
    ? "`true`, `false`"
    : "text";
  return isList ? `list of ${value}` : value;
}

function shownValue(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

/** A YAML file with every key, its sentence above it. */
function settingsFile(title: string): string {
  const lines = comment(title, 0);
  let open: readonly string[] = [];
  for (const key of allKeys()) {
    const parts = key.name.split(".");
    const groups = parts.slice(0, -1);
    groups.forEach((group, depth) => {
      if (open.slice(0, depth + 1).join(".") === groups.slice(0, depth + 1).join(".")) return;
      lines.push(...(depth === 0 ? [""] : []), `${"  ".repeat(depth)}${group}:`);
    });
    if (groups.length === 0) lines.push("");
    open = groups;
    lines.push(...comment(`${key.description}${bounds(key)}`, groups.length));
    lines.push(`${"  ".repeat(groups.length)}${parts.at(-1)}: ${yamlValue(key.fallback)}`);
  }
  return `${lines.join("\n")}\n`;
}

function bounds({ type, choices, minimum, maximum }: Key): string {
  if (choices !== undefined && choices.length > 1) return ` (${choices.join(", ")})`;
  return type === "integer" ? ` (${minimum} to ${maximum})` : "";
}

/** JSON is YAML, and a plain word needs no quotes. */
function yamlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(", ")}]`;
  return typeof value === "string" && /^[a-z][a-z0-9.]*$/.test(value) ? value : JSON.stringify(value);
}

function comment(text: string, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
