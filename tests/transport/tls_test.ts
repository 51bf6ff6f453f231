import { X509Certificate } from "node:crypto";
import { latin1Bytes } from "../../src/lib/latin1.ts";
import { FlowError } from "../../src/transport/flow.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../support/assert.ts";
import {
  authority,
  type CertificateName,
  filesOf,
  keyPath,
  pairOf,
  pemPath,
} from "../support/certificates.ts";
import { requestText } from "../support/messages.ts";
import { hasIpv6, inTime } from "../support/sockets.ts";
import { TlsHost, type TlsHostOptions, TlsPeer } from "./tls_host.ts";

for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
  const test = (sentence: string, body: () => Promise<void>) =>
    Deno.test(`tls at ${address}: ${sentence}`, body);

  test("a message arrives as it was sent, and is answered on its connection", async () => {
    await using host = await TlsHost.open({ address });
    await using peer = await TlsPeer.open(host, { servername: "example.com" });
    const text = requestText("MESSAGE", { body: "gr\xfc\xdfe" });
    peer.send(text);
    const { text: arrived, flow } = await host.receive();
    assertEquals(arrived, text);
    assertEquals([flow.protocol, flow.remote.address, flow.isAccepted], ["tls", address, true]);
    assertEquals(flow.remote.port, peer.socket.localPort);
    assert(flow.send("answer \xe9"));
    await peer.receive("answer \xe9");
    assertEquals(host.metrics.connectionsOpened, 1);
  });

  test("we connect to a listener, and find that connection again for the same name only", async () => {
    await using host = await TlsHost.open({ address });
    await using other = await TlsHost.open({ address, shows: ["loopback"] });
    const flow = await other.dial(host, "Example.com");
    assertEquals([flow.isAccepted, flow.verifiedNames], [false, ["example.com"]]);
    flow.send(requestText("OPTIONS"));
    const arrived = await host.receive();
    arrived.flow.send(requestText("INFO"));
    assertEquals((await other.receive()).text, requestText("INFO"));
    assert(await other.dial(host, "example.com") === flow);
    assertEquals(other.transport.find(host.local), undefined);
    assertEquals(host.transport.find({ ...arrived.flow.remote, host: "localhost" }), undefined);
  });

  test("one without a name must have a certificate for its address", async () => {
    await using host = await TlsHost.open({ address, shows: ["loopback"] });
    const flow = await host.dial(host);
    assert(!flow.isGone);
    await using other = await TlsHost.open({ address });
    const error = await assertRejects(() => host.dial(other), FlowError);
    assertStringIncludes(error.message, `its certificate is for example.com, not for ${address}`);
  });

  test("messages of 60,000 bytes and keep-alives go both ways, amid short ones", async () => {
    await using host = await TlsHost.open({ address });
    await using peer = await TlsPeer.open(host);
    const long = requestText("MESSAGE", { body: "\xe9".repeat(60_000) });
    peer.send(`${long}\r\n\r\n${requestText("INFO")}\r\n\r\n${long}`);
    const { text, flow } = await host.receive();
    assertEquals(text, long);
    assertEquals((await host.receive()).text, requestText("INFO"));
    assertEquals((await host.receive()).text, long);
    for (const sent of ["short", long, long, "short again"]) flow.send(sent);
    await peer.receive(`\r\n\r\nshort${long}${long}short again`);
  });
}

Deno.test("tls: the certificate is chosen by the name asked for, and the first is for all others", async () => {
  await using host = await TlsHost.open({ shows: ["example", "second", "wildcard"] });
  for (
    const [servername, shown] of [
      ["example.com", "example"],
      ["SECOND.example.net", "second"],
      ["any.example.com", "wildcard"],
      ["a.b.example.com", "example"],
      ["nobody.example.org", "example"],
      [undefined, "example"],
    ] as const
  ) {
    await using peer = await TlsPeer.open(host, { servername });
    assertEquals(peer.shown, serialOf(shown), servername);
  }
});

