import { type Protocol, type SipRequest, viaName } from "../../src/sip/mod.ts";
import { type Flow, type SocketAddress, socketAddressText, Transports } from "../../src/transport/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { RecordingFlow, RecordingTransport } from "../support/flows.ts";
import { request } from "../support/messages.ts";

/** Transports with a UDP listener on each of these addresses. */
function listening(...addresses: string[]): { all: Transports; at: RecordingTransport[] } {
  const all = new Transports();
  const at = addresses.map((address) => new RecordingTransport("udp", address));
  for (const transport of at) all.add(transport);
  return { all, at };
}

/** Which listener the flow to a UDP address would leave from. */
function leavesFrom(all: Transports, address: string, near?: RecordingTransport): string | undefined {
  const flow = all.flowTo({ protocol: "udp", address, port: 5060 }, near) as RecordingFlow | undefined;
  return flow?.transport.local.address;
}

/** A listener that is known outside by other names. */
function advertised(protocol: Protocol, address: string, sentBy: string): RecordingTransport {
  return Object.assign(new RecordingTransport(protocol, address), { sentBy });
}

Deno.test("a flow leaves from the listener that is near, if it can reach", () => {
  const { all, at } = listening("192.0.2.1", "192.0.2.2", "2001:db8::1");
  assertEquals(leavesFrom(all, "198.51.100.1", at[1]), "192.0.2.2");
  assertEquals(leavesFrom(all, "198.51.100.1"), "192.0.2.1");
  assertEquals(leavesFrom(all, "198.51.100.1", at[2]), "192.0.2.1");
});

Deno.test("IPv4 and IPv6 each leave from a listener of their own", () => {
  const { all, at } = listening("192.0.2.1", "2001:db8::1");
  assertEquals(leavesFrom(all, "2001:db8::9", at[0]), "2001:db8::1");
  assertEquals(leavesFrom(all, "198.51.100.1", at[1]), "192.0.2.1");
  assertEquals(leavesFrom(listening("192.0.2.1").all, "2001:db8::9"), undefined);
});

Deno.test("the loopback and the world are reached from listeners of their own kind", () => {
  const { all, at } = listening("127.0.0.1", "192.0.2.1", "::1", "2001:db8::1");
  assertEquals(leavesFrom(all, "198.51.100.1", at[0]), "192.0.2.1");
  assertEquals(leavesFrom(all, "127.0.0.9", at[1]), "127.0.0.1");
  assertEquals(leavesFrom(all, "2001:db8::9", at[2]), "2001:db8::1");
  assertEquals(leavesFrom(all, "::1", at[3]), "::1");
});

Deno.test("with only the other kind of listener there is, that one is tried", () => {
  const { all } = listening("127.0.0.1");
  assertEquals(leavesFrom(all, "198.51.100.1"), "127.0.0.1");
});

Deno.test("no flow leads to a protocol that nobody here speaks", () => {
  const { all, at } = listening("192.0.2.1");
  assertEquals(all.flowTo({ protocol: "tcp", address: "198.51.100.1", port: 5060 }, at[0]), undefined);
});

Deno.test("we own the hosts and ports we listen at, a protocol's default port being meant without one", () => {
  const { all } = listening("192.0.2.1", "2001:db8::1");
  all.add(new RecordingTransport("tls", "192.0.2.3"));
  assert(all.owns("192.0.2.1", 5060));
  assert(all.owns("192.0.2.1", undefined));
  assert(all.owns("2001:db8::1", undefined));
  assert(!all.owns("192.0.2.1", 5061));
  assert(!all.owns("192.0.2.2", undefined));
  assert(!all.owns("example.com", undefined));
  assert(all.owns("192.0.2.3", 5060));
  assert(!all.owns("192.0.2.3", undefined));
});

Deno.test("we also own the hosts and ports we are known by outside", () => {
  const all = new Transports();
  all.add(advertised("udp", "10.0.0.1", "203.0.113.7:5080"));
  all.add(advertised("tls", "10.0.0.1", "sip.example.com:5061"));
  all.add(advertised("tcp", "2001:db8::1", "[2001:db8::7]:5060"));
  assert(all.owns("203.0.113.7", 5080));
  assert(!all.owns("203.0.113.7", undefined));
  assert(!all.owns("203.0.113.7", 5060));
  assert(all.owns("sip.example.com", 5061));
  assert(all.owns("sip.example.com", undefined));
  assert(!all.owns("sip.example.com", 5060));
  assert(all.owns("2001:db8::7", undefined));
  assert(all.owns("10.0.0.1", 5060));
  assert(all.owns("2001:db8::1", 5060));
  assertEquals([5060, 5061, 5080, 5070].map((port) => all.hasPort(port)), [true, true, true, false]);
});

const SOURCE: SocketAddress = { address: "192.0.2.9", port: 40_000 };

/** Where the answer to a request with this Via goes, when it came from SOURCE. */
function answerGoesTo(via: string, local = "192.0.2.1", source = SOURCE, all = new Transports()): string {
  const flow: Flow = new RecordingTransport("udp", local).connect(source);
  const asked: SipRequest = request("OPTIONS", { vias: [`SIP/2.0/UDP ${via}`] });
  const answer = all.responseFlow(asked, flow);
  assertEquals(answer.transport, flow.transport);
  return socketAddressText(answer.remote);
}

