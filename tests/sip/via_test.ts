import { MalformedError } from "../../src/sip/errors.ts";
import { parseVia, type Via } from "../../src/sip/via.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

/** Transport, host and port. */
type Hop = readonly [transport: string, host: string, port: number | undefined];

function hopOf({ transport, host, port }: Via): Hop {
  return [transport, host, port];
}

Deno.test("a Via tells the transport and the sent-by", () => {
  const table: [string, Hop][] = [
    ["SIP/2.0/UDP pc33.atlanta.com", ["UDP", "pc33.atlanta.com", undefined]],
    ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx", ["UDP", "192.0.2.1", 5060]],
    ["SIP/2.0/TCP Host.Example.COM;x", ["TCP", "host.example.com", undefined]],
    ["SIP/2.0/tls host:5061", ["TLS", "host", 5061]],
    ["sip/2.0/udp host", ["UDP", "host", undefined]],
    ["SIP/2.0/WSS df7jal23ls0d.invalid", ["WSS", "df7jal23ls0d.invalid", undefined]],
    ["SIP/2.0/UNKNOWN t4.example.com", ["UNKNOWN", "t4.example.com", undefined]],
    ["SIP/7.0/UDP c.example.com", ["UDP", "c.example.com", undefined]],
    ["SIP  /   2.0\r\n /UDP\r\n    192.0.2.2", ["UDP", "192.0.2.2", undefined]],
    ["SIP/2.0/UDP host : 5060 ;x", ["UDP", "host", 5060]],
    ["SIP/2.0/UDP\thost", ["UDP", "host", undefined]],
    ["SIP/2.0/UDP    host", ["UDP", "host", undefined]],
    [" SIP/2.0/UDP host", ["UDP", "host", undefined]],
    ["SIP/2.0/UDP [2001:DB8::9:1]", ["UDP", "2001:db8::9:1", undefined]],
    ["SIP/2.0/UDP [2001:db8:0::1]:5070;x", ["UDP", "2001:db8::1", 5070]],
    ["SIP/2.0/UDP [::ffff:192.0.2.10]:19823", ["UDP", "192.0.2.10", 19_823]],
  ];
  for (const [text, hop] of table) assertEquals(hopOf(parseVia(text)), hop, text);
});

Deno.test("a Via tells the parameters that routing needs", () => {
  const via = parseVia(
    "SIP/2.0/UDP h;Branch=z9hG4bKa.B;rport=5070;RECEIVED=192.0.2.9;maddr=Host.Example;ttl=1;x",
  );
  assertEquals(via.branch, "z9hG4bKa.B");
  assertEquals(via.rport, "5070");
  assertEquals(via.received, "192.0.2.9");
  assertEquals(via.maddr, "host.example");
  assertEquals(via.params.get("ttl"), "1");
  assertEquals(via.params.toString().startsWith(";Branch="), true);
});

Deno.test("a Via without parameters has none", () => {
  const via = parseVia("SIP/2.0/UDP h");
  assertEquals([via.branch, via.rport, via.received, via.maddr], [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(via.rportEnd, -1);
  assertEquals(via.params.list, []);
});

Deno.test("a received address may stand in brackets or without", () => {
  assertEquals(parseVia("SIP/2.0/UDP [::2];received=[2001:db8::9:255]").received, "[2001:db8::9:255]");
  assertEquals(parseVia("SIP/2.0/UDP [::2];received=2001:db8::9:255").received, "2001:db8::9:255");
});

Deno.test("an rport that asks for its value is told from one that has it", () => {
  const table: [string, string | undefined, number][] = [
    [";rport", "", 19],
    [";rport;branch=x", "", 19],
    [";rport=5060", "5060", -1],
    [";rport=", "", -1],
    [";rport;rport", "", -1],
    [";report", undefined, -1],
  ];
  for (const [params, rport, end] of table) {
    const via = parseVia(`SIP/2.0/UDP h${params}`);
    assertEquals([via.rport, via.rportEnd], [rport, end], params);
  }
});

Deno.test("only a branch of this RFC identifies its transaction", () => {
  const table: [string, boolean][] = [
    [";branch=z9hG4bK1", true],
    [";branch=z9hG4bK", false],
    [";branch=Z9HG4BK1", false],
    [";branch=1", false],
    [";branch=", false],
    [";branch", false],
    ["", false],
  ];
  for (const [params, has] of table) assertEquals(parseVia(`SIP/2.0/UDP h${params}`).hasCookie, has, params);
});

Deno.test("a Via ends at its comma", () => {
  const text = "SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/TCP b";
  const via = parseVia(text);
  assertEquals(via.host, "a");
  assertEquals(text.slice(via.paramsStart, via.end), ";branch=z9hG4bK1 ");
  assertEquals(via.params.toString(), ";branch=z9hG4bK1");
  const bare = parseVia("SIP/2.0/UDP a,SIP/2.0/TCP b");
  assertEquals([bare.paramsStart, bare.end], [13, 13]);
});

Deno.test("what is no Via is malformed", () => {
  const table = [
    ...["", " ", "SIP", "SIP/2.0", "SIP/2.0/", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDPhost", "UDP host"],
    ...[
      "/2.0/UDP host",
      "SIP//UDP host",
      "SIP/2.0/ host",
      "SIP 2.0 UDP host",
      "SIP/2x0/UDP",
      "SIP/2,0/UDP host",
    ],
    ...[
      "SIP/2.0/UDP ;branch=x",
      "SIP/2.0/UDP ,",
      "SIP/2.0/UDP :5060",
      "SIP/2.0/UDP host:",
      "SIP/2.0/UDP host:0",
    ],
    ...["SIP/2.0/UDP host:65536", "SIP/2.0/UDP host:a", "SIP/2.0/UDP host:-1", "SIP/2.0/UDP host x"],
    ...[
      "SIP/2.0/UDP [::1",
      "SIP/2.0/UDP []",
      "SIP/2.0/UDP [192.0.2.1]",
      "SIP/2.0/UDP [x]",
      "SIP/2.0/UDP ::1",
    ],
    ...["SIP/2.0/UDP h;", "SIP/2.0/UDP h;;", "SIP/2.0/UDP h;=x", 'SIP/2.0/UDP h;x="', "SIP/2.0/UDP h;x=a b"],
    ...["SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/2.0/UDP h\u00e9"],
  ];
  for (const text of table) assertThrows(() => parseVia(text), MalformedError, "Via");
});

Deno.test("parameters that a server writes anew may stand twice", () => {
  const via = parseVia("SIP/2.0/UDP h;received=192.0.2.1;received=192.0.2.2;rport=1;rport=2");
  assertEquals([via.received !== undefined, via.rport !== undefined], [true, true]);
});
