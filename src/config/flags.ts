import type { FlagValue } from "./load.ts";
import { allKeys, type Key } from "./keys.ts";

/** One flag of the command line that sets a key. */
export interface Flag {
  /** As commander takes it: `--log.level <value>`. */
  readonly spec: string;
  readonly description: string;
  /** The key it sets. */
  readonly key: string;
  readonly isList: boolean;
}

/** Flags that have a name of their own beside their key's. */
const SHORT_NAMES: Readonly<Record<string, string>> = { "log.level": "log-level", domains: "domain" };

/** A flag for every setting; those with a short name twice. */
export function allFlags(): readonly Flag[] {
  return allKeys().flatMap((key) => {
    const short = SHORT_NAMES[key.name];
    return short === undefined ? [flagOf(key, key.name)] : [flagOf(key, short), flagOf(key, key.name)];
  });
}

function flagOf(key: Key, name: string): Flag {
  const value = key.choices?.join("|") ??
    { integer: "number", boolean: "true|false", string: "text" }[key.type];
  return { spec: `--${name} <${value}>`, description: describe(key), key: key.name, isList: key.isList };
}

function describe({ description, isList, fallback }: Key): string {
  const shown = Array.isArray(fallback) ? fallback.join(" ") : String(fallback);
  return `${description}${isList ? " Repeatable." : ""} Default: ${shown === "" ? "none" : shown}.`;
}

/** What was given for each flag, by the name commander knows it by, as settings. */
export function flagValues(given: Readonly<Record<string, unknown>>): readonly FlagValue[] {
  const byKey = new Map<string, string[]>();
  for (const { spec, key } of allFlags()) {
    const value = given[attributeOf(spec)];
    if (value === undefined) continue;
    const values = Array.isArray(value) ? value as string[] : [value as string];
    byKey.set(key, [...(byKey.get(key) ?? []), ...values]);
  }
  return [...byKey].map(([key, values]) => ({ key, values }));
}

/** Commander turns a dash and the letter after it into a capital. */
function attributeOf(spec: string): string {
  return spec.slice(2, spec.indexOf(" ")).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