for (
  const [what, via, goal] of [
    ["no port", "h;branch=z9hG4bKa", "192.0.2.9:5060"],
    ["a port", "h:5070;branch=z9hG4bKa", "192.0.2.9:5070"],
    ["an empty rport", "h:5070;rport;branch=z9hG4bKa", "192.0.2.9:40000"],
    ["an rport of the sender's own making", "h:5070;rport=9;branch=z9hG4bKa", "192.0.2.9:40000"],
    ["a received of the sender's own making", "h;received=198.51.100.9", "192.0.2.9:5060"],
    ["a maddr", "h:5070;maddr=198.51.100.7;branch=z9hG4bKa", "198.51.100.7:5070"],
    ["a maddr and no port", "h;maddr=198.51.100.7", "198.51.100.7:5060"],
    ["a maddr and an rport", "h;maddr=198.51.100.7;rport", "198.51.100.7:5060"],
  ] as const
) {
  Deno.test(`a request whose Via has ${what} is answered to ${goal}`, () => {
    assertEquals(answerGoesTo(via), goal);
  });
}

for (
  const maddr of [
    "239.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "127.0.0.1",
    "[2001:db8::7]",
    "name.example",
    "[x",
  ]
) {
  Deno.test(`a maddr of ${maddr} is ignored over IPv4`, () => {
    assertEquals(answerGoesTo(`h:5070;maddr=${maddr}`), "192.0.2.9:5070");
  });
}

Deno.test("over IPv6 a maddr has brackets, and one of the other family is ignored", () => {
  const source = { address: "2001:db8::9", port: 40_000 };
  const goesTo = (via: string) => answerGoesTo(via, "2001:db8::1", source);
  assertEquals(goesTo("h;maddr=[2001:DB8:0::7]"), "[2001:db8::7]:5060");
  assertEquals(goesTo("h;maddr=2001:db8::7"), "[2001:db8::7]:5060");
  assertEquals(goesTo("h;maddr=[ff02::1]"), "[2001:db8::9]:5060");
  assertEquals(goesTo("h;maddr=[::1]"), "[2001:db8::9]:5060");
  assertEquals(goesTo("h;maddr=198.51.100.7"), "[2001:db8::9]:5060");
});

Deno.test("answers go to the port the request came from when that is forced", () => {
  assertEquals(answerGoesTo("h:5070", "192.0.2.1", SOURCE, new Transports(true)), "192.0.2.9:40000");
});

Deno.test("a request without a readable Via is answered where it came from", () => {
  const flow = new RecordingTransport("udp").connect(SOURCE);
  const broken = request("OPTIONS", { vias: ["nonsense"] });
  assertEquals(new Transports().responseFlow(broken, flow) === flow, true);
});

/** What becomes of the answer to a request with this Via when the connection it came by has closed: where to it goes. */
function lateAnswer(protocol: Protocol, via: string, isAccepted = true): string | undefined {
  const transport = new RecordingTransport(protocol);
  const flow = isAccepted ? transport.accept(SOURCE) : transport.connect(SOURCE);
  const asked = request("OPTIONS", { vias: [`SIP/2.0/${viaName(protocol)} ${via}`] });
  const answer = new Transports().responseFlow(asked, flow);
  assert(answer.send("provisional"));
  flow.close();
  const dialed: string[] = [];
  const connect = transport.connect.bind(transport);
  transport.connect = (remote) => {
    dialed.push(socketAddressText(remote));
    return connect(remote);
  };
  assertEquals(answer.send("final"), dialed.length > 0);
  assertEquals(flow.sent, ["provisional"]);
  return dialed[0];
}

Deno.test("over a connection the answer goes back by it, whatever the Via says", () => {
  for (const via of ["h:5070;maddr=198.51.100.7", "h", "h:40000;rport", "k3.invalid"]) {
    for (const protocol of ["tcp", "tls", "ws", "wss"] as const) {
      const flow = new RecordingTransport(protocol).accept(SOURCE);
      const asked = request("OPTIONS", { vias: [`SIP/2.0/${viaName(protocol)} ${via}`] });
      assert(new Transports().responseFlow(asked, flow).send("answer"));
      assertEquals(flow.sent, ["answer"]);
    }
  }
});

Deno.test("once the connection has closed the answer goes over a new one, to the port of the Via", () => {
  assertEquals(lateAnswer("tcp", "h:5070;rport"), "192.0.2.9:5070");
  assertEquals(lateAnswer("tcp", "h"), "192.0.2.9:5060");
  assertEquals(lateAnswer("tls", "h"), "192.0.2.9:5061");
  assertEquals(lateAnswer("tcp", "h:5070;maddr=198.51.100.7"), "192.0.2.9:5070");
});

Deno.test("nobody is connected to at the port a connection came from, nor over WebSocket at all", () => {
  assertEquals(lateAnswer("tcp", "h:40000"), undefined);
  for (const protocol of ["ws", "wss"] as const) {
    for (const via of ["k3.invalid", "h:5070", "h"]) assertEquals(lateAnswer(protocol, via), undefined);
  }
});

Deno.test("one that we have connected to may be connected to again, at the same port", () => {
  assertEquals(lateAnswer("tcp", "h:40000", false), "192.0.2.9:40000");
});

Deno.test("closing closes every listener, and waits for all", async () => {
  const closed: string[] = [];
  const all = new Transports();
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    const transport = new RecordingTransport("udp", address);
    transport.close = async () => {
      await Promise.resolve();
      closed.push(address);
    };
    all.add(transport);
  }
  await all.close();
  assertEquals(closed, ["192.0.2.1", "192.0.2.2"]);
});
