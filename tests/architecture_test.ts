import { assertEquals } from "./support/assert.ts";

/** Who may import whom: only what a folder's row names, and of another folder only its face, mod.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  sip: ["lib"],
  stun: ["lib"],
  websocket: ["lib"],
  transport: ["sip", "stun", "websocket", "lib"],
  resolve: ["sip", "lib"],
  transaction: ["transport", "sip", "lib"],
  usrloc: ["sip", "lib"],
  config: ["lib"],
  proxy: ["transaction", "resolve", "transport", "sip", "lib"],
  modules: ["proxy", "usrloc", "transport", "sip", "lib"],
  roles: ["modules", "proxy", "sip", "lib"],
  agent: ["transaction", "resolve", "transport", "sip", "lib"],
  demo: ["agent", "config", "server", "transport", "sip", "lib"],
  server: ["config", "modules", "proxy", "resolve", "roles", "transaction", "transport", "usrloc", "lib"],
  tasks: ["config", "transport", "lib"],
};

/** Where the runtime may be spoken to; everything else gets what it needs handed in. */
const MAY_USE_DENO = [/^transport\//, /^resolve\/dns(_client)?\.ts$/, /^config\/load\.ts$/, /^tasks\//];

const SRC = new URL("../src/", import.meta.url);

interface SourceFile {
  /** From src/, with slashes. */
  readonly path: string;
  readonly text: string;
}

async function sources(folder = ""): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, SRC))) {
    const path = folder + name;
    if (isDirectory) files.push(...await sources(`${path}/`));
    else if (name.endsWith(".ts")) files.push({ path, text: await Deno.readTextFile(new URL(path, SRC)) });
  }
  return files;
}

function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(/(?:^|\n)(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"/g)];
  return specifiers.map(([, specifier]) =>
    new URL(specifier, new URL(path, SRC)).href.slice(SRC.href.length)
  );
}

/** The row of the table a file belongs to. */
function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path.replace(/\.ts$/, "");
}

Deno.test("every folder imports only what its place allows, and only by the other's face", async () => {
  const offences: string[] = [];
  for (const file of await sources()) {
    const from = folderOf(file.path);
    for (const target of importsOf(file)) {
      const to = folderOf(target);
      if (to === from) {
        if (target.endsWith("/mod.ts")) offences.push(`${file.path} imports its own face`);
      } else if (!MAY_IMPORT[from]?.includes(to)) {
        offences.push(`${file.path} imports ${target}`);
      } else if (to !== "lib" && to !== "server" && !target.endsWith("/mod.ts")) {
        offences.push(`${file.path} reaches into ${target}`);
      }
    }
  }
  assertEquals(offences, []);
});

Deno.test("no file imports itself by way of others", async () => {
  const files = await sources();
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, way: readonly string[]): void {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    if (done.has(path) || way.includes(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  }
  for (const { path } of files) visit(path, []);
  assertEquals(cycles, []);
});

Deno.test("only the outermost parts speak to the runtime", async () => {
  const offenders = (await sources())
    .filter(({ path, text }) => /\bDeno\./.test(text) && !MAY_USE_DENO.some((place) => place.test(path)))
    .map(({ path }) => path);
  assertEquals(offenders, []);
});

Deno.test("every folder has a face that says in one comment what it is for", async () => {
  const files = await sources();
  const folders = new Set(files.map(({ path }) => folderOf(path)).filter((folder) => folder !== "server"));
  const faceless = [...folders].filter((folder) => {
    const face = files.find(({ path }) => path === `${folder}/mod.ts`);
    return folder !== "lib" && folder !== "tasks" && !face?.text.startsWith("/**");
  });
  assertEquals(faceless, []);
});

Deno.test("every export has a comment", async () => {
  const bare: string[] = [];
  for (const { path, text } of await sources()) {
    const lines = text.split("\n");
    lines.forEach((line, i) => {
      if (!/^export (abstract |async )?(class|function|interface|type|const) \w/.test(line)) return;
      // Constants that belong together share one comment.
      let above = i - 1;
      while (/^export const [A-Z_0-9]+ = |^export const is\w+ = /.test(lines[above])) above--;
      if (!/\*\/\s*$/.test(lines[above] ?? "")) bare.push(`${path}:${i + 1} ${line}`);
    });
  }
  assertEquals(bare, []);
});
