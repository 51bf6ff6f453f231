import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { authority, keyPath, pemPath } from "../support/certificates.ts";
import { Probe } from "../support/probe.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { streamRegister, streamRequest } from "../support/requests.ts";
import { FROM_SOURCE, SluiceProcess } from "../support/sluice_process.ts";

/** Milliseconds between two questions of the probe. */
const PACE = 5;

/** Milliseconds within which the probe must have its answer, however busy the machine is otherwise. */
const SANE = 2_000;

/** Milliseconds everything else may take. */
const LIMIT = 20_000;

/** KiB the server may keep of what a crowd has cost. */
const KEPT_LIMIT = 100 << 10;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves with what `look` finds, once it finds something. */
async function found<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + LIMIT;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
    await pause(20);
  }
}

/** A server under attack. */
class Target {
  readonly tcp;

  constructor(readonly server: SluiceProcess) {
    this.tcp = server.addressOf("tcp");
  }

  /** What it has counted. */
  async counters(): Promise<Record<string, number>> {
    const { lines, pid } = this.server;
    const before = lines.length;
    Deno.kill(pid, "SIGUSR2");
    return await found(
      "counters",
      () =>
        lines.slice(before).map((line) => line.startsWith("{") ? JSON.parse(line) : {})
          .find(({ message }) => message === "counters"),
    );
  }

  /** Resolves when it has counted at least as many of each. */
  async counted(least: Readonly<Record<string, number>>): Promise<void> {
    let last = {};
    try {
      await found("counters to be right", async () => {
        const counters = last = await this.counters();
        return Object.entries(least).every(([name, count]) => (counters[name] ?? 0) >= count) || undefined;
      });
    } catch (cause) {
      throw new Error(`Counted ${JSON.stringify(last)} and not ${JSON.stringify(least)}`, { cause });
    }
  }

