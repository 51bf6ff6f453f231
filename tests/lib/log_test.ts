import { reset } from "@logtape/logtape";
import { type Logger, loggerOf, type LogOptions, setUpLogging, silentLogger } from "../../src/lib/log.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";

/** The lines that come of what `act` logs; logging is as unset afterwards as it was before. */
async function logged(options: LogOptions, act: (log: Logger) => void): Promise<string[]> {
  const lines: string[] = [];
  await setUpLogging(options, (line) => lines.push(line));
  try {
    act(loggerOf("transport"));
  } finally {
    await reset();
  }
  return lines;
}

const TEXT: LogOptions = { level: "debug", format: "text" };

Deno.test("a text line has time, level, part, event and fields", async () => {
  const [line] = await logged(TEXT, (log) => {
    log.info("listening", { at: "udp:127.0.0.1:5060", workers: 2 });
  });
  assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} info +transport: listening at=udp:127\.0\.0\.1:5060 workers=2$/);
});

Deno.test("the Call-ID of an event is shown in both formats", async () => {
  const act = (log: Logger) => log.warn("request failed", { callId: "a84b4c76@pc33" });
  assertMatch((await logged(TEXT, act))[0], / warning transport: request failed callId=a84b4c76@pc33$/);
  const [json] = await logged({ level: "debug", format: "json" }, act);
  assertEquals(JSON.parse(json).callId, "a84b4c76@pc33");
});

Deno.test("a JSON line is one object with time, level, part, event and fields", async () => {
  const lines = await logged({ level: "info", format: "json" }, (log) => {
    log.error("cannot send", { flow: 7, reason: "no\nroute" });
  });
  assertEquals(lines.length, 1);
  assert(!lines[0].includes("\n"));
  const line = JSON.parse(lines[0]);
  assertEquals([line.level, line.logger, line.message], ["ERROR", "sluice.transport", "cannot send"]);
  assertEquals([line.flow, line.reason], [7, "no\nroute"]);
  assert(!Number.isNaN(Date.parse(line["@timestamp"])));
});

Deno.test("events below the level are left out, and a logger knows whether debug lines are wanted", async () => {
  const levels = ["debug", "info", "warning", "error"] as const;
  for (const [i, level] of levels.entries()) {
    const lines = await logged({ level, format: "text" }, (log) => {
      assertEquals(log.debugs, level === "debug");
      log.debug("a");
      log.info("b");
      log.warn("c");
      log.error("d");
    });
    assertEquals(lines.map((line) => line.at(-1)), ["a", "b", "c", "d"].slice(i), level);
  }
});

Deno.test("a value with white space, quotes or control characters is quoted, and the line stays one", async () => {
  const table: [unknown, string][] = [
    ["plain", "plain"],
    ["two words", '"two words"'],
    ['say "hi"', String.raw`"say \"hi\""`],
    ["a\r\nb", String.raw`"a\r\nb"`],
    ["\u001b[2J", String.raw`"\u001b[2J"`],
    ["\u0000", String.raw`"\u0000"`],
    ["\u009b2J", String.raw`"\u009b2J"`],
    ["\u007f", String.raw`"\u007f"`],
    [null, "null"],
    [false, "false"],
    [{ a: 1 }, String.raw`"{\"a\":1}"`],
    [["x", 2], String.raw`"[\"x\",2]"`],
  ];
  for (const [value, shown] of table) {
    const [line] = await logged(TEXT, (log) => log.info("seen", { value }));
    assertEquals(line.slice(line.indexOf("value=") + 6), shown);
  }
});

Deno.test("an error is shown with its stack, in one line", async () => {
  const [line] = await logged(TEXT, (log) => log.error("request failed", { error: new Error("oops") }));
  assertMatch(line, /error="Error: oops\\n +at .*log_test\.ts/);
  assert(!line.includes("\n"));
});

Deno.test("a silent logger says nothing", async () => {
  const lines = await logged(TEXT, () => {
    silentLogger.debug("a");
    silentLogger.info("b");
    silentLogger.warn("c");
    silentLogger.error("d");
  });
  assertEquals(lines, []);
  assert(!silentLogger.debugs);
});
