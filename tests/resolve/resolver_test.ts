import { type Dns, type Hop, NO_DNS, Resolver, type ResolverOptions } from "../../src/resolve/mod.ts";
import { parseUri } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";

const textOf = ({ protocol, address, port }: Hop) => `${protocol} ${address} ${port}`;

/** Where the URI leads, in short: `udp 192.0.2.1 5060`; a promise if somebody had to be asked. */
function resolve(uri: string, names: Record<string, readonly string[]> = {}) {
  const resolver = new Resolver({ ...NO_DNS, addresses: (name) => Promise.resolve(names[name] ?? []) });
  const hops = resolver.resolve(parseUri(uri));
  return hops instanceof Promise ? hops.then((hops) => hops.map(textOf)) : hops.map(textOf);
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

/** Names as DNS has them, in short; undefined means that nobody could say. */
interface Zone {
  readonly naptr?: Record<
    string,
    [order: number, preference: number, services: string, to: string][] | undefined
  >;
  readonly srv?: Record<
    string,
    [priority: number, weight: number, port: number, target: string][] | undefined
  >;
  readonly addresses?: Record<string, string[]>;
}

/** A resolver of this zone, and the questions it asks. */
function knowing(zone: Zone, options: ResolverOptions = {}) {
  const { naptr = {}, srv = {}, addresses = {} } = zone;
  const asked: string[] = [];
  const dns: Dns = {
    addresses(name) {
      asked.push(`A ${name}`);
      return addresses[name] ?? [];
    },
    srv(name) {
      asked.push(`SRV ${name}`);
      const records = name in srv ? srv[name] : [];
      return records?.map(([priority, weight, port, target]) => ({ priority, weight, port, target }));
    },
    naptr(name) {
      asked.push(`NAPTR ${name}`);
      const records = name in naptr ? naptr[name] : [];
      return records?.map(([order, preference, services, replacement]) => {
        return { order, preference, services, replacement, flags: "s", regexp: "" };
      });
    },
  };
  const resolver = new Resolver(dns, options);
  const hopsOf = (uri: string) => resolver.resolve(parseUri(uri)) as readonly Hop[];
  return { resolver, asked, hopsOf, leads: (uri: string) => hopsOf(uri).map(textOf) };
}

/** The example of RFC 3263 §4.1. */
const EXAMPLE: Zone = {
  naptr: {
    "example.com": [
      [100, 50, "SIP+D2U", "_sip._udp.example.com"],
      [50, 50, "SIPS+D2T", "_sips._tcp.example.com"],
      [90, 50, "SIP+D2T", "_sip._tcp.example.com"],
    ],
  },
  srv: {
    "_sip._udp.example.com": [[0, 1, 5060, "u.example.com"]],
    "_sip._tcp.example.com": [[0, 1, 5060, "t.example.com"]],
    "_sips._tcp.example.com": [[0, 1, 5061, "s.example.com"]],
  },
  addresses: {
    "example.com": ["192.0.2.1"],
    "u.example.com": ["192.0.2.2"],
    "t.example.com": ["192.0.2.3", "2001:db8::3"],
    "s.example.com": ["192.0.2.4"],
  },
};

Deno.test("a domain is reached as its NAPTR records prefer, as far as we speak that", () => {
  assertEquals(knowing(EXAMPLE).leads("sip:bob@example.com"), ["tls 192.0.2.4 5061"]);
  const { leads, asked } = knowing(EXAMPLE, { protocols: new Set(["udp", "tcp"]) });
  assertEquals(leads("sip:bob@example.com"), ["tcp 192.0.2.3 5060", "tcp 2001:db8::3 5060"]);
  assertEquals(asked, ["NAPTR example.com", "SRV _sip._tcp.example.com", "A t.example.com"]);
  assertEquals(knowing(EXAMPLE, { protocols: new Set(["udp"]) }).leads("sip:example.com"), [
    "udp 192.0.2.2 5060",
  ]);
});

Deno.test("a sips URI takes only what is secure, and leads nowhere if its domain has nothing of it", () => {
  assertEquals(knowing(EXAMPLE).leads("sips:bob@example.com"), ["tls 192.0.2.4 5061"]);
  const insecure: Zone = { ...EXAMPLE, naptr: { "example.com": EXAMPLE.naptr!["example.com"]!.slice(0, 1) } };
  assertEquals(knowing(insecure).leads("sips:bob@example.com"), []);
  assertEquals(knowing(EXAMPLE, { protocols: new Set(["udp", "tcp"]) }).leads("sips:bob@example.com"), []);
});

Deno.test("within one order the preferred way comes first, and the others after it", () => {
  const zone: Zone = {
    ...EXAMPLE,
    naptr: {
      "example.com": [
        [10, 20, "SIP+D2U", "_sip._udp.example.com"],
        [10, 10, "SIP+D2T", "_sip._tcp.example.com"],
        [20, 10, "SIPS+D2T", "_sips._tcp.example.com"],
      ],
    },
  };
  assertEquals(knowing(zone).leads("sip:example.com"), [
    "tcp 192.0.2.3 5060",
    "tcp 2001:db8::3 5060",
    "udp 192.0.2.2 5060",
  ]);
});

Deno.test("the next order counts when the servers of one are not there", () => {
  const zone: Zone = { ...EXAMPLE, srv: { ...EXAMPLE.srv, "_sips._tcp.example.com": [] } };
  assertEquals(knowing(zone).leads("sip:example.com")[0], "tcp 192.0.2.3 5060");
});

Deno.test("NAPTR records of other services, or that nobody could tell, are as good as none", () => {
  for (
    const records of [[[1, 1, "E2U+sip", "x.example.com"]] as [number, number, string, string][], undefined]
  ) {
    const zone: Zone = { ...EXAMPLE, naptr: { "example.com": records } };
    assertEquals(knowing(zone).leads("sip:example.com")[0], "udp 192.0.2.2 5060");
  }
});

Deno.test("WebSocket is used if NAPTR says so and we speak it", () => {
  const zone: Zone = {
    naptr: {
      "example.com": [[1, 1, "SIPS+D2W", "_sips._ws.example.com"], [
        2,
        1,
        "SIP+D2U",
        "_sip._udp.example.com",
      ]],
    },
    srv: { ...EXAMPLE.srv, "_sips._ws.example.com": [[0, 0, 8443, "s.example.com"]] },
    addresses: EXAMPLE.addresses,
  };
  assertEquals(knowing(zone).leads("sip:example.com"), ["wss 192.0.2.4 8443"]);
  assertEquals(knowing(zone).leads("sips:example.com"), ["wss 192.0.2.4 8443"]);
  const protocols = new Set(["udp", "tcp", "tls"] as const);
  assertEquals(knowing(zone, { protocols }).leads("sip:example.com"), ["udp 192.0.2.2 5060"]);
});

Deno.test("a domain without NAPTR records is asked for the servers of each protocol we speak", () => {
  const { leads, asked } = knowing({ ...EXAMPLE, naptr: {} });
  assertEquals(leads("sip:example.com").map((hop) => hop.split(" ")[0]), ["udp", "tcp", "tcp", "tls"]);
  assertEquals(asked.slice(0, 4), [
    "NAPTR example.com",
    "SRV _sip._udp.example.com",
    "SRV _sip._tcp.example.com",
    "SRV _sips._tcp.example.com",
  ]);
  assertEquals(knowing({ ...EXAMPLE, naptr: {} }).leads("sips:example.com"), ["tls 192.0.2.4 5061"]);
});

Deno.test("a domain without servers is itself the server, at the default port", () => {
  const zone = { addresses: EXAMPLE.addresses };
  assertEquals(knowing(zone).leads("sip:example.com"), ["udp 192.0.2.1 5060"]);
  assertEquals(knowing(zone).leads("sips:example.com"), ["tls 192.0.2.1 5061"]);
  assertEquals(knowing(zone).leads("sip:example.com;transport=tcp"), ["tcp 192.0.2.1 5060"]);
  assertEquals(knowing(zone, { protocols: new Set(["tcp"]) }).leads("sip:example.com"), []);
});

Deno.test("a domain of whose servers nobody could tell is not taken for a server itself", () => {
  const zone: Zone = { ...EXAMPLE, naptr: {}, srv: { "_sip._udp.example.com": undefined } };
  assertEquals(knowing(zone).leads("sip:example.com"), []);
  const known: Zone = { ...EXAMPLE, naptr: {}, srv: { ...EXAMPLE.srv, "_sip._udp.example.com": undefined } };
  assertEquals(knowing(known).leads("sip:example.com")[0], "tcp 192.0.2.3 5060");
});

Deno.test("a domain that says it has no such service is not asked further", () => {
  const zone: Zone = { ...EXAMPLE, srv: { "_sip._tcp.example.com": [[0, 0, 0, ""]] } };
  assertEquals(knowing(zone).leads("sip:example.com;transport=tcp"), []);
});

for (
  const [uri, questions] of [
    ["sip:example.com:5060", ["A example.com"]],
    ["sips:example.com:5061", ["A example.com"]],
    ["sip:example.com:5080;transport=tcp", ["A example.com"]],
    ["sip:example.com;transport=udp", ["SRV _sip._udp.example.com", "A u.example.com"]],
    ["sip:example.com;transport=tcp", ["SRV _sip._tcp.example.com", "A t.example.com"]],
    ["sip:example.com;transport=tls", ["SRV _sips._tcp.example.com", "A s.example.com"]],
    ["sips:example.com;transport=tcp", ["SRV _sips._tcp.example.com", "A s.example.com"]],
    ["sip:example.com;transport=ws", ["SRV _sip._ws.example.com", "A example.com"]],
    ["sip:192.0.2.1:5060;maddr=u.example.com", ["A u.example.com"]],
    ["sip:other.example;maddr=example.com;transport=udp", ["SRV _sip._udp.example.com", "A u.example.com"]],
    ["sip:192.0.2.7", []],
    ["sip:192.0.2.7;transport=tcp", []],
    ["sip:example.com;transport=sctp", []],
  ] as const
) {
  Deno.test(`${uri} asks for ${questions.join(", then ") || "nothing"}`, () => {
    const { leads, asked } = knowing(EXAMPLE);
    leads(uri);
    assertEquals(asked, [...questions]);
  });
}

Deno.test("nobody is asked about a protocol we do not speak", () => {
  const { leads, asked } = knowing(EXAMPLE, { protocols: new Set(["udp"]) });
  assertEquals([leads("sip:example.com;transport=tcp"), leads("sips:example.com:5061")], [[], []]);
  assertEquals(asked, []);
});

Deno.test("the addresses of one server stand together, in the order of the servers", () => {
  const zone: Zone = {
    srv: {
      "_sip._udp.example.com": [[20, 0, 5060, "b.example.com"], [10, 0, 5070, "a.example.com"], [
        30,
        0,
        5060,
        "none.example.com",
      ]],
    },
    addresses: {
      "a.example.com": ["192.0.2.1", "2001:db8::1"],
      "b.example.com": ["192.0.2.2", "2001:db8::2"],
    },
  };
  assertEquals(knowing(zone).leads("sip:example.com;transport=udp"), [
    "udp 192.0.2.1 5070",
    "udp 2001:db8::1 5070",
    "udp 192.0.2.2 5060",
    "udp 2001:db8::2 5060",
  ]);
});

Deno.test("a URI leads to sixteen hops at most, and to eight servers", () => {
  const many = Array.from({ length: 40 }, (_, i) => `192.0.2.${i + 1}`);
  const zone: Zone = {
    srv: { "_sip._udp.example.com": many.map((_, i) => [i, 0, 5060, "many.example.com"]) },
    addresses: { "many.example.com": many },
  };
  const { leads, asked } = knowing(zone);
  assertEquals(leads("sip:example.com;transport=udp").length, 16);
  assertEquals(asked.length, 9);
  assertEquals(leads("sip:many.example.com:5060").length, 16);
});

Deno.test("a peer has to prove the name of the URI, whatever DNS made of it", () => {
  const { hopsOf, resolver } = knowing(EXAMPLE);
  const nameOf = (uri: string) => hopsOf(uri).map(({ host }) => host);
  assertEquals(nameOf("sips:bob@Example.com"), ["example.com"]);
  assertEquals(nameOf("sip:bob@other.example;maddr=example.com;transport=tls"), ["other.example"]);
  assertEquals(nameOf("sips:bob@192.0.2.9"), ["192.0.2.9"]);
  assertEquals(nameOf("sip:bob@example.com;transport=tcp"), [undefined, undefined]);
  const [hop] = resolver.resolveSentBy("example.com", undefined, "tls") as readonly Hop[];
  assertEquals([textOf(hop), hop.host], ["tls 192.0.2.4 5061", "example.com"]);
});

Deno.test("a response goes by the host and the port of its Via", () => {
  const { resolver, asked } = knowing(EXAMPLE);
  const leads = (...sentBy: Parameters<Resolver["resolveSentBy"]>) =>
    (resolver.resolveSentBy(...sentBy) as readonly Hop[]).map(textOf);
  assertEquals(leads("192.0.2.9", undefined, "udp"), ["udp 192.0.2.9 5060"]);
  assertEquals(leads("2001:db8::9", 5070, "tcp"), ["tcp 2001:db8::9 5070"]);
  assertEquals(leads("224.0.1.75", 5070, "udp"), []);
  assertEquals(leads("example.com", 5090, "tcp"), ["tcp 192.0.2.1 5090"]);
  assertEquals(leads("example.com", undefined, "udp"), ["udp 192.0.2.2 5060"]);
  assertEquals(leads("u.example.com", undefined, "udp"), ["udp 192.0.2.2 5060"]);
  assertEquals(asked, [
    "A example.com",
    "SRV _sip._udp.example.com",
    "A u.example.com",
    "SRV _sip._udp.u.example.com",
    "A u.example.com",
  ]);
});

Deno.test("nobody is dialled by WebSocket for a response", () => {
  const { resolver, asked } = knowing(EXAMPLE);
  for (const protocol of ["ws", "wss"] as const) {
    assertEquals(resolver.resolveSentBy("example.com", undefined, protocol), []);
    assertEquals(resolver.resolveSentBy("192.0.2.1", 5060, protocol), []);
  }
  assertEquals(asked, []);
});

Deno.test("the same draws lead to the same hops, in whatever order the records come", () => {
  const records: [number, number, number, string][] = [1, 2, 3, 4].map((
    i,
  ) => [0, 10, 5060, `${i}.example.com`]);
  const addresses = Object.fromEntries([1, 2, 3, 4].map((i) => [`${i}.example.com`, [`192.0.2.${i}`]]));
  const uri = parseUri("sip:example.com;transport=udp");
  const orders = [records, records.toReversed()].map((records) => {
    const { resolver } = knowing({ srv: { "_sip._udp.example.com": records }, addresses });
    const draws = [0.7, 0.1, 0.4];
    return (resolver.resolve(uri, () => draws.shift()!) as readonly Hop[]).map(textOf);
  });
  assertEquals(orders[0], orders[1]);
});
