import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../support/assert.ts";
import { requestText } from "../support/messages.ts";
import { exchange, turn, WsHost, type WsHostOptions, WsPeer } from "./ws_host.ts";

/** An upgrade with these fields instead of the usual ones; undefined leaves one out. */
function upgrade(fields: Record<string, string | undefined> = {}, path = "/"): string {
  const all = {
    Host: "a",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "sip",
    ...fields,
  };
  const rows = Object.entries(all).filter(([, value]) => value !== undefined);
  return `GET ${path} HTTP/1.1\r\n${rows.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

const NO_SIP = 'This port speaks SIP over WebSocket: offer the subprotocol "sip" (RFC 7118).\n';

for (
  const [sentence, request, status, body, options] of [
    ["no subprotocol", upgrade({ "Sec-WebSocket-Protocol": undefined }), 400, NO_SIP],
    ["another subprotocol", upgrade({ "Sec-WebSocket-Protocol": "chat, sips" }), 400, NO_SIP],
    ["another path", upgrade({}, "/chat"), 404, "There is no WebSocket at this path.\n"],
    ["a longer path", upgrade({}, "/sip/more"), 404, undefined, { path: "/sip" }],
    [
      "a page from elsewhere",
      upgrade({ Origin: "https://evil.example" }),
      403,
      "Pages of this origin may not connect.\n",
      { origins: ["https://example.com"] },
    ],
    ["no key", upgrade({ "Sec-WebSocket-Key": undefined }), 400, undefined],
    ["a version from before", upgrade({ "Sec-WebSocket-Version": "7" }), 426, undefined],
    ["SIP without WebSocket", requestText("OPTIONS"), 400, undefined],
    ["garbage", "\x00\x01\x02\r\n\r\n", 400, undefined],
    ["a head without end", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`, 400, undefined],
  ] as readonly [string, string, number, string?, WsHostOptions?][]
) {
  Deno.test(`ws handshake: ${sentence} is answered ${status}, and nothing stays open`, async () => {
    await using host = new WsHost(options);
    const answer = await exchange(host.local, request);
    assertEquals(answer.split(" ")[1], String(status));
    if (body !== undefined) assertEquals(answer.split("\r\n\r\n")[1], body);
    await host.counted("handshakesFailed", 1);
    assertEquals(host.limits.total, 0);
  });
}