for (const [floor, version, isTaken] of [["1.2", "TLSv1.2", true], ["1.3", "TLSv1.2", false]] as const) {
  Deno.test(`tls: with a floor of ${floor}, ${version} is ${isTaken ? "taken" : "refused"}`, async () => {
    await using host = await TlsHost.open({ minVersion: floor });
    const open = () => TlsPeer.open(host, { minVersion: version, maxVersion: version });
    if (isTaken) {
      await using peer = await open();
      assertEquals(peer.socket.getProtocol(), version);
    } else {
      await assertRejects(open);
      await host.until(() => host.metrics.handshakesFailed === 1);
    }
    await using newer = await TlsPeer.open(host);
    assertEquals(newer.socket.getProtocol(), "TLSv1.3");
  });
}

Deno.test("tls: older versions than 1.2 are refused", { ignore: !hasOpenssl() }, async () => {
  await using host = await TlsHost.open();
  const output = await openssl(host, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
  assertStringIncludes(output, "New, (NONE), Cipher is (NONE)");
  await host.until(() => host.metrics.handshakesFailed === 1);
});

Deno.test("tls: a reload changes what new handshakes show, and open connections stay", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const put = (name: CertificateName) => {
      Deno.copyFileSync(pemPath(name), `${folder}/own.pem`);
      Deno.copyFileSync(keyPath(name), `${folder}/own-key.pem`);
    };
    put("example");
    const certificates = [{ certificate: `${folder}/own.pem`, key: `${folder}/own-key.pem` }];
    await using host = await TlsHost.open({ certificates });
    const peers = await Promise.all(Array.from({ length: 50 }, () => TlsPeer.open(host)));
    put("renewed");
    await host.identity.reload();
    for (const servername of ["example.com", undefined]) {
      await using peer = await TlsPeer.open(host, { servername });
      assertEquals(peer.shown, serialOf("renewed"));
    }
    Deno.copyFileSync(keyPath("second"), `${folder}/own-key.pem`);
    await assertRejects(() => host.identity.reload(), FlowError, "is not the key of");
    await using peer = await TlsPeer.open(host);
    assertEquals(peer.shown, serialOf("renewed"));
    for (const [i, peer] of peers.entries()) {
      peer.send(requestText("OPTIONS", { callId: `call-${i}` }));
      const { text, flow } = await host.receive();
      assertStringIncludes(text, `: call-${i}\r\n`);
      flow.send("answer");
      await peer.receive("answer");
      await peer[Symbol.asyncDispose]();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [shows, name, fault] of [
    ["example", "example.com", undefined],
    ["example", "EXAMPLE.com", undefined],
    ["uri", "pbx.example.com", undefined],
    ["common-name", "legacy.example.com", undefined],
    ["chained-full", "chained.example.com", undefined],
    ["loopback", "127.0.0.1", undefined],
    ["example", "sip.example.com", "its certificate is for example.com, not for sip.example.com"],
    ["wildcard", "sip.example.com", "its certificate is for *.example.com, not for sip.example.com"],
    ["uri", "unrelated.example.com", "its certificate is for pbx.example.com, not for unrelated.example.com"],
    ["uri", "user.example.com", "not for user.example.com"],
    ["stranger", "example.com", "signed by no authority we trust, or it has expired"],
    ["chained", "chained.example.com", "signed by no authority we trust, or it has expired"],
    ["expired", "example.com", "signed by no authority we trust, or it has expired"],
  ] as const
) {
  Deno.test(`tls: one who shows ${shows} is ${fault ? "not " : ""}taken for ${name}`, async () => {
    await using host = await TlsHost.open({ shows: [shows] });
    await using other = await TlsHost.open();
    if (fault === undefined) {
      const flow = await other.dial(host, name);
      flow.send(requestText("OPTIONS"));
      await host.receive();
    } else {
      // Not by what was said before, either.
      for (let i = 1; i <= 2; i++) {
        const error = await assertRejects(() => other.dial(host, name), FlowError);
        assertStringIncludes(error.message, `Cannot connect to tls:127.0.0.1:${host.local.port}: `);
        assertStringIncludes(error.message, fault);
        assertEquals([other.metrics.connectsFailed, other.limits.total], [i, 0]);
      }
    }
  });
}

Deno.test("tls: a client is asked for a certificate, and who it proves to be is known", async () => {
  await using host = await TlsHost.open({ clientCertificates: "request" });
  for (
    const [shows, names] of [
      ["client", ["client.example.com"]],
      ["uri", ["pbx.example.com"]],
      ["stranger", []],
      [undefined, []],
    ] as const
  ) {
    await using peer = await TlsPeer.open(host, shows === undefined ? {} : pairOf(shows));
    peer.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    assertEquals(flow.verifiedNames, names);
  }
});

Deno.test("tls: where a certificate is required, none and one of a stranger are refused", async () => {
  await using host = await TlsHost.open({ clientCertificates: "require", shows: ["example"] });
  await using peer = await TlsPeer.open(host, pairOf("client"));
  peer.send(requestText("OPTIONS"));
  assertEquals((await host.receive()).flow.verifiedNames, ["client.example.com"]);
  let failed = 0;
  for (const shows of [{}, pairOf("stranger"), pairOf("expired")]) {
    // Over TLS 1.3 a client is through before it is refused.
    const refused = await TlsPeer.open(host, shows).catch(() => undefined);
    await refused?.ended();
    failed++;
    await host.until(() => host.metrics.handshakesFailed === failed);
  }
  assertEquals([host.limits.total, host.metrics.connectionsOpened], [1, 1]);
  // We show ours to those who ask.
  await using other = await TlsHost.open();
  const flow = await other.dial(host, "example.com");
  flow.send(requestText("INFO"));
  assertEquals((await host.receive()).flow.verifiedNames, ["example.com"]);
});

for (const version of ["-tls1_2", "-tls1_3"]) {
  Deno.test(
    `tls: a session that is resumed proves no more than when it began (${version})`,
    { ignore: !hasOpenssl() },
    async () => {
      await using host = await TlsHost.open({ clientCertificates: "request" });
      for (const [shows, names] of [["stranger", []], ["client", ["client.example.com"]]] as const) {
        const session = await Deno.makeTempFile();
        try {
          const own = ["-cert", pemPath(shows), "-key", keyPath(shows), version, "-sess_out", session];
          for (const more of [[], ["-sess_in", session]]) {
            const done = openssl(host, [...own, ...more], requestText("OPTIONS"));
            const { flow } = await host.receive();
            assertEquals(flow.verifiedNames, names);
            flow.send("answer");
            flow.closeWhenWritten("stopping");
            assertStringIncludes(await done, more.length === 0 ? "\nNew, TLS" : "\nReused, TLS");
          }
        } finally {
          await Deno.remove(session);
        }
      }
    },
  );
}

Deno.test("tls: a handshake that does not go on is cut when its time is over, and counted", async () => {
  await using host = await TlsHost.open();
  const hello = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01);
  const conns = await Promise.all([new Uint8Array(), hello, hello].map(async (bytes) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
    await conn.write(bytes);
    return conn;
  }));
  await host.until(() => host.limits.total === 3);
  host.clock.advance(3_900);
  assertEquals([host.metrics.handshakesFailed, host.limits.total], [0, 3]);
  host.clock.advance(200);
  assertEquals([host.metrics.handshakesFailed, host.limits.total], [3, 0]);
  for (const conn of conns) await endOf(conn);
});

