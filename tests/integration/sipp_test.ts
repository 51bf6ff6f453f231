import { assertEquals } from "../support/assert.ts";
import { withServer } from "../support/server_at.ts";
import { freePort, hasSipp, runSipp, type SippOptions } from "../support/sipp.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { HAS_BATCH, UdpPeer } from "../support/sockets.ts";

const ignore = !hasSipp;

/** Registers `count` users whose contact is the port of a callee. */
async function registerUsers(
  { address: target }: Pick<SluiceProcess, "address">,
  count: number,
  contactPort: number,
  transport?: SippOptions["transport"],
): Promise<string[]> {
  const users = Array.from({ length: count }, (_, i) => `user${i}`);
  const csv = users.map((user) => [user, contactPort]);
  const result = await runSipp({
    scenario: "register",
    target,
    transport,
    port: freePort(transport),
    calls: count,
    rate: 500,
    csv,
  });
  assertEquals(result, { successful: count, failed: 0, retransmissions: 0 });
  return users;
}

/** Has `caller` and `callee` scenarios run against each other through the server. */
async function calls(
  server: Pick<SluiceProcess, "address">,
  count: number,
  callee: string,
  caller: string,
  transport?: SippOptions["transport"],
): Promise<void> {
  const { address: target } = server;
  const port = freePort(transport);
  const users = await registerUsers(server, 10, port, transport);
  const csv = users.map((user) => [user]);
  const [called, calling] = await Promise.all([
    runSipp({ scenario: callee, target, port, calls: count, transport }),
    runSipp({ scenario: caller, target, port: freePort(transport), calls: count, csv, transport }),
  ]);
  assertEquals(calling, { successful: count, failed: 0, retransmissions: 0 });
  assertEquals(called, { successful: count, failed: 0, retransmissions: 0 });
}

Deno.test({
  name: "SIPp registers a thousand users",
  ignore,
  fn: async () => {
    await using server = await SluiceProcess.start();
    await registerUsers(server, 1_000, 9);
  },
});

Deno.test({
  name: "SIPp makes ten calls a second for five seconds, and none fails or repeats itself",
  ignore,
  fn: async () => {
    await using server = await SluiceProcess.start();
    await calls(server, 50, "uas", "uac");
  },
});

Deno.test({
  name: "SIPp callers that give up while it rings are told so, and the callees as well",
  ignore,
  fn: async () => {
    await using server = await SluiceProcess.start();
    await calls(server, 20, "uas_ringing", "uac_cancel");
  },
});

Deno.test({
  name: "SIPp callers of a busy phone hear that it is busy",
  ignore,
  fn: async () => {
    await using server = await SluiceProcess.start();
    await calls(server, 20, "uas_busy", "uac_refused");
  },
});

Deno.test({
  name: "SIPp callers of a phone that says nothing get 408 when timer B has run out",
  ignore,
  fn: async () => {
    await using server = await SluiceProcess.start(["--timers.t1", "50"]);
    using phone = new UdpPeer(server.address.address);
    const users = await registerUsers(server, 5, phone.local.port);
    const csv = users.map((user) => [user]);
    const result = await runSipp({
      scenario: "uac_refused",
      target: server.address,
      port: freePort(),
      calls: 5,
      csv,
      replace: ["486", "408"],
    });
    assertEquals([result.successful, result.failed], [5, 0]);
  },
});

Deno.test({
  name: "SIPp callers of a phone that has gone get 480 at once",
  ignore: ignore || !HAS_BATCH,
  fn: async () => {
    await using server = await SluiceProcess.start();
    const users = await registerUsers(server, 5, freePort());
    const csv = users.map((user) => [user]);
    const result = await runSipp({
      scenario: "uac_refused",
      target: server.address,
      port: freePort(),
      calls: 5,
      csv,
      replace: ["486", "480"],
    });
    assertEquals([result.successful, result.failed], [5, 0]);
  },
});

for (const transport of ["tcp", "tcp per call"] as const) {
  Deno.test({
    name: `SIPp registers a hundred users over ${transport}`,
    ignore,
    fn: () =>
      withServer("tcp", "127.0.0.1", {}, async (address, { metrics }) => {
        await registerUsers({ address }, 100, 9, transport);
        assertEquals(metrics.connectionsOpened, transport === "tcp" ? 1 : 100);
      }),
  });
}

Deno.test({
  name: "SIPp makes twenty calls over tcp, and none fails",
  ignore,
  fn: () => withServer("tcp", "127.0.0.1", {}, (address) => calls({ address }, 20, "uas", "uac", "tcp")),
});
