/** One thing that is wrong with the settings. */
export interface Fault {
  /** The key, its parts joined by dots; "" for the whole file. */
  readonly key: string;
  /** Line in the file, from 1; undefined if it does not stand there. */
  readonly line: number | undefined;
  readonly message: string;
}

/** The settings cannot be used; says everything that is wrong with them at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  /** `source` is the file's name, or how else the settings came. */
  constructor(readonly source: string, readonly faults: readonly Fault[]) {
    super(faults.map((fault) => faultText(source, fault)).join("\n"));
  }
}

function faultText(source: string, { key, line, message }: Fault): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return `${place}: ${key === "" ? "" : `${key}: `}${message}`;
}
