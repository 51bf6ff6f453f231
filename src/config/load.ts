import { parse, stringify } from "@std/yaml";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { z } from "zod";
import { ConfigError, type Fault } from "./errors.ts";
import { allKeys } from "./keys.ts";
import { type KeyPath, lineOf } from "./line_of.ts";
import { type Config, configSchema } from "./schema.ts";

/** A setting given on the command line: its key and its values as written. */
export interface FlagValue {
  readonly key: string;
  readonly values: readonly string[];
}

/** Where the settings come from. */
export interface ConfigSource {
  /** What the text is called in faults. */
  readonly name: string;
  readonly text: string;
}

type Environment = (name: string) => string | undefined;

const parseYaml: (text: string, options: { schema: string }) => unknown = parse;
const stringifyYaml: (value: unknown) => string = stringify;
const distance: (a: string, b: string) => number = levenshteinDistance;

/** Reads the settings from a YAML file, if one is named, and from flags, which win. Throws ConfigError. */
export async function loadConfig(file: string | undefined, flags: readonly FlagValue[]): Promise<Config> {
  const source = file === undefined ? { name: "settings", text: "" } : await readSource(file);
  return parseConfig(source, flags, (name) => Deno.env.get(name));
}

async function readSource(file: string): Promise<ConfigSource> {
  try {
    return { name: file, text: await Deno.readTextFile(file) };
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
    throw new ConfigError(file, [{ key: "", line: undefined, message: `cannot be read: ${reason}` }]);
  }
}

/** The settings in YAML text and flags; `${NAME}` in a value stands for an environment variable. Throws ConfigError. */
export function parseConfig(source: ConfigSource, flags: readonly FlagValue[], env: Environment): Config {
  const faults: Fault[] = [];
  const tree = expand(parseTree(source), [], env, (path, message) => {
    faults.push({ key: path.join("."), line: lineOf(source.text, path), message });
  });
  const flagged = new Set(flags.map(({ key }) => key));
  for (const flag of flags) setFlag(tree as Record<string, unknown>, flag);
  const result = configSchema.safeParse(tree);
  if (!result.success) {
    for (const issue of result.error.issues) faults.push(...faultsOf(issue, source.text, flagged));
  }
  if (faults.length > 0) throw new ConfigError(source.name, faults.toSorted(byLine));
  return result.data!;
}

/** The settings as a YAML file that says all of them. */
export function configText(config: Config): string {
  return stringifyYaml(z.encode(configSchema, config));
}

function byLine(a: Fault, b: Fault): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

function parseTree({ name, text }: ConfigSource): unknown {
  let tree: unknown;
  try {
    tree = parseYaml(text, { schema: "core" }) ?? {};
  } catch (error) {
    const { message } = error as Error;
    const line = Number(/at line (\d+)/.exec(message)?.[1]) || undefined;
    throw new ConfigError(name, [{ key: "", line, message: `not YAML: ${message.split("\n")[0]}` }]);
  }
  if (typeof tree === "object" && !Array.isArray(tree)) return tree;
  throw new ConfigError(name, [{ key: "", line: 1, message: "must be keys and values" }]);
}

/** Puts the environment in; the names that are not in it are told to `fault`. */
function expand(
  value: unknown,
  path: KeyPath,
  env: Environment,
  fault: (path: KeyPath, message: string) => void,
): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const content = env(name);
      if (content === undefined) fault(path, `the environment variable ${name} is not set`);
      return content ?? "";
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => expand(item, [...path, i], env, fault));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expand(item, [...path, key], env, fault)]),
  );
}

function setFlag(tree: Record<string, unknown>, { key, values }: FlagValue): void {
  const parts = key.split(".");
  const last = parts.pop()!;
  let node = tree;
  for (const part of parts) node = (node[part] ??= {}) as Record<string, unknown>;
  const { isList, type } = allKeys().find(({ name }) => name === key)!;
  const typed = values.map((value) => typedValue(value, type));
  node[last] = isList ? typed : typed.at(-1);
}

/** What a flag's text means to the schema; text that is no such value stays text, and the schema says so. */
function typedValue(text: string, type: string): unknown {
  if (type === "integer" && /^-?[0-9]+$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function faultsOf(issue: z.core.$ZodIssue, text: string, flagged: ReadonlySet<string>): Fault[] {
  const path = issue.path as KeyPath;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const full = [...path, key];
      return {
        key: full.join("."),
        line: lineOf(text, full),
        message: `there is no such key${hint(path, key)}`,
      };
    });
  }
  const key = path.join(".");
  const line = flagged.has(String(path[0])) || flagged.has(key) ? undefined : lineOf(text, path);
  return [{ key, line, message: issue.message.replace(/^Invalid input: /, "") }];
}

/** The key that may have been meant, if there is one that is nearly the same. */
function hint(path: KeyPath, key: string): string {
  const prefix = path.length === 0 ? "" : `${path.join(".")}.`;
  const near = allKeys()
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length).split(".")[0])
    .map((name) => ({ name, far: distance(key, name) }))
    .toSorted((a, b) => a.far - b.far)[0];
  return near === undefined || near.far > key.length / 2 ? "" : `; did you mean ${near.name}?`;
}
