import { Domains, FlowTokens, type Followed, RecordRoute } from "../../src/modules/mod.ts";
import { MalformedError, type Protocol } from "../../src/sip/mod.ts";
import { type Flow, FlowIds, Transports } from "../../src/transport/mod.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { PEER, type RecordingFlow, RecordingTransport } from "../support/flows.ts";
import { request } from "../support/messages.ts";
import { Seen } from "../support/received.ts";

const BOB = "sip:bob@198.51.100.2";

/** Record-routing on listeners for everything, with open connections of which it may be told in a Route. */
class House {
  readonly transports = new Transports();
  readonly tokens: FlowTokens;
  readonly rr: RecordRoute;
  readonly #ids = new FlowIds();
  readonly #listeners = new Map<string, RecordingTransport>();

  constructor() {
    for (const address of ["192.0.2.1", "2001:db8::1"]) this.#listen("udp", address);
    for (const protocol of ["tcp", "tls", "ws", "wss"] as const) this.#listen(protocol, "192.0.2.1");
    this.tokens = new FlowTokens((id) => this.transports.byId.get(id));
    this.rr = new RecordRoute(new Domains(["example.com"], this.transports), this.tokens);
  }

  /** One more listener, known outside by another name. */
  isKnownAs(sentBy: string): void {
    const listener = new RecordingTransport("tls", "10.0.0.1", undefined, this.#ids);
    this.transports.add(Object.assign(listener, { sentBy }));
  }

  /** A flow to somebody to whom we send first, or send datagrams. */
  to(protocol: Protocol, local = "192.0.2.1"): RecordingFlow {
    return this.#listeners.get(`${protocol} ${local}`)!.connect(PEER);
  }

  /** Somebody has connected to us. */
  from(protocol: Protocol, port = 40_000): RecordingFlow {
    const flow = this.#listeners.get(`${protocol} 192.0.2.1`)!.accept({ address: PEER.address, port });
    this.transports.byId.set(flow.id, flow);
    return flow;
  }

  /** The connection has ended. */
  close(flow: RecordingFlow): void {
    flow.close();
    this.transports.byId.delete(flow.id);
  }

  /** The Record-Routes of a request that came by one flow and leaves by the other. */
  recorded(from: Flow, out: Flow, uri?: string): string[] {
    const seen = new Seen(request("INVITE", { uri }), from);
    this.rr.record(seen);
    return seen.leaving(out).all("Record-Route");
  }

  /** What becomes of a request to `uri` with these Routes: what was found, the URI, and what is left. */
  follow(uri: string, ...routes: string[]): { found: Followed; uri: string; routes: string[] } {
    const headers = routes.map((route) => ["Route", route] as const);
    const seen = new Seen(request("BYE", { uri, headers }));
    const found = this.rr.follow(seen);
    const { uriText, routes: left } = seen.leaving(this.to("udp"));
    return { found, uri: uriText, routes: left.map(({ uriText }) => uriText) };
  }

  #listen(protocol: Protocol, address: string): void {
    const listener = new RecordingTransport(protocol, address, undefined, this.#ids);
    this.transports.add(listener);
    this.#listeners.set(`${protocol} ${address}`, listener);
  }
}

/** What becomes of a request to `uri` with these Routes: whether we were in them, the URI, and what is left. */
function followed(uri: string, ...routes: string[]): [isOurs: boolean, uri: string, routes: string[]] {
  const { found, uri: left, routes: rest } = new House().follow(uri, ...routes);
  assertEquals(found.named, undefined);
  return [found.isOurs, left, rest];
}

Deno.test("a request that leaves by the listener it came in by gets one Record-Route, above the others", () => {
  const house = new House();
  const flow = house.to("udp");
  const seen = new Seen(request("INVITE", { headers: [["Record-Route", "<sip:203.0.113.1;lr>"]] }), flow);
  house.rr.record(seen);
  assertEquals(seen.leaving(flow).all("Record-Route"), ["<sip:192.0.2.1:5060;lr>", "<sip:203.0.113.1;lr>"]);
});

Deno.test("a request that leaves by another listener gets two, the one it leaves by on top", () => {
  const house = new House();
  const [v4, v6] = [house.to("udp"), house.to("udp", "2001:db8::1")];
  const seen = new Seen(request("INVITE"), v4);
  house.rr.record(seen);
  const both = ["<sip:[2001:db8::1]:5060;lr;r2=on>", "<sip:192.0.2.1:5060;lr;r2=on>"];
  assertEquals(seen.leaving(v6).all("Record-Route"), both);
  assertEquals(seen.leaving(v4).all("Record-Route"), ["<sip:192.0.2.1:5060;lr>"]);
});

Deno.test("each side is told what it is spoken to with, a secure WebSocket like the other", () => {
  const house = new House();
  const table = { tcp: "transport=tcp", tls: "transport=tls", ws: "transport=ws", wss: "transport=ws" };
  for (const [protocol, param] of Object.entries(table)) {
    const out = house.to(protocol as Protocol);
    assertEquals(house.recorded(house.to("udp"), out), [
      `<sip:192.0.2.1:5060;${param};lr;r2=on>`,
      "<sip:192.0.2.1:5060;lr;r2=on>",
    ]);
  }
});

Deno.test("a dialog that is to be secure stays so with us", () => {
  const house = new House();
  const tls = house.to("tls");
  assertEquals(house.recorded(tls, tls, "sips:bob@example.com"), [
    "<sips:192.0.2.1:5060;transport=tls;lr>",
  ]);
  const caller = house.from("wss");
  assertEquals(house.recorded(caller, tls, "sips:bob@example.com"), [
    "<sips:192.0.2.1:5060;transport=tls;lr;r2=on>",
    `<sips:${house.tokens.of(caller)}@192.0.2.1:5060;transport=ws;lr;r2=on>`,
  ]);
});

Deno.test("a caller who has connected is named by the connection, on the side that is the caller's", () => {
  const house = new House();
  const caller = house.from("tcp");
  assertEquals(house.recorded(caller, house.to("udp")), [
    "<sip:192.0.2.1:5060;lr;r2=on>",
    `<sip:${house.tokens.of(caller)}@192.0.2.1:5060;transport=tcp;lr;r2=on>`,
  ]);
});

Deno.test("a callee who has connected is named by the connection, on the side that is the callee's", () => {
  const house = new House();
  const callee = house.from("ws");
  assertEquals(house.recorded(house.to("udp"), callee), [
    `<sip:${house.tokens.of(callee)}@192.0.2.1:5060;transport=ws;lr;r2=on>`,
    "<sip:192.0.2.1:5060;lr;r2=on>",
  ]);
});

Deno.test("two who have connected to the same listener get a name each", () => {
  const house = new House();
  const [caller, callee] = [house.from("ws", 40_001), house.from("ws", 40_002)];
  const [one, two] = [house.tokens.of(caller), house.tokens.of(callee)];
  assertEquals(house.recorded(caller, callee), [
    `<sip:${two}@192.0.2.1:5060;transport=ws;lr;r2=on>`,
    `<sip:${one}@192.0.2.1:5060;transport=ws;lr;r2=on>`,
  ]);
});

Deno.test("connections that we have opened ourselves need no name: whoever listens there can be reached", () => {
  const house = new House();
  const tcp = house.to("tcp");
  assertEquals(house.recorded(tcp, tcp), ["<sip:192.0.2.1:5060;transport=tcp;lr>"]);
});

Deno.test("within a dialog both sides reach each other by the Route that was recorded", () => {
  const house = new House();
  const kinds = ["udp", "tcp", "tls", "ws", "wss"] as const;
  for (const [one, other] of kinds.flatMap((one) => kinds.map((other) => [one, other] as const))) {
    const caller = one === "udp" ? house.to("udp") : house.from(one, 41_000);
    const callee = other === "udp" ? house.to("udp") : house.from(other, 42_000);
    const recorded = house.recorded(caller, callee);
    // The callee's Route is as recorded, the caller's the other way round (RFC 3261 §12.1).
    for (const [routes, goal] of [[recorded, caller], [recorded.toReversed(), callee]] as const) {
      const { found, routes: left } = house.follow(BOB, ...routes);
      assertEquals([found.isOurs, left], [true, []]);
      const named = found.named?.kind === "flow" ? found.named.flow : found.named?.kind;
      assert(named === (goal.isAccepted ? goal : undefined), `${one} to ${other}`);
    }
  }
});

Deno.test("a name somebody has made up is forged, and that of a connection that has ended is gone", () => {
  const house = new House();
  const caller = house.from("tcp");
  const token = house.tokens.of(caller);
  const follow = (user: string) =>
    house.follow(BOB, `<sip:${user}@192.0.2.1;transport=tcp;lr>`).found.named?.kind;
  assertEquals([follow(token), follow(`x${token.slice(1)}`), follow("alice")], ["flow", "forged", "forged"]);
  house.close(caller);
  assertEquals(follow(token), "gone");
});

Deno.test("a Route that goes on beyond us leads there, whatever connection it names", () => {
  const house = new House();
  const token = house.tokens.of(house.from("tcp"));
  for (const user of [token, "made-up"]) {
    const { found, routes } = house.follow(BOB, `<sip:${user}@192.0.2.1;lr>`, "<sip:p.example.net;lr>");
    assertEquals([found, routes], [{ isOurs: true, named: undefined }, ["sip:p.example.net;lr"]]);
  }
});

Deno.test("a strict router brings the name in the Request-URI", () => {
  const house = new House();
  const caller = house.from("tcp");
  const us = `sip:${house.tokens.of(caller)}@192.0.2.1:5060;transport=tcp;lr`;
  const { found, uri, routes } = house.follow(us, `<${BOB}>`);
  assert(found.named?.kind === "flow" && found.named.flow === caller);
  assertEquals([uri, routes], [BOB, []]);
  const far = house.follow("sip:192.0.2.1:5060;lr;r2=on", `<${us};r2=on>`, `<${BOB}>`);
  assert(far.found.named?.kind === "flow" && far.found.named.flow === caller);
  assertEquals([far.uri, far.routes], [BOB, []]);
});

Deno.test("a Route by the name we are known by outside is ours, in the Request-URI as well", () => {
  const house = new House();
  house.isKnownAs("sip.example.net:5061");
  const caller = house.from("tls");
  const us = `sip:${house.tokens.of(caller)}@sip.example.net:5061;transport=tls;lr`;
  for (const [uri, route] of [[BOB, `<${us}>`], [us, `<${BOB}>`]]) {
    const { found, uri: left, routes } = house.follow(uri, route);
    assert(found.named?.kind === "flow" && found.named.flow === caller);
    assertEquals([left, routes], [BOB, []]);
  }
});

Deno.test("a Route that names us is taken away, whatever form it has", () => {
  const forms = [
    "<sip:192.0.2.1;lr>",
    "<sip:192.0.2.1:5060;lr>",
    "<sip:[2001:db8::1]:5060;lr=on>",
    "Us <sip:example.com;lr>;x=y",
    "<sip:192.0.2.1:5060>",
  ];
  for (const form of forms) {
    assertEquals(followed(BOB, form), [true, BOB, []]);
    assertEquals(followed(BOB, `${form}, <sip:p2.example.net;lr>`), [true, BOB, ["sip:p2.example.net;lr"]]);
  }
});

Deno.test("a double Record-Route is taken away in one go", () => {
  const both = ["<sip:[2001:db8::1]:5060;lr;r2=on>", "<sip:192.0.2.1:5060;lr;r2=on>"];
  assertEquals(followed(BOB, ...both, "<sip:p.example.net;lr>"), [true, BOB, ["sip:p.example.net;lr"]]);
  assertEquals(followed(BOB, both.toReversed().join(", ")), [true, BOB, []]);
});

Deno.test("of two Routes of ours that do not belong together only the first is taken away", () => {
  const us = "sip:192.0.2.1:5060;lr";
  assertEquals(followed(BOB, `<${us}>`, `<${us}>`), [true, BOB, [us]]);
  assertEquals(followed(BOB, `<${us};r2=on>`, `<${us}>`), [true, BOB, [us]]);
  assertEquals(followed(BOB, `<${us};r2=on>`, "<sip:p.example.net;lr;r2=on>"), [
    true,
    BOB,
    ["sip:p.example.net;lr;r2=on"],
  ]);
});

Deno.test("a Route that does not begin with us stays as it is", () => {
  assertEquals(followed(BOB), [false, BOB, []]);
  assertEquals(followed(BOB, "<sip:p.example.net;lr>, <sip:192.0.2.1;lr>"), [false, BOB, [
    "sip:p.example.net;lr",
    "sip:192.0.2.1;lr",
  ]]);
});

Deno.test("what a strict router did is undone: our URI goes, and the last Route is the Request-URI again", () => {
  const us = "sip:192.0.2.1:5060;lr";
  assertEquals(followed(us, `<${BOB}>`), [true, BOB, []]);
  assertEquals(followed(us, "<sip:p4.example.net;lr>", `<${BOB}>`), [true, BOB, ["sip:p4.example.net;lr"]]);
  const other = "<sip:[2001:db8::1]:5060;lr;r2=on>";
  assertEquals(followed(`${us};r2=on`, other, `<${BOB}>`), [true, BOB, []]);
});

Deno.test("a Request-URI that is not of our making is left alone", () => {
  for (const uri of ["sip:192.0.2.1", "sip:bob@192.0.2.1;lr", "sip:example.com;lr", "sip:203.0.113.1;lr"]) {
    assertEquals(followed(uri, "<sip:p.example.net;lr>"), [false, uri, ["sip:p.example.net;lr"]]);
  }
  assertEquals(followed("sip:192.0.2.1;lr"), [false, "sip:192.0.2.1;lr", []]);
});

Deno.test("a Route that is no address is malformed, also the one behind ours", () => {
  for (const routes of [["<sip:192.0.2.1;lr"], ["<none>"], ["<sip:192.0.2.1;lr>", "<sip:bob@@x>"]]) {
    assertThrows(() => followed(BOB, ...routes), MalformedError);
  }
});
