import { type Hop, Resolver } from "../../src/resolve/mod.ts";
import { parseUri } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** Where the URI leads, in short: `udp 192.0.2.1 5060`; a promise if somebody had to be asked. */
function resolve(uri: string, names: Record<string, readonly string[]> = {}) {
  const resolver = new Resolver({ addresses: (name) => Promise.resolve(names[name] ?? []) });
  const hops = resolver.resolve(parseUri(uri));
  const texts = (hops: readonly Hop[]) =>
    hops.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
  return hops instanceof Promise ? hops.then(texts) : texts(hops);
}

for (
  const [uri, hop] of [
    ["sip:192.0.2.1", "udp 192.0.2.1 5060"],
    ["sip:bob@192.0.2.1:5080", "udp 192.0.2.1 5080"],
    ["sip:bob@[2001:DB8::0:1]", "udp 2001:db8::1 5060"],
    ["sip:bob@[2001:db8::1]:5080", "udp 2001:db8::1 5080"],
    ["sip:bob@192.0.2.1;transport=tcp", "tcp 192.0.2.1 5060"],
    ["sip:bob@192.0.2.1;transport=TLS", "tls 192.0.2.1 5061"],
    ["sip:bob@192.0.2.1;transport=ws", "ws 192.0.2.1 80"],
    ["sip:bob@192.0.2.1;transport=wss", "wss 192.0.2.1 443"],
    ["sips:bob@192.0.2.1", "tls 192.0.2.1 5061"],
    ["sips:bob@192.0.2.1:5062;transport=tcp", "tls 192.0.2.1 5062"],
    ["sips:bob@192.0.2.1;transport=ws", "wss 192.0.2.1 443"],
    ["sip:bob@127.0.0.1", "udp 127.0.0.1 5060"],
    ["sip:bob@[::1]", "udp ::1 5060"],
  ] as const
) {
  Deno.test(`${uri} leads to ${hop} at once`, () => {
    assertEquals(resolve(uri), [hop]);
  });
}

Deno.test("a maddr is where the URI leads, whatever its host", () => {
  assertEquals(resolve("sip:bob@example.com;maddr=192.0.2.7"), ["udp 192.0.2.7 5060"]);
  assertEquals(resolve("sip:bob@192.0.2.1:5070;maddr=192.0.2.7"), ["udp 192.0.2.7 5070"]);
  assertEquals(resolve("sip:bob@192.0.2.1;maddr=[2001:DB8:0::7]"), ["udp 2001:db8::7 5060"]);
  assertEquals(resolve("sip:bob@192.0.2.1;maddr="), ["udp 192.0.2.1 5060"]);
});

Deno.test("a maddr that is a name is looked up", async () => {
  const names = { "other.example": ["192.0.2.7"] };
  assertEquals(await resolve("sip:bob@192.0.2.1;maddr=Other.Example", names), ["udp 192.0.2.7 5060"]);
});

for (
  const uri of ["sip:192.0.2.1;transport=sctp", "sips:192.0.2.1;transport=udp", "tel:+15551234", "urn:x:y"]
) {
  Deno.test(`${uri} leads nowhere, for want of a protocol`, () => {
    assertEquals(resolve(uri), []);
  });
}

for (
  const host of ["0.0.0.0", "0.1.2.3", "224.0.1.75", "239.0.0.1", "255.255.255.255", "[::]", "[ff02::1]"]
) {
  Deno.test(`nothing may be sent to ${host}, be it host, maddr or what a name says`, async () => {
    assertEquals(resolve(`sip:bob@${host}`), []);
    assertEquals(resolve(`sip:bob@192.0.2.1;maddr=${host}`), []);
    const names = { "example.com": [host.replace(/[[\]]/g, ""), "192.0.2.1"] };
    assertEquals(await resolve("sip:bob@example.com", names), ["udp 192.0.2.1 5060"]);
  });
}

Deno.test("a name leads to all its addresses, in the order they are told", async () => {
  const names = { "example.com": ["192.0.2.2", "192.0.2.1", "2001:db8::1"] };
  assertEquals(await resolve("sip:bob@Example.COM:5070;transport=tcp", names), [
    "tcp 192.0.2.2 5070",
    "tcp 192.0.2.1 5070",
    "tcp 2001:db8::1 5070",
  ]);
});

Deno.test("a name nobody knows leads nowhere", async () => {
  const hops = resolve("sip:bob@nowhere.example");
  assert(hops instanceof Promise);
  assertEquals(await hops, []);
});
