import { assertEquals, assertThrows } from "../support/assert.ts";
import { ConfigError, configText, type Listener, parseConfig } from "../../src/config/mod.ts";

/** So that listeners for TLS are no fault. */
const TLS = 'tls: {certificates: ["a.pem,a-key.pem"]}\n';

function listenersIn(text: string): readonly Listener[] {
  return parseConfig({ name: "test.yaml", text: `${TLS}${text}` }, [], () => undefined).listen;
}

function listenerOf(written: unknown): Listener {
  return listenersIn(`listen: [${JSON.stringify(written)}]`)[0];
}

/** What a listener written so is refused with, without its place. */
function faultOf(written: unknown): string {
  const error = assertThrows(() => listenerOf(written), ConfigError);
  return error.message.replace(/^test\.yaml:2: listen\.0/, "");
}

const PORTS = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 } as const;

for (const [protocol, port] of Object.entries(PORTS)) {
  Deno.test(`a listener for ${protocol} without a port listens at ${port}`, () => {
    for (const written of [`${protocol}:127.0.0.1`, { protocol, address: "127.0.0.1" }]) {
      assertEquals<unknown>(listenerOf(written), { protocol, address: "127.0.0.1", port });
    }
  });
}

Deno.test("a listener may be written as a line or as a mapping", () => {
  const all = {
    protocol: "wss",
    address: "::1",
    port: 8443,
    advertise: "sip.example.com:443",
    name: "web-1",
  };
  const table: [written: unknown, listener: unknown][] = [
    ["wss:[::1]:8443 advertise sip.example.com:443 name web-1", all],
    ["wss:[0:0::1]:8443   advertise  SIP.Example.COM:443  name   web-1", all],
    [all, all],
    [{ ...all, address: "[0:0::1]", advertise: "SIP.Example.COM:443" }, all],
    ["tcp:0.0.0.0:0 name any", { protocol: "tcp", address: "0.0.0.0", port: 0, name: "any" }],
  ];
  for (const [written, listener] of table) assertEquals<unknown>(listenerOf(written), listener);
});

Deno.test("what it is known by has a port: its own if none is given", () => {
  const table = {
    "udp:10.0.0.1 advertise 203.0.113.7": "203.0.113.7:5060",
    "udp:10.0.0.1:5070 advertise 203.0.113.7": "203.0.113.7:5070",
    "udp:10.0.0.1:5070 advertise 203.0.113.7:5060": "203.0.113.7:5060",
    "udp:10.0.0.1:0 advertise 203.0.113.7:5060": "203.0.113.7:5060",
    "tls:10.0.0.1 advertise sip.example.com": "sip.example.com:5061",
    "tcp:[::1] advertise [2001:DB8:0::1]": "[2001:db8::1]:5060",
    "tcp:[::1] advertise [2001:db8::1]:7": "[2001:db8::1]:7",
  };
  for (const [written, advertise] of Object.entries(table)) {
    assertEquals(listenerOf(written).advertise, advertise);
  }
});

Deno.test("what is no listener is told with what is wrong with it", () => {
  const shape = ': must be written like "udp:127.0.0.1:5060" or "udp:[::1]:5060"';
  const table: [written: unknown, fault: string][] = [
    ["127.0.0.1", shape],
    [7, shape],
    [{ protocol: "tcp" }, shape],
    [{ protocol: "sctp", address: "::1" }, shape],
    [{ protocol: "tcp", address: "::1", colour: "red" }, ".colour: there is no such key"],
    ["sctp:127.0.0.1", ': unknown protocol: "sctp:127.0.0.1" (udp, tcp, tls, ws, wss)'],
    ["tcp:localhost", ': no address and port: "tcp:localhost"'],
    ["tcp:127.0.0.1:66000", ': no address and port: "tcp:127.0.0.1:66000"'],
    ["tcp:127.0.0.1 name", ': no address and port: "tcp:127.0.0.1 name"'],
    ["tcp:127.0.0.1 name a b", ': no address and port: "tcp:127.0.0.1 name a b"'],
    ["tcp:127.0.0.1 name x advertise y", ': no address and port: "tcp:127.0.0.1 name x advertise y"'],
    [{ protocol: "tcp", address: "x" }, ': no address and port: {"protocol":"tcp","address":"x"}'],
    ["tcp:127.0.0.1 advertise x:66000", ': no host and port to be known by: "x:66000"'],
    ["tcp:127.0.0.1 advertise x:0", ': no host and port to be known by: "x:0"'],
    ["tcp:127.0.0.1:0 advertise x", ': no host and port to be known by: "x"'],
    ["tcp:127.0.0.1 advertise [1:2]", ': no host and port to be known by: "[1:2]"'],
    [
      { protocol: "tcp", address: "::1", advertise: "a b" },
      '.advertise: must be a host, like "sip.example.com" or "203.0.113.7:5060"',
    ],
  ];
  for (const [written, fault] of table) assertEquals(faultOf(written), fault);
});

Deno.test("listeners in the file that says all settings are the same again", () => {
  const text = `listen:
  - udp:127.0.0.1
  - tcp:[::1]:5070 advertise [2001:db8::1]:5060 name inside
  - wss:0.0.0.0 advertise sip.example.com
  - {protocol: tls, address: "::", name: secure}
`;
  const config = parseConfig({ name: "a", text: TLS + text }, [], () => undefined);
  const again = parseConfig({ name: "b", text: configText(config) }, [], () => undefined);
  assertEquals(again, config);
  assertEquals(config.listen.length, 4);
});

Deno.test("a flag takes listeners as they are written in a line", () => {
  const values = ["tcp:127.0.0.1", "ws:[::1]:8080 name web"];
  const { listen } = parseConfig({ name: "flags", text: "" }, [{ key: "listen", values }], () => undefined);
  assertEquals(listen, [
    { protocol: "tcp", address: "127.0.0.1", port: 5060 },
    { protocol: "ws", address: "::1", port: 8080, name: "web" },
  ]);
});
