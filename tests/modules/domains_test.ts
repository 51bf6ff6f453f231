import { Domains } from "../../src/modules/mod.ts";
import { parseUri } from "../../src/sip/mod.ts";
import { Transports } from "../../src/transport/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { RecordingTransport } from "../support/flows.ts";

function domains(): Domains {
  const transports = new Transports();
  transports.add(new RecordingTransport("udp", "192.0.2.1"));
  transports.add(new RecordingTransport("udp", "2001:db8::1"));
  return new Domains(["example.com", "example.org"], transports);
}

Deno.test("local are our domains and the addresses of our listeners, at a port we listen on", () => {
  const local = [
    "sip:example.com",
    "sip:bob@EXAMPLE.com",
    "sips:bob@example.org",
    "sip:bob@example.com:5060;transport=tcp;x",
    "sip:192.0.2.1",
    "sip:bob@192.0.2.1:5060",
    "sip:bob@[2001:DB8:0:0::1]:5060",
    "sip:bob@example.com;maddr=192.0.2.1",
    "sip:bob@example.com;maddr=[2001:db8::1]",
    "sip:bob@example.com;maddr=Example.org",
  ];
  for (const uri of local) assertEquals(domains().isLocal(parseUri(uri)), true, uri);
});

Deno.test("not local is all else: other hosts, other ports, other schemes, and a maddr that leads elsewhere", () => {
  const foreign = [
    "sip:bob@example.net",
    "sip:bob@sub.example.com",
    "sip:bob@example.com:5070",
    "sip:bob@192.0.2.1:5070",
    "sip:bob@192.0.2.2",
    "sip:bob@[2001:db8::2]",
    "tel:+1-555-0100",
    "mailto:bob@example.com",
    "sip:bob@example.com;maddr=203.0.113.9",
    "sip:bob@example.com;maddr=example.net",
    "sip:192.0.2.1;maddr=239.0.0.1",
  ];
  for (const uri of foreign) assertEquals(domains().isLocal(parseUri(uri)), false, uri);
});

Deno.test("our addresses are not our domains", () => {
  assertEquals(domains().isOurAddress(parseUri("sip:bob@192.0.2.1")), true);
  assertEquals(domains().isOurAddress(parseUri("sip:bob@example.com")), false);
  assertEquals(domains().isOurAddress(parseUri("tel:192.0.2.1")), false);
});

Deno.test("an address of record is the user and the domain, and nothing else", () => {
  const table: [uri: string, aor: string | undefined][] = [
    ["sip:bob@example.com", "sip:bob@example.com"],
    ["sips:bob@EXAMPLE.COM:5060;user=phone;x=1?Subject=y", "sip:bob@example.com"],
    ["sip:%62%6Fb@example.com", "sip:bob@example.com"],
    ["sip:a%2fb%3B@example.com", "sip:a%2Fb%3B@example.com"],
    ["sip:%2562ob@example.com", "sip:%2562ob@example.com"],
    ["sip:Bob@example.com", "sip:Bob@example.com"],
    ["sip:bob:secret@example.com", "sip:bob@example.com"],
    ["sip:bob@example.org", "sip:bob@example.org"],
    ["sip:bob@192.0.2.1", "sip:bob@example.com"],
    ["sip:bob@[2001:db8::1]", "sip:bob@example.com"],
    ["sip:bob@example.com;maddr=203.0.113.9", "sip:bob@example.com"],
    ["sip:example.com", undefined],
    ["sip:bob@example.net", undefined],
    ["tel:+1-555-0100", undefined],
  ];
  for (const [uri, aor] of table) assertEquals<string | undefined>(domains().aorOf(parseUri(uri)), aor, uri);
});

/** One listener, known outside by a name and another port. */
function behindNat(): Domains {
  const transports = new Transports();
  const listener = new RecordingTransport("tcp", "10.0.0.1");
  transports.add(Object.assign(listener, { sentBy: "sip.example.net:5080" }));
  return new Domains(["example.com"], transports);
}

Deno.test("what we are known by outside is local, is our address and stands for the first domain", () => {
  for (const host of ["sip.example.net:5080", "SIP.example.net:5080", "10.0.0.1", "10.0.0.1:5060"]) {
    const uri = parseUri(`sip:bob@${host};transport=tcp`);
    assertEquals([behindNat().isLocal(uri), behindNat().isOurAddress(uri)], [true, true], host);
    assertEquals<string | undefined>(behindNat().aorOf(uri), "sip:bob@example.com");
  }
  for (const host of ["sip.example.net", "sip.example.net:5060", "example.net:5080", "10.0.0.1:5080"]) {
    assertEquals(behindNat().isLocal(parseUri(`sip:bob@${host}`)), false, host);
  }
});

Deno.test("our domains are reached at the port we are known by outside", () => {
  assertEquals(behindNat().isLocal(parseUri("sip:bob@example.com:5080")), true);
  assertEquals(behindNat().isLocal(parseUri("sip:bob@example.com:5081")), false);
});

Deno.test("a maddr that we are known by leads here", () => {
  const uri = (maddr: string) => parseUri(`sip:bob@example.com:5080;maddr=${maddr}`);
  assertEquals(behindNat().isLocal(uri("sip.example.net")), true);
  assertEquals(behindNat().isLocal(uri("other.example.net")), false);
});