Deno.test("tls: what is no handshake at all ends the connection, and others go on", async () => {
  await using host = await TlsHost.open();
  await using peer = await TlsPeer.open(host);
  for (
    const [i, garbage] of [requestText("OPTIONS"), "\0".repeat(3_000), "\x16\x03\x01\xff\xff".repeat(9_000)]
      .entries()
  ) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
    await conn.write(Uint8Array.from(garbage, (char) => char.charCodeAt(0)));
    await host.until(() => host.metrics.handshakesFailed === i + 1);
    await endOf(conn);
  }
  peer.send(requestText("OPTIONS"));
  await host.receive();
  assertEquals([host.limits.total, host.errors.length], [1, 0]);
});

Deno.test("tls: one who goes away amid the handshake is counted, and forgotten", async () => {
  await using host = await TlsHost.open();
  for (let i = 1; i <= 3; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
    await conn.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
    await host.until(() => host.limits.total === 1);
    conn.close();
    await host.until(() => host.limits.total === 0);
    assertEquals(host.metrics.handshakesFailed, i);
  }
});

Deno.test("tls: connections count from when they are accepted, and too many are turned away", async () => {
  await using host = await TlsHost.open({ bounds: { total: 2, perAddress: 2 } });
  const half = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
  await host.until(() => host.limits.total === 1);
  await using peer = await TlsPeer.open(host);
  await assertRejects(() => TlsPeer.open(host));
  assertEquals(host.metrics.connectionsShed, 1);
  await assertRejects(() => host.dial(host), FlowError, "too many connections");
  half.close();
  await host.until(() => host.limits.total === 1);
  await using third = await TlsPeer.open(host);
  third.send(requestText("OPTIONS"));
  await host.receive();
  assert(!peer.socket.destroyed);
});

