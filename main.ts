import { Command, CommanderError } from "commander";
import { allFlags, type Config, ConfigError, configText, flagValues, loadConfig } from "./src/config/mod.ts";
import { runDemo } from "./src/demo/mod.ts";
import { systemClock } from "./src/lib/clock.ts";
import { loggerOf, setUpLogging } from "./src/lib/log.ts";
import { type Server, startServer } from "./src/server.ts";
import { FlowError } from "./src/transport/mod.ts";

const VERSION = "0.1.0";

const program = new Command("sluice")
  .description("SIP registrar and proxy in one program.")
  .version(VERSION)
  .exitOverride();

withSettings(program.command("run", { isDefault: true }).description("Run the server (the default)."))
  .action(async (given) => {
    const config = await settings(given);
    await startLogging(config);
    // Signals are heard before anybody can know that the server is there.
    const { promise: started, resolve } = Promise.withResolvers<Server>();
    onSignals(started);
    const server = await startServer(config, systemClock);
    resolve(server);
    welcome(config, server);
  });

withSettings(program.command("check").description("Check settings and print what they amount to."))
  .action(async (given) => console.log(configText(await settings(given)).trimEnd()));

program.command("demo").description("Two phones register and call each other; draws what went over the wire.")
  .action(async () => {
    console.log(await runDemo(Deno.stdout.isTerminal() && !Deno.noColor));
  });

try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  // Commander has said what it had to say by itself.
  if (error instanceof CommanderError) Deno.exit(error.exitCode === 0 ? 0 : 2);
  if (!(error instanceof ConfigError || error instanceof FlowError)) throw error;
  console.error(error.message);
  Deno.exit(error instanceof ConfigError ? 2 : 1);
}

function withSettings(command: Command): Command {
  command.option("-c, --config <file>", "A YAML file with settings; flags win over it.");
  for (const { spec, description, isList } of allFlags()) {
    if (isList) command.option(spec, description, (value: string, all?: string[]) => [...all ?? [], value]);
    else command.option(spec, description);
  }
  return command;
}

function settings(given: Record<string, unknown>): Promise<Config> {
  return loadConfig(given.config as string | undefined, flagValues(given));
}

/** Events go to standard error, one line each, so that standard output stays for people. */
async function startLogging({ log }: Config): Promise<void> {
  const format = log.format === "auto" ? (Deno.stderr.isTerminal() ? "text" : "json") : log.format;
  await setUpLogging({ level: log.level, format }, (line) => console.error(line));
}

function welcome({ domains }: Config, { transports }: Server): void {
  const places = transports.list.map(({ protocol, sentBy }) => `${protocol}:${sentBy}`);
  const [{ protocol, sentBy }] = transports.list;
  console.log(`sluice is registrar and proxy for ${domains.join(", ")}, listening on ${places.join(", ")}`);
  console.log(`Register a phone: user alice (or any other), domain ${domains[0]}, no password,`);
  console.log(
    `  outbound proxy ${sentBy}, transport ${protocol}; a second one as bob calls sip:alice@${domains[0]}`,
  );
  console.log("Stop it with Ctrl-C; it waits for calls that are up. All settings: sluice run --help");
}

function onSignals(started: Promise<Server>): void {
  const log = loggerOf("main");
  let isStopping = false;
  const stop = async () => {
    // Whoever asks twice does not want to wait.
    if (isStopping) Deno.exit(1);
    isStopping = true;
    await (await started).drain();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGHUP", async () => {
      try {
        await (await started).reload();
      } catch (error) {
        log.error("certificates not reloaded, the old ones stay", { error });
      }
    });
    Deno.addSignalListener("SIGUSR2", async () => log.info("counters", (await started).metrics.snapshot()));
  }
  // A bug in one corner does not take the calls of all others with it.
  started.then(({ metrics }) => {
    const survive = (event: Event, text: string, error: unknown) => {
      event.preventDefault();
      metrics.internalErrors++;
      log.error(text, { error });
    };
    addEventListener("unhandledrejection", (event) => survive(event, "promise rejected", event.reason));
    addEventListener("error", (event) => survive(event, "uncaught error", event.error));
  });
}
