import { assert, assertEquals } from "../support/assert.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { integrationBody } from "./body.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Where the program is built, and unpacks itself; it runs without anything of ours in its environment. */
const folder = await Deno.makeTempDir();
const binary = `${folder}/sluice`;
const env = { HOME: folder, PATH: "/usr/bin:/bin" };

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

Deno.test("the compile task builds one file, and says how", async () => {
  const args = ["run", "-A", `${ROOT}src/tasks/compile.ts`, binary];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  assert(
    /built (by deno compile|as a self-extracting file)\n$/.test(decoder.decode(stdout)),
    decoder.decode(stdout),
  );
});

Deno.test("the built file starts where there is no Deno, and ends in good order when told to", async () => {
  await using server = await SluiceProcess.start([], "127.0.0.1", [binary], env);
  server.terminate();
  assertEquals(await server.ended(), 0);
  assert(!server.lines.some((line) => /warn|error/i.test(line)), server.lines.join("\n"));
});

Deno.test("three first starts at once all come up", async () => {
  const fresh = { ...env, SLUICE_RUNTIME_DIR: `${folder}/fresh` };
  const servers = await Promise.all(
    [1, 2, 3].map(() => SluiceProcess.start([], "127.0.0.1", [binary], fresh)),
  );
  for (const server of servers) await server[Symbol.asyncDispose]();
  // What deno compile builds has nothing to unpack.
  const isUnpacked = [...Deno.readDirSync(folder)].some(({ name }) => name === "fresh");
  if (isUnpacked) assertEquals([...Deno.readDirSync(`${folder}/fresh`)].length, 1);
});

integrationBody("the built file", async (use) => {
  await using server = await SluiceProcess.start([], "127.0.0.1", [binary], env);
  await use({ protocol: "udp", ...server.address });
});
