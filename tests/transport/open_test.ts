import {
  FlowError,
  LIBC_PATHS,
  type OpenOptions,
  type SocketAddress,
  socketAddressText,
} from "../../src/transport/mod.ts";
import { Libc, pinned } from "../../src/transport/libc.ts";
import type { BatchSocket } from "../../src/transport/batch_socket.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { HAS_BATCH, hasIpv6, UdpHost, UdpPeer } from "../support/sockets.ts";

const LOOPBACK: SocketAddress = { address: "127.0.0.1", port: 0 };

/** What the program prints when it may do what the flag says, and use the network and see the environment. */
async function runAnywhere(udpIo: "auto" | "batch", flag: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--no-check",
      "--allow-net",
      "--allow-env",
      flag,
      new URL("udp_anywhere.ts", import.meta.url).pathname,
      udpIo,
    ],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("without permission for FFI a listener falls back to the portable socket, says so, and works", async () => {
  const [fallback, listening, answer] = await runAnywhere("auto", "--deny-ffi");
  assertEquals(fallback, "udp falls back to the portable socket reason=no permission for FFI");
  assertMatch(listening, /^listening at=udp:127\.0\.0\.1:\d+ io=portable$/);
  assertEquals(answer, "answered");
});

Deno.test("without permission for FFI a listener that must be batched is an error that says why", async () => {
  const [error] = await runAnywhere("batch", "--deny-ffi");
  assertEquals(error, "FlowError: Cannot read UDP by the batch: no permission for FFI");
});

Deno.test({
  name: "a grant for the C library alone is enough for the batch",
  ignore: !HAS_BATCH,
  async fn() {
    const [listening, answer] = await runAnywhere("auto", `--allow-ffi=${LIBC_PATHS.join(",")}`);
    assertMatch(listening, / io=batch receiveBuffer=\d+$/);
    assertEquals(answer, "answered");
  },
});

for (const udpIo of HAS_BATCH ? ["batch", "portable"] as const : ["portable"] as const) {
  for (const [wildcard, family, loopback] of [["0.0.0.0", "IPv4", "127.0.0.1"], ["::", "IPv6", "::1"]]) {
    Deno.test(`by ${udpIo} the wildcard ${wildcard} becomes one listener for each address`, {
      ignore: family === "IPv6" && !hasIpv6(),
    }, async () => {
      await using server = new UdpHost([{ address: wildcard, port: 0 }], { udpIo });
      const faces = Deno.networkInterfaces().filter((face) => face.family === family);
      const usable = faces.map(({ address }) => address).filter((address) => !address.startsWith("fe80"));
      assertEquals(server.transports.map(({ local }) => local.address), usable);
      const local = server.transports.find(({ local }) => local.address === loopback)!.local;
      using peer = new UdpPeer(loopback);
      await peer.send(requestText("OPTIONS"), local);
      assertEquals((await server.receive()).flow.transport.local, local);
    });
  }
}

Deno.test("a wildcard on a machine without such addresses is an error, and no silence", () => {
  const real = Deno.networkInterfaces;
  Deno.networkInterfaces = () => real().filter(({ family }) => family === "IPv4");
  try {
    const error = assertThrows(() => new UdpHost([{ address: "::", port: 5060 }]), FlowError);
    assertEquals(error.message, "Cannot listen on udp:[::]:5060: this machine has no IPv6 address");
  } finally {
    Deno.networkInterfaces = real;
  }
});

for (const udpIo of HAS_BATCH ? ["batch", "portable"] as const : ["portable"] as const) {
  Deno.test(`by ${udpIo} a listener is known by what it advertises, and in the log by its name`, async () => {
    const advertise = "sip.example.com:5060";
    const listeners = [{ ...LOOPBACK, advertise, name: "outside" }, LOOPBACK];
    await using server = new UdpHost(listeners, { udpIo });
    const [first, second] = server.transports;
    assertEquals([first.sentBy, second.sentBy], [advertise, socketAddressText(second.local)]);
    assertEquals(server.logged.map((line) => /name=\w+/.exec(line)?.[0]), ["name=outside", undefined]);
  });
}

Deno.test("an address that is not this machine's is an error that names it", () => {
  for (const udpIo of ["auto", "portable"] as const) {
    const elsewhere = { address: "198.51.100.77", port: 5060 };
    const error = assertThrows(() => new UdpHost([elsewhere], { udpIo }), FlowError);
    assertStringIncludes(error.message, "Cannot listen on udp:198.51.100.77:5060: ");
  }
});

Deno.test("listeners of both kinds of address work side by side", { ignore: !hasIpv6() }, async () => {
  await using server = new UdpHost([LOOPBACK, { address: "::1", port: 0 }]);
  for (const { local } of server.transports) {
    using peer = new UdpPeer(local.address);
    await peer.send(requestText("OPTIONS"), local);
    const { flow } = await server.receive();
    flow.send("answer");
    assertEquals((await peer.receive()).from, local);
  }
  assertEquals(new Set(server.transports.map(({ local }) => local.address)), new Set(["127.0.0.1", "::1"]));
});

Deno.test({
  name: "several can listen on one port when they are asked to",
  ignore: !HAS_BATCH,
  async fn() {
    const udp = { receiveBuffer: 1 << 20, sendBuffer: 1 << 20, reusePort: true, maxFlows: 10 };
    await using first = new UdpHost([LOOPBACK], { udpIo: "batch", udp });
    await using second = new UdpHost([first.local], { udpIo: "batch", udp });
    assertEquals(second.local, first.local);
  },
});

/** What the kernel says of a socket's buffer, in bytes. */
function bufferOf(server: UdpHost, option: number): number {
  const libc = Libc.open();
  const [value, length] = [pinned(4), pinned(4)];
  length[0] = 4;
  const { fd } = server.transports[0] as BatchSocket;
  assertEquals(libc.call.getsockopt(fd, 1, option, value, length), 0);
  libc.close();
  return new DataView(value.buffer).getInt32(0, true);
}

Deno.test({
  name: "the kernel's buffers are as large as was asked, where the system grants it",
  ignore: !HAS_BATCH,
  async fn() {
    const limit = (name: string) => Number(Deno.readTextFileSync(`/proc/sys/net/core/${name}`));
    const receiveBuffer = Math.min(300_000, limit("rmem_max"));
    const sendBuffer = Math.min(200_000, limit("wmem_max"));
    const udp: OpenOptions["udp"] = { receiveBuffer, sendBuffer, reusePort: false, maxFlows: 10 };
    await using server = new UdpHost([LOOPBACK], { udpIo: "batch", udp });
    // The kernel doubles what it is asked for, for its own book-keeping.
    assertEquals(bufferOf(server, 8), 2 * receiveBuffer);
    assertEquals(bufferOf(server, 7), 2 * sendBuffer);
  },
});

Deno.test({
  name: "buffers larger than the system allows are as large as it allows",
  ignore: !HAS_BATCH,
  async fn() {
    const limit = Number(Deno.readTextFileSync("/proc/sys/net/core/rmem_max"));
    const udp = { receiveBuffer: 2 * limit, sendBuffer: 1 << 20, reusePort: false, maxFlows: 10 };
    await using server = new UdpHost([LOOPBACK], { udpIo: "batch", udp });
    assert(bufferOf(server, 8) >= 2 * limit);
  },
});
