import { TextLineStream } from "@std/streams/text-line-stream";
import { keyPath, pemPath } from "../support/certificates.ts";
import { FROM_SOURCE, SluiceProcess } from "../support/sluice_process.ts";

/**
 * How much memory an idle connection takes by its kind: registered once, and kept alive by a CRLFCRLF every 25 s.
 *
 *     deno run -A tests/bench/connections.ts [tcp=20000] [tls=5000] [ws=5000] [seconds=60]
 *
 * Starts a server of its own for each kind; 0 leaves one out. No connection may be lost. A server may open only so
 * many files: where that is not enough and may not be raised, fewer connections are opened, as a line then says.
 */
const [tcp = 20_000, tls = 5_000, ws = 5_000, seconds = 60] = Deno.args.map(Number);

/** Connections of one client process. */
const PER_PROCESS = 5_000;
/** Open files of a server beside its connections. */
const SPARE_FILES = 256;

/** Raises the number of files the program may open, where that is allowed, and becomes the program. */
const WITH_FILES = ["sh", "-c", 'ulimit -n 65536 2>/dev/null; exec "$0" "$@"'];

/** What a process of clients counted. */
interface Counted {
  readonly pings: number;
  readonly pongs: number;
  readonly lost: number;
}

/** One process of clients. */
class Clients {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;

  constructor(args: readonly (string | number)[]) {
    const script = new URL("idle_clients.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, ...args.map(String)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lineStream: TransformStream<string, string> = new TextLineStream();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream).getReader();
    this.#orders = this.#child.stdin.getWriter();
  }

  /** Resolves when all are registered. */
  async ready(): Promise<void> {
    await this.#line();
  }

  async keepAlive(): Promise<Counted> {
    await this.#orders.write(new TextEncoder().encode("\n"));
    return JSON.parse(await this.#line());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#orders.close().catch(() => {});
    await this.#lines.cancel();
    await this.#child.status;
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("A process of clients has failed");
    return value;
  }
}

async function residentKib(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]);
}

/** Connections a server may have at a time. */
async function room(pid: number): Promise<number> {
  const limits = await Deno.readTextFile(`/proc/${pid}/limits`);
  return Number(/Max open files\s+\d+\s+(\d+)/.exec(limits)![1]) - SPARE_FILES;
}

async function measure(kind: string, wanted: number): Promise<void> {
  const secure = kind === "tls" ? ["--tls.certificates", `${pemPath("example")},${keyPath("example")}`] : [];
  await using server = await SluiceProcess.start(
    ["--listen", `${kind}:127.0.0.1:0`, ...secure, "--log.level", "warning", "--drainTime", "0"],
    "127.0.0.1",
    [...WITH_FILES, ...FROM_SOURCE],
    // As `deno task start` has it.
    { ...Deno.env.toObject(), DENO_TOKIO_EVENT_INTERVAL: "4" },
  );
  const count = Math.min(wanted, await room(server.pid));
  if (count < wanted) console.log(`${kind}: only ${count} connections, for want of open files (ulimit -Hn)`);
  const { address, port } = server.addressOf(kind);
  const before = await residentKib(server.pid);

  await using clients = new AsyncDisposableStack();
  const start = performance.now();
  const processes: Clients[] = [];
  for (let first = 0; first < count; first += PER_PROCESS) {
    // Each from an address of its own: one address has only so many ports.
    const source = `127.0.0.${2 + first / PER_PROCESS}`;
    const args = [kind, address, port, source, first, Math.min(PER_PROCESS, count - first), seconds];
    processes.push(clients.use(new Clients(args)));
  }
  await Promise.all(processes.map((process) => process.ready()));
  const took = (performance.now() - start) / 1_000;
  const opened = await residentKib(server.pid);
  const counted = await Promise.all(processes.map((process) => process.keepAlive()));
  const after = await residentKib(server.pid);

  const sum = (key: keyof Counted) => counted.reduce((total, each) => total + each[key], 0);
  const each = (kib: number) => ((kib - before) / count).toFixed(1);
  console.log(
    `${kind}: ${count} connections registered in ${took.toFixed(1)} s; KiB each: ${each(opened)}, ` +
      `and ${each(after)} after ${seconds} s (server ${before} KiB before, ${opened}, ${after})`,
  );
  console.log(`${kind}: ${sum("pongs")} of ${sum("pings")} pings answered, ${sum("lost")} connections lost`);
}

for (const [kind, count] of [["tcp", tcp], ["tls", tls], ["ws", ws]] as const) {
  if (count > 0) await measure(kind, count);
}
