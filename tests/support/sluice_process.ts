import { TextLineStream } from "@std/streams/text-line-stream";
import type { SocketAddress } from "../../src/transport/mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The program as the tests start it from source. */
export const FROM_SOURCE: readonly string[] = [Deno.execPath(), "run", "-A", `${ROOT}main.ts`];

/** Milliseconds a process may take to say that it listens. */
const START_LIMIT = 30_000;

/** A sluice of its own process, which listens. */
export class SluiceProcess {
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<void>;
  readonly #lines: string[];

  private constructor(
    child: Deno.ChildProcess,
    output: Promise<void>,
    lines: string[],
    readonly address: SocketAddress,
  ) {
    this.#child = child;
    this.#output = output;
    this.#lines = lines;
  }

  /** Starts it with `args` on a free port of `host`, and waits until it listens. */
  static async start(
    args: readonly string[] = [],
    host = "127.0.0.1",
    program: readonly string[] = FROM_SOURCE,
    env: Record<string, string> = {},
  ): Promise<SluiceProcess> {
    const place = host.includes(":") ? `udp:[${host}]:0` : `udp:${host}:0`;
    const [command, ...first] = program;
    const child = new Deno.Command(command, {
      args: [...first, "run", "--listen", place, ...args],
      stdout: "piped",
      stderr: "piped",
      env,
      clearEnv: Object.keys(env).length > 0,
    }).spawn();
    const lines: string[] = [];
    const { promise: heard, resolve } = Promise.withResolvers<SocketAddress>();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      const lineStream: TransformStream<string, string> = new TextLineStream();
      const texts = stream.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream);
      for await (const line of texts) {
        lines.push(line);
        const match = /listening on udp:\[?([0-9a-f.:]+?)\]?:([0-9]+)/.exec(line);
        if (match !== null) resolve({ address: match[1], port: Number(match[2]) });
      }
    };
    const output = Promise.all([read(child.stdout), read(child.stderr)]).then(() => {});
    const gone = child.status.then(({ code }) => {
      throw new Error(`sluice ended with ${code}: ${lines.join("\n")}`);
    });
    gone.catch(() => {});
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`sluice says nothing: ${lines.join("\n")}`)),
      START_LIMIT,
    );
    try {
      const address = await Promise.race([heard, gone, late]);
      return new SluiceProcess(child, output, lines, address);
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Where it listens by another protocol than UDP; throws if it does not. */
  addressOf(protocol: string): SocketAddress {
    for (const line of this.#lines) {
      if (!line.includes(" is registrar and proxy for ")) continue;
      const match = new RegExp(`[ ,]${protocol}:\\[?([0-9a-f.:]+?)\\]?:([0-9]+)`).exec(line);
      if (match !== null) return { address: match[1], port: Number(match[2]) };
    }
    throw new Error(`sluice does not listen by ${protocol}: ${this.#lines.join("\n")}`);
  }

  /** What it has printed, both to standard output and error. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Asks it to stop. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Waits for its end; its exit status. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#output;
    return code;
  }

  /** Ends it at once, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended();
  }
}
