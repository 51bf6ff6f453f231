import { SluiceProcess } from "../support/sluice_process.ts";

/**
 * REGISTER a second over connections, beside a Kamailio with one TCP worker in the same run.
 *
 *     deno run -A tests/bench/streams.ts [tcp|ws|both] [rounds=3] [seconds=4] [connections=100] [window=1] [users=10000]
 *
 * Starts both servers, and loads them in turn; `window` is how many requests each connection has on their way. The
 * last line of each kind is the ratio of the medians. Beside each rate stands the processor time an answer took, of
 * all processes of that server: it says more than the rate where others use the machine as well. Needs `cc` and Debian's `kamailio`, and for ws also its
 * `kamailio-websocket-modules`; what is missing is left out.
 */
const [wanted = "both", ...numbers] = Deno.args;
const [rounds = 3, seconds = 4, connections = 100, window = 1, users = 10_000] = numbers.map(Number);
const kinds = wanted === "both" ? ["tcp", "ws"] : [wanted];

const MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/";
/** Milliseconds Kamailio may take to listen. */
const START_LIMIT = 10_000;

const here = (name: string) => new URL(name, import.meta.url).pathname;

async function has(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** Kamailio as a process of its own. */
class Kamailio {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(child: Deno.ChildProcess, folder: string, readonly port: number) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Undefined, and a line that says so, where it is not installed. */
  static async start(): Promise<Kamailio | undefined> {
    if (!await has(MODULES)) {
      console.log("kamailio is not there: sluice is measured alone (apt-get install kamailio)");
      return undefined;
    }
    const folder = await Deno.makeTempDir();
    const port = freePort();
    const settings = (await Deno.readTextFile(here("kamailio_streams.cfg"))).replaceAll("PORT", String(port));
    await Deno.writeTextFile(`${folder}/kamailio.cfg`, settings);
    const websocket = await Kamailio.hasWebSocket() ? ["-A", "WITH_WEBSOCKET"] : [];
    const child = new Deno.Command("kamailio", {
      args: [
        ...["-f", `${folder}/kamailio.cfg`, "-P", `${folder}/pid`, "-m", "1024", "-M", "64", "-DD"],
        ...websocket,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const kamailio = new Kamailio(child, folder, port);
    try {
      await listens(port);
      return kamailio;
    } catch (error) {
      await kamailio[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  static hasWebSocket(): Promise<boolean> {
    return has(`${MODULES}websocket.so`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Resolves when somebody accepts connections there. */
async function listens(port: number): Promise<void> {
  for (const end = performance.now() + START_LIMIT;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The load generator, compiled. */
async function build(folder: string): Promise<string> {
  const program = `${folder}/streamflood`;
  const { success } = await new Deno.Command("cc", { args: ["-O2", "-o", program, here("streamflood.c")] })
    .spawn().status;
  if (!success) throw new Error("Cannot compile streamflood.c");
  return program;
}

/** One of the two servers. */
interface Loaded {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
}

/** Answers a second, and microseconds of processor time for each. */
interface Result {
  readonly rate: number;
  readonly cost: number;
}

/** Seconds of processor time a process and its children have used. */
async function processorTime(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name may have anything in it; what follows it is numbers, in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).split(" ").filter(Boolean);
  const theirs = await Promise.all(children.map((child) => processorTime(Number(child))));
  return theirs.reduce((a, b) => a + b, (Number(fields[11]) + Number(fields[12])) / 100);
}

/** Loads a server; prints what the load generator says. */
async function load(program: string, kind: string, { name, pid, port }: Loaded): Promise<Result> {
  const args = [kind, "127.0.0.1", ...[port, connections, window, seconds, users].map(String)];
  const before = await processorTime(pid);
  const { stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  const used = await processorTime(pid) - before;
  const line = new TextDecoder().decode(stdout).trim();
  const cost = used * 1e6 / Number(/sent (\d+)/.exec(line)?.[1] ?? 0);
  console.log(`  ${name.padEnd(8)} ${line}, ${cost.toFixed(1)} us each`);
  return { rate: Number(/200s (\d+)\/s/.exec(line)?.[1] ?? 0), cost };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function medians(results: readonly Result[]): Result {
  return { rate: median(results.map(({ rate }) => rate)), cost: median(results.map(({ cost }) => cost)) };
}

function told({ rate, cost }: Result): string {
  return `${rate}/s at ${cost.toFixed(1)} us`;
}

async function compare(
  program: string,
  kind: string,
  ours: Loaded,
  theirs: Loaded | undefined,
): Promise<void> {
  console.log(`REGISTER over ${connections} connections of ${kind}, ${window} on their way on each`);
  await load(program, kind, { ...ours, name: "warm-up" });
  const sluice: Result[] = [];
  const peer: Result[] = [];
  for (let round = 0; round < rounds; round++) {
    sluice.push(await load(program, kind, ours));
    if (theirs !== undefined) peer.push(await load(program, kind, theirs));
  }
  const own = medians(sluice);
  if (theirs === undefined) return console.log(`${kind}: sluice ${told(own)}`);
  const other = medians(peer);
  console.log(
    `${kind}: sluice ${told(own)}, kamailio (1 worker) ${told(other)}: ratio ${
      (own.rate / other.rate).toFixed(2)
    }, of processor time ${(other.cost / own.cost).toFixed(2)}`,
  );
}

const folder = await Deno.makeTempDir();
try {
  const program = await build(folder);
  // As `deno task start` has it.
  const env = { ...Deno.env.toObject(), DENO_TOKIO_EVENT_INTERVAL: "4" };
  const listen = ["--listen", "tcp:127.0.0.1:0", "--listen", "ws:127.0.0.1:0"];
  await using server = await SluiceProcess.start(
    [...listen, "--log.level", "warning", "--drainTime", "0"],
    "127.0.0.1",
    undefined,
    env,
  );
  await using kamailio = await Kamailio.start();
  for (const kind of kinds) {
    const canCompare = kind === "tcp" || await Kamailio.hasWebSocket();
    if (!canCompare && kamailio !== undefined) {
      console.log(
        "kamailio has no WebSocket: sluice is measured alone (apt-get install kamailio-websocket-modules)",
      );
    }
    const ours = { name: "sluice", pid: server.pid, port: server.addressOf(kind).port };
    const theirs = canCompare && kamailio !== undefined
      ? { name: "kamailio", pid: kamailio.pid, port: kamailio.port }
      : undefined;
    await compare(program, kind, ours, theirs);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
