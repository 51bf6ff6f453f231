import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { withPhones } from "../support/phone.ts";
import { FROM_SOURCE, SluiceProcess } from "../support/sluice_process.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sluice(...args: readonly string[]): Promise<Ended> {
  const [program, ...first] = FROM_SOURCE;
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...first, ...args] }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

async function withFile(text: string, use: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, text);
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a settings file with three faults is refused with all three, their keys and lines", () =>
  withFile(
    "domains: [example.com]\nlissten: x\ntimers:\n  t1: soon\nlisten:\n  - upd:127.0.0.1:5060\n",
    async (file) => {
      for (const command of ["check", "run"]) {
        const { code, out, err } = await sluice(command, "--config", file);
        assertEquals([code, out], [2, ""]);
        assertEquals(err.trimEnd().split("\n"), [
          `${file}:2: lissten: there is no such key; did you mean listen?`,
          `${file}:4: timers.t1: expected number, received string`,
          `${file}:6: listen.0: unknown protocol: "upd:127.0.0.1:5060" (udp, tcp, tls, ws, wss)`,
        ]);
      }
    },
  ));

Deno.test("check prints settings that are themselves a settings file with the same meaning", async () => {
  const { code, out } = await sluice("check", "--domain", "example.org", "--registrar.minExpires", "30");
  assertEquals(code, 0);
  assertStringIncludes(out, "minExpires: 30");
  await withFile(out, async (file) => assertEquals((await sluice("check", "-c", file)).out, out));
});

Deno.test("only modes that exist are offered", async () => {
  const { code, err } = await sluice("run", "--mode", "edge");
  assertEquals(code, 2);
  assertMatch(err, /mode: .*combined/i);
  const help = await sluice("run", "--help");
  assertStringIncludes(help.out, "--mode <combined>");
});

Deno.test("help names every setting, and an unknown flag is refused with status 2", async () => {
  const { code, out } = await sluice("run", "--help");
  assertEquals(code, 0);
  for (
    const flag of ["--listen", "--domain", "--log-level", "--registrar.maxContacts", "--transport.udp.io"]
  ) {
    assertStringIncludes(out, flag);
  }
  assertEquals((await sluice("run", "--lissten", "x")).code, 2);
});

Deno.test("an address in use ends the start with one line that names it", async () => {
  await using running = await SluiceProcess.start();
  const { port } = running.address;
  const { code, err } = await sluice("run", "--listen", `udp:127.0.0.1:${port}`);
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot listen on udp:127.0.0.1:${port}: address already in use`);
  assert(!err.includes("    at "), "no stack for what is no bug");
});

Deno.test("the demo draws a call between two phones", async () => {
  const { code, out } = await sluice("demo");
  assertEquals(code, 0);
  assertMatch(out.split("\n")[0], /alice +sluice +bob/);
  for (const label of ["REGISTER", "INVITE", "180 Ringing", "200 OK", "ACK", "BYE"]) {
    assertStringIncludes(out, label);
  }
});

Deno.test("a call that is up when the server is told to stop still gets its BYE, and then the server ends", async () => {
  await using server = await SluiceProcess.start();
  await withPhones({ protocol: "udp", ...server.address }, ["alice", "bob"], async (alice, bob) => {
    await bob.register();
    const call = alice.invite(bob.aor);
    const incoming = await bob.receives("INVITE");
    incoming.reply(200);
    await call.receives(200);
    await incoming.acknowledged();

    server.terminate();
    // The refusal tells that the signal has arrived.
    let status = 0;
    while (status !== 503) status = (await alice.send("OPTIONS", "sip:example.com").final()).status;

    const bye = call.bye();
    (await bob.receives("BYE")).reply(200);
    await bye.receives(200);
    assertEquals(await server.ended(), 0);
  });
});

Deno.test("without a call, the server ends as soon as it is told", async () => {
  await using server = await SluiceProcess.start(["--drainTime", "600000"]);
  server.terminate();
  assertEquals(await server.ended(), 0);
});
