import { X509Certificate } from "node:crypto";
import { certificateNames } from "../../src/transport/certificate_names.ts";
import { identityFault, sipIdentities } from "../../src/transport/peer_identity.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type CertificateName, pemPath } from "../support/certificates.ts";
import { certificateOf } from "./der.ts";

/** Which certificates are for which hosts: what they name, the host, whether it is theirs (RFC 5922 §7.1, §7.2). */
const OWNERS: readonly (readonly [readonly string[], string, boolean])[] = [
  [["DNS:example.com"], "example.com", true],
  [["DNS:Example.COM"], "eXample.com", true],
  [["DNS:example.com"], "sip.example.com", false],
  [["DNS:sip.example.com"], "example.com", false],
  [["DNS:example.com"], "example.com.evil.net", false],
  [["DNS:one.net", "DNS:two.net"], "two.net", true],
  // No wildcard, wherever it stands.
  [["DNS:*.example.com"], "sip.example.com", false],
  [["DNS:*"], "example.com", false],
  [["URI:sip:*.example.com"], "sip.example.com", false],
  // URIs of other kinds, or of users, are no identities; if no URI is one, DNS names are.
  [["URI:sip:example.com"], "example.com", true],
  [["URI:SIP:example.com"], "example.com", true],
  [["URI:sip:example.com;transport=tls"], "example.com", true],
  [["URI:sip:alice@example.com"], "example.com", false],
  [["URI:sips:example.com"], "example.com", false],
  [["URI:https://example.com/"], "example.com", false],
  [["URI:sip:alice@example.com", "DNS:example.com"], "example.com", true],
  [["URI:not a URI", "DNS:example.com"], "example.com", true],
  // One that is takes precedence over all of them.
  [["DNS:unrelated.net", "URI:sip:example.com"], "unrelated.net", false],
  [["DNS:unrelated.net", "URI:sip:example.com"], "example.com", true],
  // The common name counts only where there is no subjectAltName at all.
  [["CN:example.com"], "example.com", true],
  [["CN:EXAMPLE.com"], "example.com", true],
  [["CN:other.net", "CN:example.com"], "example.com", true],
  [["CN:example.com", "DNS:other.net"], "example.com", false],
  [["CN:example.com", "IP:192.0.2.1"], "example.com", false],
  [["CN:example.com", "URI:https://other.net/"], "example.com", false],
  // IP addresses.
  [["IP:192.0.2.1"], "192.0.2.1", true],
  [["IP:192.0.2.1"], "192.0.2.2", false],
  [["IP:2001:db8::1"], "2001:DB8:0::1", true],
  [["IP:192.0.2.1", "URI:sip:example.com"], "192.0.2.1", true],
  [["IP:192.0.2.1", "URI:sip:example.com"], "example.com", true],
  [["URI:sip:192.0.2.1"], "192.0.2.1", true],
  // One name that looks like two when names are joined by commas.
  [["URI:sip:evil.net, DNS:example.com"], "example.com", false],
  [["DNS:evil.net, DNS:example.com"], "example.com", false],
  [["DNS:example.com\0.evil.net"], "example.com", false],
  [[], "example.com", false],
];

for (const [names, host, isOwner] of OWNERS) {
  const named = names.length === 0 ? "nobody" : JSON.stringify(names.join(" and "));
  Deno.test(`a certificate for ${named} is ${isOwner ? "" : "not "}one of ${host}`, () => {
    assertEquals(identityFault({ raw: certificateOf(names) }, host) === undefined, isOwner);
  });
}

Deno.test("what is wrong with a certificate is said in words", () => {
  const raw = certificateOf(["DNS:one.net", "DNS:*.two.net", "IP:192.0.2.1"]);
  assertEquals(
    identityFault({ raw }, "a.two.net"),
    "its certificate is for one.net, *.two.net, 192.0.2.1, not for a.two.net",
  );
  assertEquals(
    identityFault({ raw: certificateOf([]) }, "one.net"),
    "its certificate is for nobody, not for one.net",
  );
  assertEquals(identityFault({ raw: Uint8Array.of(0x30, 9) }, "one.net"), "its certificate cannot be read");
});

Deno.test("names are read from certificates as they are made", () => {
  const read = (name: CertificateName) =>
    certificateNames(new X509Certificate(Deno.readTextFileSync(pemPath(name))).raw);
  assertEquals(read("uri"), {
    hasAltName: true,
    uris: ["sip:pbx.example.com", "sip:alice@user.example.com"],
    dns: ["unrelated.example.com"],
    ips: [],
    commonName: "by URI",
  });
  assertEquals(read("loopback"), {
    hasAltName: true,
    uris: [],
    dns: ["localhost"],
    ips: ["127.0.0.1", "::1"],
    commonName: "localhost",
  });
  assertEquals(read("common-name"), {
    hasAltName: false,
    uris: [],
    dns: [],
    ips: [],
    commonName: "legacy.example.com",
  });
});

Deno.test("a certificate that is cut short anywhere, or damaged, proves nothing and harms nobody", () => {
  const whole = new X509Certificate(Deno.readTextFileSync(pemPath("example"))).raw;
  for (let length = 0; length < whole.length; length++) {
    const raw = whole.subarray(0, length);
    assert(identityFault({ raw }, "example.com") !== undefined);
    assertEquals(sipIdentities({ raw }), []);
  }
  for (let i = 0; i < whole.length; i++) {
    for (const value of [0, 0x7f, 0x80, 0xff]) {
      const raw = Uint8Array.from(whole);
      raw[i] = value;
      identityFault({ raw }, "example.com");
    }
  }
});

Deno.test("an old certificate, without a version, is read as well", () => {
  const raw = certificateOf(["CN:example.com"], { hasVersion: false });
  assertEquals(sipIdentities({ raw }), ["example.com"]);
});
