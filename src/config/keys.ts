import { z } from "zod";
import { configSchema } from "./schema.ts";

/** One setting, as the schema tells of it. */
export interface Key {
  /** Its parts joined by dots, as in a flag. */
  readonly name: string;
  readonly type: "string" | "integer" | "boolean";
  /** Whether it takes several values. */
  readonly isList: boolean;
  readonly description: string;
  readonly fallback: unknown;
  /** The values there are to choose from. */
  readonly choices: readonly string[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}

/** A JSON Schema as far as ours goes. */
interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  /** A list's items that may be written as a text, which comes first, or as a mapping. */
  readonly anyOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The JSON Schema of a configuration file. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: "input" }) as JsonSchema;
}

/** Every setting, in the order of the schema. */
export function allKeys(): readonly Key[] {
  return keysOf(jsonSchema(), "");
}

function keysOf(schema: JsonSchema, prefix: string): Key[] {
  return Object.entries(schema.properties ?? {}).flatMap(([part, value]) => {
    const name = prefix + part;
    return value.properties === undefined ? [keyOf(name, value)] : keysOf(value, `${name}.`);
  });
}

function keyOf(name: string, schema: JsonSchema): Key {
  const item = schema.items ?? schema;
  const value = item.anyOf?.[0] ?? item;
  return {
    name,
    type: value.type as Key["type"],
    isList: schema.items !== undefined,
    description: schema.description ?? "",
    fallback: schema.default,
    choices: value.enum,
    minimum: value.minimum,
    maximum: value.maximum,
  };
}
