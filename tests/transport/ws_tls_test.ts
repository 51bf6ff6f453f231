import { FlowError } from "../../src/transport/flow.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { type CertificateName, keyPath, pemPath } from "../support/certificates.ts";
import { requestText } from "../support/messages.ts";
import { hasIpv6 } from "../support/sockets.ts";
import { exchange, turn, WsHost, WsPeer } from "./ws_host.ts";
import { CA, identity } from "./ws_identity.ts";

for (const address of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
  Deno.test(`wss at ${address}: a message arrives, and is answered on its connection`, async () => {
    await using host = new WsHost({ address, protocol: "wss", identity: await identity() });
    await using peer = await WsPeer.open(host.url, { ca: CA });
    peer.send(requestText("OPTIONS"));
    const { text, flow } = await host.receive();
    assertEquals(text, requestText("OPTIONS"));
    assertEquals([flow.protocol, flow.remote.address], ["wss", address]);
    for (let i = 0; i < 3; i++) flow.send(`answer ${i}`);
    for (let i = 0; i < 3; i++) assertEquals(await peer.receive(), { text: `answer ${i}`, isBinary: false });
  });
}

Deno.test("wss: a browser that speaks WebSocket by other means is understood", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  using client = Deno.createHttpClient({ caCerts: [CA] });
  const socket = new WebSocket(host.url, { protocols: ["sip"], client });
  await new Promise((resolve) => socket.onopen = resolve);
  socket.send(requestText("OPTIONS"));
  const { flow } = await host.receive();
  const answered = new Promise<MessageEvent>((resolve) => socket.onmessage = resolve);
  flow.send("answer");
  assertEquals((await answered).data, "answer");
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
});

Deno.test("wss: we connect to who proves to be the name that led there, and to nobody else", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity("example") });
  await using other = new WsHost({ protocol: "wss", identity: await identity() });
  const flow = await other.transport.connect({ ...host.local, host: "example.com" });
  flow.send(requestText("OPTIONS"));
  assertEquals((await host.receive()).text, requestText("OPTIONS"));
  for (const name of ["example.org", undefined]) {
    await assertRejects(
      async () => await other.transport.connect({ ...host.local, host: name }),
      FlowError,
      "its certificate is for example.com, not for ",
    );
  }
  assertEquals(other.metrics.connectsFailed, 2);
});

Deno.test("wss: we do not connect to one whose authority we do not know", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  const stranger = await identity("loopback", { ca: pemPath("stranger-ca") });
  await using other = new WsHost({ protocol: "wss", identity: stranger });
  await assertRejects(async () => await other.transport.connect(host.local), FlowError);
  await host.counted("handshakesFailed", 1);
});

Deno.test("wss: what is not TLS ends its connection, and is counted", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  await exchange(host.local, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await host.counted("handshakesFailed", 1);
  assertEquals(host.limits.total, 0);
});

for (const bytes of [[], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]]) {
  Deno.test(`wss: a TLS handshake that stops after ${bytes.length} bytes is cut off at the deadline`, async () => {
    await using host = new WsHost({ protocol: "wss", identity: await identity() });
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
    await socket.write(Uint8Array.from(bytes));
    while (host.limits.total === 0) await turn();
    host.clock.advance(4_000);
    assertEquals(await socket.read(new Uint8Array(1)).catch(() => null), null);
    await host.counted("handshakesFailed", 1);
    assertEquals(host.limits.total, 0);
  });
}

Deno.test("wss: who is through with TLS and asks for nothing is cut off at the deadline", async () => {
  await using host = new WsHost({ protocol: "wss", identity: await identity() });
  using socket = await Deno.connectTls({ hostname: "127.0.0.1", port: host.local.port, caCerts: [CA] });
  await socket.handshake();
  host.clock.advance(4_000);
  assertEquals(await socket.read(new Uint8Array(1)).catch(() => null), null);
  await host.counted("handshakesFailed", 1);
});

Deno.test("wss: pages get their page, and too many are told so", async () => {
  const options = {
    protocol: "wss",
    identity: await identity(),
    bounds: { total: 1, perAddress: 1 },
  } as const;
  await using host = new WsHost(options);
  using client = Deno.createHttpClient({ caCerts: [CA], poolMaxIdlePerHost: 0 });
  const page = await fetch(host.url.replace("wss", "https"), { client });
  assertEquals(page.status, 426);
  assert((await page.text()).includes("This port speaks SIP over WebSocket"));
  while (host.limits.total > 0) await turn();
  await using _peer = await WsPeer.open(host.url, { ca: CA });
  await assertRejects(() => WsPeer.open(host.url, { ca: CA }), Error, "HTTP 503");
});

Deno.test("wss: a new certificate is shown to who comes next, and nobody is cut off", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const use = async (name: CertificateName) => {
      await Deno.copyFile(pemPath(name), `${folder}/certificate.pem`);
      await Deno.copyFile(keyPath(name), `${folder}/key.pem`);
    };
    await use("loopback");
    const own = await identity("loopback", {
      certificates: [{ certificate: `${folder}/certificate.pem`, key: `${folder}/key.pem` }],
    });
    await using host = new WsHost({ protocol: "wss", identity: own });
    await using peer = await WsPeer.open(host.url, { ca: CA });
    await use("example");
    await own.reload();
    await assertRejects(() => WsPeer.open(host.url, { ca: CA }));
    await using _next = await WsPeer.open(host.url, { ca: CA, servername: "example.com" });
    peer.send(requestText("OPTIONS"));
    await host.receive();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("wss: there is no listener without a certificate", () => {
  assertThrows(() => new WsHost({ protocol: "wss" }), FlowError, "without a certificate");
});
