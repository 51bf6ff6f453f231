/** The settings: what there is to set, and how it is read from a file, the environment and flags. */
export { documents } from "./documents.ts";
export { ConfigError, type Fault } from "./errors.ts";
export { allFlags, type Flag, flagValues } from "./flags.ts";
export { allKeys, jsonSchema, type Key } from "./keys.ts";
export { type ConfigSource, configText, type FlagValue, loadConfig, parseConfig } from "./load.ts";
export type { CertificateFiles } from "./certificate.ts";
export type { Listener } from "./listener.ts";
export { type Config, configSchema } from "./schema.ts";
