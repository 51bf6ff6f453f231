import { Command } from "commander";
import { allFlags, type Config, ConfigError, configText, flagValues, loadConfig } from "./src/config/mod.ts";
import { systemClock } from "./src/lib/clock.ts";
import { setUpLogging } from "./src/lib/log.ts";
import { startServer } from "./src/server.ts";

const program = new Command("sluice").description("A SIP registrar and proxy.").showHelpAfterError();

function command(name: string, description: string, options?: { isDefault: boolean }) {
  const added = program.command(name, options).description(description)
    .option("-c, --config <file>", "A YAML file with settings; flags win over it.");
  for (const { spec, description, isList } of allFlags()) {
    if (isList) added.option(spec, description, (value: string, all?: string[]) => [...all ?? [], value]);
    else added.option(spec, description);
  }
  return added;
}

command("run", "Run the server.", { isDefault: true }).action(async (given) => {
  const config = await settings(given);
  const format = config.log.format === "auto"
    ? (Deno.stdout.isTerminal() ? "text" : "json")
    : config.log.format;
  await setUpLogging({ level: config.log.level, format }, (line) => console.log(line));
  const server = await startServer(config, systemClock);
  const stop = async () => {
    await server.drain();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
});

command("check", "Check settings, and show what they amount to.").action(async (given) => {
  console.log(configText(await settings(given)));
});

function settings(given: Record<string, unknown>): Promise<Config> {
  return loadConfig(given.config as string | undefined, flagValues(given));
}

try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  Deno.exit(2);
}