Deno.test("tls: the time for a first byte begins with the end of the handshake", async () => {
  await using host = await TlsHost.open();
  await using conn = new HalfOpen(host);
  await conn.connected;
  host.clock.advance(3_000);
  await using peer = await TlsPeer.open(host);
  await host.until(() => host.metrics.connectionsOpened === 1);
  host.clock.advance(9_900);
  assertEquals(host.metrics.connectionsSilent, 0);
  host.clock.advance(200);
  assertEquals(host.metrics.connectionsSilent, 1);
  await peer.ended();
});

Deno.test("tls: a peer that does not read is closed when too much waits for it, and tells nobody else", async () => {
  await using host = await TlsHost.open({ shows: ["loopback"], writeQueue: 200_000 });
  const lazy = await lazyPeer(host);
  await using peer = await TlsPeer.open(host);
  await lazy.write(latin1Bytes(requestText("OPTIONS")));
  const { flow } = await host.receive();
  let told = 0;
  flow.watch({ flowClosed: () => told++ });
  const text = "x".repeat(10_000);
  for (let i = 0; !flow.isGone && i < 10_000; i++) {
    flow.send(text);
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals([flow.isGone, told, host.metrics.connectionsFull], [true, 1, 1]);
  peer.send(requestText("OPTIONS"));
  (await host.receive()).flow.send("answer");
  await peer.receive("answer");
  lazy.close();
});

Deno.test("tls: a peer whose answers do not leave is not read on until they have", async () => {
  await using host = await TlsHost.open({ shows: ["loopback"], writeQueue: 64_000 });
  const peer = await lazyPeer(host);
  await peer.write(latin1Bytes(requestText("OPTIONS")));
  const { flow } = await host.receive();
  const answer = "y".repeat(3_000);
  // Until the system takes no more of them.
  for (let turns = 0; turns < 10; turns++) {
    if (flow.waiting < 40_000) turns = 0;
    while (flow.waiting < 40_000) assert(flow.send(answer));
    await new Promise((resolve) => setTimeout(resolve));
  }
  const text = latin1Bytes(requestText("MESSAGE", { body: "z".repeat(50_000) }));
  const sending = (async () => {
    for (let i = 0; i < 400; i++) {
      for (let at = 0; at < text.length;) at += await peer.write(text.subarray(at));
    }
  })();
  for (let last = -1; last !== host.metrics.requestsReceived;) {
    last = host.metrics.requestsReceived;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
  }
  assert(host.metrics.requestsReceived < 20, `${host.metrics.requestsReceived} were read`);
  const reading = endOf(peer);
  await sending;
  await host.until(() => host.metrics.requestsReceived === 401);
  flow.close("peer");
  await reading;
  assertEquals(host.errors, []);
});

Deno.test("tls: who watches is told once when the peer goes, with a goodbye or without", async () => {
  await using host = await TlsHost.open();
  for (const leave of ["end", "destroy"] as const) {
    await using peer = await TlsPeer.open(host);
    peer.send(requestText("OPTIONS"));
    const { flow } = await host.receive();
    let count = 0;
    const told = new Promise<void>((resolve) => flow.watch({ flowClosed: () => resolve(void count++) }));
    peer.socket[leave]();
    await inTime(told, "the end of the flow");
    await peer.ended();
    assertEquals([count, flow.isGone, flow.send("too late")], [1, true, false]);
  }
  await host.until(() => host.limits.total === 0);
});

Deno.test("tls: what was sent before closing still leaves, and the port is free", async () => {
  const host = await TlsHost.open();
  await using peer = await TlsPeer.open(host);
  const half = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
  peer.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  await host.until(() => host.limits.total === 2);
  for (let i = 0; i < 100; i++) flow.send(`message ${String(i).padStart(4)} ${"x".repeat(1_000)}`);
  await host[Symbol.asyncDispose]();
  for (let i = 0; i < 100; i++) await peer.receive(`message ${String(i).padStart(4)} ${"x".repeat(1_000)}`);
  assertEquals([await peer.ended(), host.metrics.handshakesFailed], [undefined, 0]);
  await endOf(half);
  Deno.listen({ hostname: "127.0.0.1", port: host.local.port }).close();
});

for (
  const [what, says, reason] of [["never answers", "", "it took too long"], [
    "speaks no TLS",
    "SIP/2.0 200 OK\r\n\r\n",
    "",
  ]]
) {
  Deno.test(`tls: a peer that ${what} is given up`, async () => {
    await using host = await TlsHost.open();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const { port } = listener.addr;
    const failed = assertRejects(
      async () => await host.transport.connect({ address: "127.0.0.1", port, host: "example.com" }),
      FlowError,
      `Cannot connect to tls:127.0.0.1:${port}: ${reason}`,
    );
    const conn = await accepted;
    if (says === "") host.clock.advance(3_100);
    else await conn.write(new TextEncoder().encode(says));
    await inTime(failed, "the failure");
    assertEquals([host.limits.total, host.metrics.connectsFailed], [0, 1]);
    await endOf(conn);
    listener.close();
  });
}

Deno.test("tls: nobody at the port is an error that says so", async () => {
  await using host = await TlsHost.open();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(
    async () => await host.transport.connect({ address: "127.0.0.1", port, host: "example.com" }),
    FlowError,
  );
  assertStringIncludes(error.message, "ECONNREFUSED");
});

Deno.test("tls: closing ends a connection that is being opened", async () => {
  const host = await TlsHost.open();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const accepted = listener.accept();
  const failed = assertRejects(
    async () => await host.transport.connect({ address: "127.0.0.1", port }),
    FlowError,
    "the listener is closed",
  );
  const conn = await accepted;
  await host[Symbol.asyncDispose]();
  await failed;
  await endOf(conn);
  listener.close();
});

Deno.test("tls: a listener without a certificate is an error", async () => {
  const options: TlsHostOptions = { certificates: [] };
  await assertRejects(() => TlsHost.open(options), FlowError, "There is no certificate");
});

/** A connection that never begins its handshake. */
class HalfOpen {
  readonly connected: Promise<Deno.TcpConn>;

  constructor({ local }: TlsHost) {
    this.connected = Deno.connect({ hostname: local.address, port: local.port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.connected).close();
  }
}

/** A client that reads nothing unless it is told to: the runtime's other one reads even when it is paused. */
async function lazyPeer({ local }: TlsHost): Promise<Deno.TlsConn> {
  const conn = await Deno.connectTls({ hostname: local.address, port: local.port, caCerts: [authority()] });
  await conn.handshake();
  return conn;
}

/** Reads until the other side ends it, and closes. */
async function endOf(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(4_096);
  const read = () => inTime(conn.read(bytes), "the end of the connection").catch(() => null);
  while (await read() !== null);
  conn.close();
}

function serialOf(name: CertificateName): string {
  return new X509Certificate(Deno.readTextFileSync(filesOf(name).certificate)).serialNumber;
}

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** What OpenSSL's client prints while it sends a text to the host, and until that ends the connection. */
async function openssl({ local }: TlsHost, args: string[], text = ""): Promise<string> {
  const client = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${local.port}`, "-servername", "example.com", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = client.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  const { stdout } = await inTime(client.output(), "OpenSSL");
  await writer.close().catch(() => {});
  return new TextDecoder().decode(stdout);
}
