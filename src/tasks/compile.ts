import { LIBC_PATHS } from "../transport/mod.ts";

/** Builds dist/sluice: by `deno compile`, or, where that cannot get its base runtime, as a self-extracting file. */

const ROOT = new URL("../../", import.meta.url).pathname;
const OUT = Deno.args[0] ?? `${ROOT}dist/sluice`;

/** What the program may do, whoever starts it. */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-env",
  "--allow-sys=networkInterfaces",
  `--allow-ffi=${LIBC_PATHS.join(",")}`,
  "--unstable-net",
  "--no-prompt",
];

/** How often the runtime looks at its own sockets while UDP keeps it busy. */
const EVENT_INTERVAL = 4;

await Deno.mkdir(OUT.slice(0, OUT.lastIndexOf("/")), { recursive: true });
const compiled = await deno(["compile", "--quiet", ...PERMISSIONS, "--output", OUT, `${ROOT}main.ts`]);
if (compiled.success) {
  console.log(`${OUT}: built by deno compile`);
} else {
  const complaint = plain(new TextDecoder().decode(compiled.stderr));
  // Anything but a missing base runtime is a fault of the program, which another way of packing would only hide.
  if (!complaint.includes("Setting up base binary")) throw new Error(complaint);
  console.log("deno compile cannot download its base runtime here: building a self-extracting file instead");
  await buildSelfExtracting();
  console.log(`${OUT}: built as a self-extracting file`);
}

/** One file: a shell script that unpacks the runtime and the bundled program once, and becomes it. */
async function buildSelfExtracting(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const bundled = await deno([
      "bundle",
      "--quiet",
      "--minify",
      "--output",
      `${folder}/sluice.js`,
      `${ROOT}main.ts`,
    ]);
    if (!bundled.success) throw new Error(new TextDecoder().decode(bundled.stderr));
    await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
    await Deno.chmod(`${folder}/deno`, 0o755);
    const archive = await run("tar", ["-C", folder, "-czf", "-", "deno", "sluice.js"]);
    const hash = await sha256(archive.stdout);
    await Deno.writeFile(OUT, concatenated(new TextEncoder().encode(launcher(hash)), archive.stdout));
    await Deno.chmod(OUT, 0o755);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The script at the front of the file; `exec` lets signals reach the program. */
function launcher(hash: string): string {
  const lines = [
    "#!/bin/sh",
    "set -e",
    'B="${SLUICE_RUNTIME_DIR:-$CACHE_DIRECTORY}"',
    '[ -n "$B" ] || B="${XDG_CACHE_HOME:-${HOME:?set HOME or SLUICE_RUNTIME_DIR}/.cache}/sluice"',
    `D="$B/${hash}"`,
    'if [ ! -x "$D/deno" ]; then',
    '  T="$D.tmp$$"; mkdir -p "$T"; tail -n +@LINES@ "$0" | gzip -dc | tar xf - -C "$T"',
    '  mv -T "$T" "$D" 2>/dev/null || rm -rf "$T" # another start was faster: keep its copy',
    "fi",
    `export DENO_TOKIO_EVENT_INTERVAL="\${DENO_TOKIO_EVENT_INTERVAL:-${EVENT_INTERVAL}}" DENO_NO_UPDATE_CHECK=1`,
    `exec "$D/deno" run ${PERMISSIONS.join(" ")} --no-config --no-lock --cached-only "$D/sluice.js" "$@"`,
    "",
  ];
  return lines.join("\n").replace("@LINES@", String(lines.length));
}

function deno(args: readonly string[]): Promise<Deno.CommandOutput> {
  return run(Deno.execPath(), args);
}

function run(program: string, args: readonly string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(program, { args: [...args], stdout: "piped", stderr: "piped" }).output();
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** A program's output without colors. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*m/g, "").trim();
}