for (
  const [sentence, request] of [
    ["a page", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "a page that is said to be kept alive",
      "GET /any HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    ],
    ["a form without end", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nabc"],
    ["another upgrade", upgrade({ Upgrade: "h2c" })],
    ["two pages at once", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)],
  ]
) {
  Deno.test(`ws handshake: ${sentence} is answered 426, and nothing stays open`, async () => {
    await using host = new WsHost();
    const [head, body] = (await exchange(host.local, request)).split("\r\n\r\n");
    assertMatch(head, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assertStringIncludes(head, "\r\nUpgrade: websocket\r\n");
    assertStringIncludes(head, `\r\nContent-Length: ${body.length}`);
    assertStringIncludes(body, "This port speaks SIP over WebSocket (RFC 7118)");
    while (host.limits.total > 0) await turn();
    assertEquals(host.metrics.snapshot(), {});
  });
}

Deno.test("ws handshake: to HEAD there is no page", async () => {
  await using host = new WsHost();
  const answer = await exchange(host.local, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertMatch(answer, /^HTTP\/1\.1 426 [^]*\r\n\r\n$/);
});

for (const offered of ["sip", "chat, sip", "chat,sip,msrp", "SIP"]) {
  Deno.test(`ws handshake: of "${offered}" SIP is taken, as it was spelled`, async () => {
    await using host = new WsHost();
    await using peer = await WsPeer.open(host.url, { protocols: offered.split(/, ?/) });
    assertEquals(peer.protocol.toLowerCase(), "sip");
  });
}

Deno.test("ws handshake: a query may follow the path", async () => {
  await using host = new WsHost({ path: "/sip" });
  await using _peer = await WsPeer.open(`${host.url}sip?token=1`);
});

Deno.test("ws handshake: pages of an allowed origin may connect, and those who are no browsers", async () => {
  await using host = new WsHost({ origins: ["https://Example.com"] });
  await using _page = await WsPeer.open(host.url, { origin: "https://example.com" });
  await using _phone = await WsPeer.open(host.url);
  await assertRejects(() => WsPeer.open(host.url, { origin: "null" }), Error, "HTTP 403");
});

Deno.test("ws handshake: who comes when there are too many is told 503, and counted", async () => {
  await using host = new WsHost({ bounds: { total: 2, perAddress: 2 } });
  await using one = await WsPeer.open(host.url);
  await using _other = await WsPeer.open(host.url);
  await assertRejects(() => WsPeer.open(host.url), Error, "HTTP 503");
  assertEquals([host.metrics.connectionsShed, host.metrics.handshakesFailed], [1, 0]);
  await one.close(1000);
  while (host.limits.total === 2) await turn();
  await using _again = await WsPeer.open(host.url);
});

Deno.test("ws handshake: of too many at once only some are told so", async () => {
  await using host = new WsHost({ bounds: { total: 1, perAddress: 1 } });
  await using _peer = await WsPeer.open(host.url);
  const sockets = await Promise.all(
    Array.from({ length: 80 }, () => Deno.connect({ hostname: "127.0.0.1", port: host.local.port })),
  );
  await host.counted("connectionsShed", 80);
  host.clock.advance(4_000);
  for (const socket of sockets) {
    await socket.read(new Uint8Array(1)).catch(() => {});
    socket.close();
  }
  assertEquals([host.metrics.handshakesFailed, host.limits.total], [0, 1]);
});

for (
  const [sentence, bytes] of [
    ["sends nothing", ""],
    ["never ends its request", "GET / HTTP/1.1\r\nHost: a\r\n"],
    ["never ends its upgrade", upgrade().slice(0, -2)],
  ]
) {
  Deno.test(`ws handshake: who ${sentence} is cut off at the deadline, and counted`, async () => {
    await using host = new WsHost();
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
    await socket.write(new TextEncoder().encode(bytes));
    while (host.limits.total === 0) await turn();
    host.clock.advance(3_990);
    await turn();
    assertEquals(host.limits.total, 1);
    host.clock.advance(10);
    assertEquals(await socket.read(new Uint8Array(1)).catch(() => null), null);
    await host.counted("handshakesFailed", 1);
    assertEquals(host.limits.total, 0);
  });
}

Deno.test("ws handshake: who has upgraded is not cut off at that deadline", async () => {
  await using host = new WsHost();
  await using peer = await WsPeer.open(host.url);
  host.clock.advance(4_000);
  peer.send(requestText("OPTIONS"));
  await host.receive();
});

Deno.test("ws handshake: who answers are ignored by is cut off at the deadline as well", async () => {
  await using host = new WsHost();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
  await socket.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await socket.read(new Uint8Array(4_096));
  host.clock.advance(4_000);
  while (host.limits.total > 0) await turn();
});

Deno.test("ws handshake: a message sent along with the upgrade is not lost", async () => {
  await using host = new WsHost();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: host.local.port });
  const text = requestText("OPTIONS");
  const frame = new Uint8Array(8 + text.length);
  // A masked text frame with a mask of zeros.
  frame.set([0x81, 0x80 | 126, text.length >> 8, text.length & 0xff, 0, 0, 0, 0]);
  new TextEncoder().encodeInto(text, frame.subarray(8));
  const head = new TextEncoder().encode(upgrade());
  const bytes = new Uint8Array(head.length + frame.length);
  bytes.set(head);
  bytes.set(frame, head.length);
  await socket.write(bytes);
  assertEquals((await host.receive()).text, text);
});
