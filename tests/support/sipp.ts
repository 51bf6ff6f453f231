import type { SocketAddress } from "../../src/transport/mod.ts";
import { isInstalled } from "./programs.ts";

const SCENARIOS = new URL("../integration/sipp/", import.meta.url);

/** Milliseconds one run may take. */
const LIMIT = 60_000;

/** Whether SIPp is here; says so once if not. */
export const hasSipp: boolean = await isInstalled("sipp", ["-v"], "sip-tester");

/** One run of SIPp. */
export interface SippOptions {
  /** A file of tests/integration/sipp/, without its ending. */
  readonly scenario: string;
  readonly target: SocketAddress;
  /** Its own port. */
  readonly port: number;
  readonly calls: number;
  /** UDP, one TCP connection for all calls, or one for each; by default UDP. */
  readonly transport?: "udp" | "tcp" | "tcp per call";
  /** Calls started in a second. */
  readonly rate?: number;
  /** Rows of fields for the scenario. */
  readonly csv?: readonly (readonly (string | number)[])[];
  /** Text to put in place of other text in the scenario. */
  readonly replace?: readonly [string, string];
}

/** How SIPp calls them. */
const TRANSPORTS = { udp: "u1", tcp: "t1", "tcp per call": "tn" } as const;

/** What SIPp counted. */
export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
}

/** Runs SIPp to its end; throws with what it printed if it ends in failure. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const { scenario, target, port, calls, rate = 10, csv, replace, transport = "udp" } = options;
  const folder = await Deno.makeTempDir();
  try {
    let text = await Deno.readTextFile(new URL(`${scenario}.xml`, SCENARIOS));
    if (replace !== undefined) text = text.replaceAll(...replace);
    await Deno.writeTextFile(`${folder}/scenario.xml`, text);
    if (csv !== undefined) {
      const rows = csv.map((row) => `${row.join(";")};`);
      await Deno.writeTextFile(`${folder}/users.csv`, ["SEQUENTIAL", ...rows, ""].join("\n"));
    }
    const args = [
      `${target.address}:${target.port}`,
      ...["-t", TRANSPORTS[transport], "-i", target.address, "-p", String(port)],
      ...["-sf", "scenario.xml", ...(csv === undefined ? [] : ["-inf", "users.csv"])],
      ...["-m", String(calls), "-r", String(rate), "-l", String(Math.max(calls, 10))],
      // Its default is more than a process may have open.
      ...["-max_socket", "1024"],
      ...["-nostdin", "-trace_stat", "-stf", "stat.csv", "-trace_err", "-error_file", "errors.txt"],
      ...["-timeout", `${LIMIT / 1000}s`, "-timeout_error"],
    ];
    const { code, stdout, stderr } = await new Deno.Command("sipp", { args, cwd: folder }).output();
    if (code !== 0) {
      const errors = await Deno.readTextFile(`${folder}/errors.txt`).catch(() => "");
      const shown = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes).slice(-3_000)).join("\n");
      throw new Error(`sipp ${scenario} ended with ${code}\n${errors.slice(0, 3_000)}\n${shown}`);
    }
    return parseStatistics(await Deno.readTextFile(`${folder}/stat.csv`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function parseStatistics(csv: string): SippResult {
  const lines = csv.trim().split("\n");
  const names = lines[0].split(";");
  const values = lines.at(-1)!.split(";");
  const number = (name: string) => Number(values[names.indexOf(name)]);
  return {
    successful: number("SuccessfulCall(C)"),
    failed: number("FailedCall(C)"),
    retransmissions: number("Retransmissions(C)"),
  };
}

/** A port of 127.0.0.1 that nobody uses: what is free for UDP may be taken for TCP, and the other way round. */
export function freePort(transport: SippOptions["transport"] = "udp"): number {
  const hostname = "127.0.0.1";
  const socket = transport === "udp"
    ? Deno.listenDatagram({ transport: "udp", hostname, port: 0 })
    : Deno.listen({ hostname, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}
