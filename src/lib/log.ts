import { configure, getJsonLinesFormatter, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";

/** Fields of one event, beside its verb. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What a part of the server writes its events to: one line each, a verb and fields. */
export interface Logger {
  /** Whether debug lines are wanted; ask before making one for a message. */
  readonly debugs: boolean;
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** How events are shown. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
}

/** Writes one line somewhere; the newline is added there. */
export type LineWriter = (line: string) => void;

/** Sets logging up for the whole process, once; every line goes to `write`. */
export async function setUpLogging({ level, format }: LogOptions, write: LineWriter): Promise<void> {
  const json = getJsonLinesFormatter({ properties: "flatten" });
  const show = format === "json" ? (record: LogRecord) => json(record).trimEnd() : textLine;
  await configure({
    reset: true,
    sinks: { lines: (record) => write(show(record)) },
    loggers: [
      { category: "sluice", lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
}

/** The logger of one part of the server. */
export function loggerOf(part: string): Logger {
  const logger = getLogger(["sluice", part]);
  return {
    // Asked for every message; the level is set once, before any logger is made.
    debugs: logger.isEnabledFor("debug"),
    debug: (event, fields) => logger.debug(event, fields),
    info: (event, fields) => logger.info(event, fields),
    warn: (event, fields) => logger.warn(event, fields),
    error: (event, fields) => logger.error(event, fields),
  };
}

/** A logger that says nothing, for tests of parts that log. */
export const silentLogger: Logger = {
  debugs: false,
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** `12:00:00.000 info  transport: listening at=udp:127.0.0.1:5060` */
function textLine(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const part = record.category.slice(1).join(".");
  const known = Object.entries(record.properties).filter(([, value]) => value !== undefined);
  const fields = known.map(([key, value]) => ` ${key}=${fieldText(value)}`).join(
    "",
  );
  return `${time} ${record.level.padEnd(7)} ${part}: ${record.rawMessage}${fields}`;
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return MUST_QUOTE.test(text) ? JSON.stringify(text).replace(CONTROLS, escaped) : text;
}

/** A value from the wire must neither look like another field nor speak to the terminal it is shown on. */
const MUST_QUOTE = /[\s"\p{Cc}]/u;
const CONTROLS = /\p{Cc}/gu;

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
