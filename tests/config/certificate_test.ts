import { assertEquals, assertThrows } from "../support/assert.ts";
import {
  type CertificateFiles,
  ConfigError,
  configSchema,
  configText,
  parseConfig,
} from "../../src/config/mod.ts";

function certificatesOf(...written: unknown[]): readonly CertificateFiles[] {
  const text = `tls:\n  certificates: ${JSON.stringify(written)}\n`;
  const config = parseConfig({ name: "test.yaml", text }, [], () => undefined);
  const again = parseConfig({ name: "again", text: configText(config) }, [], () => undefined);
  assertEquals(again, config);
  return config.tls.certificates;
}

function faultsOf(text: string): string[] {
  const parse = () => parseConfig({ name: "test.yaml", text }, [], () => undefined);
  return assertThrows(parse, ConfigError).message.split("\n");
}

Deno.test("a certificate may be written as a line or as a mapping, with its chain or without", () => {
  const two = { certificate: "a.pem", key: "a-key.pem" };
  const three = { ...two, chain: "chain.pem" };
  const written = ["a.pem,a-key.pem", " a.pem , a-key.pem ", two, "a.pem,a-key.pem,chain.pem", three];
  assertEquals(certificatesOf(...written), [two, two, two, three, three]);
});

Deno.test("a file may have a comma in its name where it is written as a mapping", () => {
  const odd = { certificate: "a,b.pem", key: " key.pem" };
  assertEquals(certificatesOf(odd), [odd]);
});

Deno.test("what is no certificate and key is told so", () => {
  for (
    const written of ['"a.pem"', '"a.pem,"', '", a.pem"', '"a.pem, ,c"', '"a,b,c,d"', "7", "{certificate: a}"]
  ) {
    assertEquals(faultsOf(`tls:\n  certificates:\n    - ${written}\n`), [
      'test.yaml:3: tls.certificates.0: must be written like "certificate.pem,key.pem"',
    ], written);
  }
});

Deno.test("a listener for TLS or secure WebSocket without any certificate is told by its line", () => {
  const listen = "listen:\n  - udp:127.0.0.1\n  - tls:127.0.0.1\n  - ws:127.0.0.1\n  - wss:127.0.0.1\n";
  const faults = [
    "test.yaml:3: listen.1: tls needs tls.certificates",
    "test.yaml:5: listen.3: wss needs tls.certificates",
  ];
  assertEquals(faultsOf(listen), faults);
  assertEquals(faultsOf(`${listen}tls:\n  certificates: []\n`), faults);
});

Deno.test("listeners without TLS need no certificate", () => {
  const text = "listen: [udp:127.0.0.1, tcp:127.0.0.1, ws:127.0.0.1]\n";
  const { listen, tls } = parseConfig({ name: "test.yaml", text }, [], () => undefined);
  assertEquals([listen.length, tls.certificates.length], [3, 0]);
});

Deno.test("certificates of clients are only asked for where there is an authority to check them against", () => {
  const faultsOf = (tls: Record<string, string>) =>
    configSchema.safeParse({ tls }).error?.issues.map(({ path }) => path.join(".")) ?? [];
  assertEquals(faultsOf({ clientCertificates: "require" }), ["tls.clientCertificates"]);
  assertEquals(faultsOf({ clientCertificates: "request", ca: "ca.pem" }), []);
});
