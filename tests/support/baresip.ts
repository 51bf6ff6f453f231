import type { ListenerOptions } from "../../src/transport/mod.ts";
import { isInstalled } from "./programs.ts";
import { inTime } from "./sockets.ts";

/** Milliseconds a phone may take to say what it ought to. */
const PATIENCE = 8_000;

/** Whether baresip is here; says so once if not. */
export const hasBaresip: boolean = await isInstalled("baresip", ["-h"], "baresip-core");

/** One phone. */
export interface BaresipOptions {
  /** Its user at example.com. */
  readonly name: string;
  /** Where it sends everything, and by which protocol. */
  readonly server: ListenerOptions;
  /** Whether it answers calls by itself, or when told `/accept`. */
  readonly answers: "auto" | "manual";
}

/**
 * A baresip of its own process: it has a tone for a microphone, and hears without a loudspeaker. Over TLS it takes
 * any certificate: version 1.0 checks none.
 */
export class Baresip {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #output = "";
  #heard: () => void = () => {};

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#input = child.stdin.getWriter();
    this.#reading = Promise.all([this.#read(child.stdout), this.#read(child.stderr)]).then(() => {});
  }

  /** Starts it, and waits until it has registered. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = await Deno.makeTempDir();
    let phone: Baresip | undefined;
    try {
      await Deno.writeTextFile(`${folder}/config`, configOf(options.server));
      await Deno.writeTextFile(`${folder}/accounts`, accountOf(options));
      // Without one it writes an example.
      await Deno.writeTextFile(`${folder}/contacts`, "");
      const family = options.server.address.includes(":") ? "-6" : "-4";
      const child = new Deno.Command("baresip", {
        args: [family, "-f", folder],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      phone = new Baresip(child, folder);
      await phone.says(/200 OK .*\[1 binding\]/);
      return phone;
    } catch (error) {
      if (phone === undefined) await Deno.remove(folder, { recursive: true });
      else await phone[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** All it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Types a command, such as `/dial sip:bob@example.com`. */
  async type(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
  }

  /** Waits until it has said something, in all so many times since it was started. */
  async says(what: RegExp, times = 1): Promise<void> {
    const every = new RegExp(what, "g");
    const deadline = Date.now() + PATIENCE;
    while ((this.#output.match(every)?.length ?? 0) < times) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#heard = () => resolve(true);
      const timer = setTimeout(() => resolve(false), deadline - Date.now());
      const heard = await promise;
      clearTimeout(timer);
      if (!heard) throw new Error(`baresip does not say ${what} (${times}):\n${this.#output}`);
    }
  }

  /** Has it sign off and end. */
  async quit(): Promise<void> {
    await this.type("/quit");
    await inTime(this.#child.status, "baresip to end");
  }

  /** Ends it at once, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    // What it has not read is of no use to anybody.
    await this.#input.abort().catch(() => {});
    await this.#child.status;
    await this.#reading;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output += text;
      this.#heard();
    }
  }
}

/** Without a sound card: the tone of `ausine` goes out, and what comes in goes to a bridge with nobody at its end. */
function configOf({ address }: ListenerOptions): string {
  const rows = [
    ["poll_method", "epoll"],
    ["sip_listen", address.includes(":") ? `[${address}]:0` : `${address}:0`],
    ["net_interface", address],
    ["module_path", "/usr/lib/baresip/modules"],
    ["module", "stdio.so"],
    ["module", "g711.so"],
    ["module", "ausine.so"],
    ["module", "aubridge.so"],
    ["module_tmp", "account.so"],
    ["module_app", "menu.so"],
    ["audio_source", "ausine,440"],
    ["audio_player", "aubridge,nobody"],
    ["audio_alert", "aubridge,nobody"],
    // All that ausine can do.
    ["ausrc_srate", "48000"],
    ["ausrc_channels", "2"],
  ];
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}

function accountOf({ name, server, answers }: BaresipOptions): string {
  const { protocol, address, port } = server;
  const host = address.includes(":") ? `[${address}]` : address;
  const params = [
    "auth_pass=none",
    `outbound="sip:${host}:${port};transport=${protocol}"`,
    "regint=600",
    `answermode=${answers}`,
  ];
  return `<sip:${name}@example.com;transport=${protocol}>;${params.join(";")}\n`;
}