  /** KiB of memory it holds. */
  async resident(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.server.pid}/status`);
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]);
  }

  /** Has `attack` going on while a probe asks; then memory must come back. */
  async endures(label: string, attack: () => Promise<void>): Promise<void> {
    using probe = new Probe();
    await probe.start(this.tcp, PACE);
    const before = await this.resident();
    await attack();
    report(label, await probe.stop());
    await found("memory to come back", async () => await this.resident() - before < KEPT_LIMIT || undefined);
    assertEquals((await this.counters()).internalErrors, undefined);
  }
}

function report(label: string, latencies: readonly number[]): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
  const [half, most, all] = [0.5, 0.99, 1].map((share) => at(share).toFixed(1));
  console.log(`${label}: ${sorted.length} probes, ms: p50 ${half}, p99 ${most}, worst ${all}`);
  assert(at(1) < SANE, `the probe waited ${all} ms`);
}

const TLS = [
  "--listen",
  "tls:127.0.0.1:0",
  "--tls.certificates",
  `${pemPath("example")},${keyPath("example")}`,
];

function test(name: string, args: readonly string[], attack: (target: Target) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      await using server = await SluiceProcess.start(
        ["--listen", "tcp:127.0.0.1:0", ...args],
        "127.0.0.1",
        FROM_SOURCE,
        // As `deno task start` has it.
        { ...Deno.env.toObject(), DENO_TOKIO_EVENT_INTERVAL: "4" },
      );
      await attack(new Target(server));
    },
  });
}

/** Opens connections, a few at a time, hands each to `use`, and closes them all. */
async function crowd(
  count: number,
  open: () => Promise<RawConnection>,
  use: (connection: RawConnection, index: number) => Promise<unknown>,
): Promise<void> {
  const connections: RawConnection[] = [];
  try {
    const used: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const connection = await open();
      connections.push(connection);
      const done = use(connection, i);
      // Its failure is told below.
      done.catch(() => {});
      used.push(done);
    }
    await Promise.all(used);
  } finally {
    for (const connection of connections) connection.close();
  }
}

test(
  "five hundred who send a byte now and then, and a hundred who send none, are cut off",
  ["--transport.wholeMessage", "3000", "--transport.firstByte", "1500"],
  (target) =>
    target.endures("slow peers", async () => {
      const open = () => RawConnection.open(target.tcp);
      const message = streamRequest("OPTIONS", { sentBy: "127.0.0.1:5060", id: "slow" });
      const drip = async (connection: RawConnection) => {
        const ended = connection.rest();
        let isOver = false;
        ended.finally(() => isOver = true).catch(() => {});
        for (let i = 0; !isOver && i < message.length; i++) {
          await connection.write(message[i]).catch(() => isOver = true);
          await pause(200);
        }
        assertEquals(await ended, "");
      };
      await Promise.all([
        crowd(500, open, drip),
        crowd(100, open, async (connection) => assertEquals(await connection.rest(), "")),
      ]);
      await target.counted({ connectionsSlow: 500, connectionsSilent: 100 });
    }),
);

/** Of each of the messages nobody reads; they are far more than the system keeps for a connection. */
const BODY = "x".repeat(8_000);

test(
  "who never reads the ten thousand messages due to it is cut off, and those who sent them have their answers",
  ["--timers.t1", "50"],
  (target) =>
    target.endures("a peer that never reads", async () => {
      using callee = await RawConnection.open(target.tcp);
      const contact = `sip:bob@${callee.name};transport=tcp`;
      await callee.write(streamRegister("bob", contact, { sentBy: callee.name, id: "register" }));
      assertMatch(await callee.message(), /^SIP\/2.0 200 /);

      using sender = await RawConnection.open(target.tcp);
      const answers = (async () => {
        const statuses: Record<string, number> = {};
        for (let finals = 0; finals < 10_000;) {
          const status = (await sender.message()).slice(8, 11);
          statuses[status] = (statuses[status] ?? 0) + 1;
          if (!status.startsWith("1")) finals++;
        }
        return statuses;
      })();
      answers.catch(() => {});
      for (let i = 0; i < 10_000; i++) {
        const request = { sentBy: sender.name, id: `m${i}`, uri: "sip:bob@example.com", body: BODY };
        await sender.write(streamRequest("MESSAGE", { ...request, rows: "Content-Type: text/plain\r\n" }));
      }
      console.log("answers to what was never read:", JSON.stringify(await answers));
      await target.counted({ connectionsFull: 1, bindingsDropped: 1 });
    }),
);

test(
  "who asks on and on and never reads the answers is no longer read from, and cut off in time",
  ["--limits.writeQueue", "65536", "--transport.wholeMessage", "1000", "--transport.idle.tcp", "3000"],
  (target) =>
    target.endures("a peer that asks and never reads", async () => {
      using peer = await RawConnection.open(target.tcp);
      const asked = async () => {
        for (let i = 0;; i++) {
          await peer.write(streamRequest("OPTIONS", { sentBy: peer.name, id: `o${i}` }).repeat(100));
        }
      };
      // Its writing ends when the server has cut it off.
      const error = await asked().catch((error) => error);
      assert(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe, error);
      const { connectionsSlow = 0, connectionsIdle = 0, connectionsFull = 0 } = await target.counters();
      assertEquals(connectionsSlow + connectionsIdle + connectionsFull, 1);
    }),
);

/** Bytes that look random and are the same in every run. */
function garbage(length: number): Uint8Array {
  let state = 0x5150;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

test(
  "handshakes that are begun and never finished are given up",
  [...TLS, "--listen", "ws:127.0.0.1:0", "--transport.handshake", "1500"],
  (target) =>
    target.endures("half-open handshakes", async () => {
      const tls = target.server.addressOf("tls");
      const ws = target.server.addressOf("ws");
      // The start of a ClientHello that has 512 bytes.
      const hello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
      const half = async (connection: RawConnection, index: number) => {
        if (index % 2 === 0) await connection.write(hello);
        await connection.rest();
      };
      await Promise.all([
        crowd(400, () => RawConnection.open(tls), half),
        crowd(100, () => RawConnection.open(ws), async (connection) => {
          await connection.write("GET / HTTP/1.1\r\nHost: x\r\n");
          await connection.rest();
        }),
      ]);
      await target.counted({ handshakesFailed: 500 });
    }),
);

test(
  "garbage ends the connection it comes by, and no other",
  [...TLS, "--listen", "ws:127.0.0.1:0", "--transport.handshake", "2000", "--transport.wholeMessage", "2000"],
  (target) =>
    target.endures("garbage", async () => {
      const [tls, ws] = ["tls", "ws"].map((protocol) => target.server.addressOf(protocol));
      const bytes = garbage(100_000);
      const pour = async (connection: RawConnection) => {
        const ended = connection.rest();
        // It may be over before all is written.
        await connection.write(bytes).catch(() => {});
        await ended;
      };
      const ca = authority();
      await crowd(100, () => RawConnection.open(target.tcp), pour);
      await crowd(100, () => RawConnection.open(tls), pour);
      await crowd(100, () => RawConnection.secure(tls, ca), pour);
      await crowd(100, () => RawConnection.open(ws), pour);
      await crowd(100, () => RawConnection.upgraded(ws), pour);
      await target.counted({ connectionsBroken: 300, handshakesFailed: 200 });
    }),
);

test(
  "a message that says it has a gigabyte is refused before it comes",
  [],
  (target) =>
    target.endures("a gigabyte announced", async () => {
      await crowd(100, () => RawConnection.open(target.tcp), async (connection, index) => {
        const text = streamRequest("OPTIONS", { sentBy: connection.name, id: `big${index}` });
        await connection.write(text.replace("Content-Length: 0", "Content-Length: 1000000000"));
        assertMatch(await connection.rest(), /^SIP\/2.0 513 /);
      });
      await target.counted({ connectionsBroken: 100 });
    }),
);

test(
  "ten thousand requests in one write are all answered, in their order",
  [],
  (target) =>
    target.endures("ten thousand at once", async () => {
      using peer = await RawConnection.open(target.tcp);
      const request = (_: unknown, i: number) =>
        streamRequest("OPTIONS", { sentBy: peer.name, id: `at-once-${i}` });
      const written = peer.write(Array.from({ length: 10_000 }, request).join(""));
      for (let i = 0; i < 10_000; i++) {
        const answer = await peer.message();
        assert(
          answer.startsWith("SIP/2.0 200 ") && answer.includes(`\r\nCall-ID: at-once-${i}\r\n`),
          `answer ${i}: ${answer}`,
        );
      }
      await written;
    }),
);

for (const moment of ["before the call", "while it rings"]) {
  test(
    `a caller hears within a second that the phone's connection was reset ${moment}`,
    [],
    async (target) => {
      using callee = await RawConnection.open(target.tcp);
      const contact = `sip:bob@${callee.name};transport=tcp`;
      await callee.write(streamRegister("bob", contact, { sentBy: callee.name, id: "register" }));
      // What is left unread makes its end a reset.
      assertEquals(await callee.part(12), "SIP/2.0 200 ");
      if (moment === "before the call") callee.close();

      using caller = await RawConnection.open(target.tcp);
      const start = performance.now();
      await caller.write(
        streamRequest("INVITE", {
          sentBy: caller.name,
          id: "call",
          uri: "sip:bob@example.com",
          rows: `Contact: <sip:alice@${caller.name};transport=tcp>\r\n`,
        }),
      );
      let answer = await caller.message();
      if (answer.startsWith("SIP/2.0 100 ")) {
        callee.close();
        answer = await caller.message();
      }
      assertMatch(answer, /^SIP\/2.0 480 /);
      const took = performance.now() - start;
      assert(took < 1_000, `it took ${took} ms`);
    },
  );
}
