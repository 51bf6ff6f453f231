import { assertEquals, assertThrows } from "../support/assert.ts";
import { type Config, ConfigError, configText, type FlagValue, parseConfig } from "../../src/config/mod.ts";

function load(text: string, flags: readonly FlagValue[] = [], env: Record<string, string> = {}): Config {
  return parseConfig({ name: "test.yaml", text }, flags, (name) => env[name]);
}

function faultsOf(
  text: string,
  flags: readonly FlagValue[] = [],
  env: Record<string, string> = {},
): string[] {
  return assertThrows(() => load(text, flags, env), ConfigError).message.split("\n");
}

Deno.test("an empty file means the defaults", () => {
  const config = load("");
  assertEquals(config.mode, "combined");
  assertEquals(config.domains, ["example.com"]);
  assertEquals(config.listen, [{ protocol: "udp", address: "127.0.0.1", port: 5060 }]);
  assertEquals(load("# nothing but a comment\n"), config);
});

Deno.test("a listener is a protocol, an address of either family and perhaps a port", () => {
  const { listen } = load('listen: ["udp:0.0.0.0", "udp:[2001:DB8:0::1]:5070", "udp:[::]:0"]');
  assertEquals(listen, [
    { protocol: "udp", address: "0.0.0.0", port: 5060 },
    { protocol: "udp", address: "2001:db8::1", port: 5070 },
    { protocol: "udp", address: "::", port: 0 },
  ]);
});

const BAD_LISTENERS = [
  "upd:127.0.0.1:5060",
  "udp:localhost:5060",
  "udp:127.0.0.1:66000",
  "udp:::1:5060",
  "127.0.0.1",
];

for (const text of BAD_LISTENERS) {
  Deno.test(`${text} is no listener`, () => {
    assertEquals(faultsOf(`listen: ["${text}"]`).length, 1);
  });
}

Deno.test("every fault is told, by key and line, in the order of the file", () => {
  const text = "domain: x\nlog:\n  level: loud\n  colour: red\nlimits:\n  targets: 0\n";
  assertEquals(faultsOf(text), [
    "test.yaml:1: domain: there is no such key; did you mean domains?",
    'test.yaml:3: log.level: Invalid option: expected one of "debug"|"info"|"warning"|"error"',
    "test.yaml:4: log.colour: there is no such key",
    "test.yaml:6: limits.targets: Too small: expected number to be >=1",
  ]);
});

Deno.test("settings that contradict each other are told with the others", () => {
  assertEquals(faultsOf("registrar:\n  minExpires: 100\n  maxExpires: 90\nmood: good\n"), [
    "test.yaml:2: registrar.minExpires: is more than maxExpires (90)",
    "test.yaml:4: mood: there is no such key; did you mean mode?",
  ]);
});

Deno.test("what is not YAML is told with its line", () => {
  const [fault] = faultsOf("mode: combined\ndomains: [a\nlisten: 1\n");
  assertEquals(fault.startsWith("test.yaml:"), true);
  assertEquals(fault.includes("not YAML"), true);
  assertEquals(faultsOf("- a list\n"), ["test.yaml:1: must be keys and values"]);
});

Deno.test("flags win over the file and are read by the type of their key", () => {
  const flags = [
    { key: "registrar.minExpires", values: ["30"] },
    { key: "proxy.recordRoute", values: ["false"] },
    { key: "domains", values: ["a.example", "b.example"] },
    { key: "log.level", values: ["debug", "error"] },
  ];
  const config = load("registrar:\n  minExpires: 90\ndomains: [c.example]\n", flags);
  assertEquals(config.registrar.minExpires, 30);
  assertEquals(config.proxy.recordRoute, false);
  assertEquals(config.domains, ["a.example", "b.example"]);
  assertEquals(config.log.level, "error");
});

Deno.test("a fault of a flag has no line", () => {
  assertEquals(faultsOf("timers:\n  t1: 500\n", [{ key: "timers.t1", values: ["soon"] }]), [
    "test.yaml: timers.t1: expected number, received string",
  ]);
});

Deno.test("the environment stands in for ${NAME}, and a name that is not in it is a fault", () => {
  assertEquals(load("serverHeader: ${WHO}/1\n", [], { WHO: "me" }).serverHeader, "me/1");
  assertEquals(faultsOf("mode: combined\nserverHeader: ${WHO}\n"), [
    "test.yaml:2: serverHeader: the environment variable WHO is not set",
  ]);
});

Deno.test("what the settings amount to is a file with the same meaning", () => {
  const config = load('listen: ["udp:[::1]:5070"]\nproxy:\n  relayForeign: true\n');
  assertEquals(load(configText(config)), config);
});
