import { Domains, RecordRoute } from "../../src/modules/mod.ts";
import { MalformedError } from "../../src/sip/mod.ts";
import { Transports } from "../../src/transport/mod.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { RecordingTransport } from "../support/flows.ts";
import { request } from "../support/messages.ts";
import { Seen } from "../support/received.ts";

const V4 = new RecordingTransport("udp", "192.0.2.1");
const V6 = new RecordingTransport("udp", "2001:db8::1");

function recordRoute(): RecordRoute {
  const transports = new Transports();
  transports.add(V4);
  transports.add(V6);
  return new RecordRoute(new Domains(["example.com"], transports));
}

/** What becomes of a request to `uri` with these Routes: whether we were in them, the URI, and what is left. */
function followed(uri: string, ...routes: string[]): [isOurs: boolean, uri: string, routes: string[]] {
  const seen = new Seen(request("BYE", { uri, headers: routes.map((route) => ["Route", route] as const) }));
  const isOurs = recordRoute().follow(seen);
  const { uriText, routes: left } = seen.leaving(V4);
  return [isOurs, uriText, left.map(({ uriText }) => uriText)];
}

Deno.test("a request that leaves by the listener it came in by gets one Record-Route, above the others", () => {
  const seen = new Seen(request("INVITE", { headers: [["Record-Route", "<sip:203.0.113.1;lr>"]] }), V4);
  recordRoute().record(seen);
  assertEquals(seen.leaving(V4).all("Record-Route"), ["<sip:192.0.2.1:5060;lr>", "<sip:203.0.113.1;lr>"]);
});

Deno.test("a request that leaves by another listener gets two, the one it leaves by on top", () => {
  const seen = new Seen(request("INVITE"), V4);
  recordRoute().record(seen);
  const both = ["<sip:[2001:db8::1]:5060;lr;r2=on>", "<sip:192.0.2.1:5060;lr;r2=on>"];
  assertEquals(seen.leaving(V6).all("Record-Route"), both);
  assertEquals(seen.leaving(V4).all("Record-Route"), ["<sip:192.0.2.1:5060;lr>"]);
});

Deno.test("a Route that names us is taken away, whatever form it has", () => {
  const bob = "sip:bob@198.51.100.2";
  const forms = [
    "<sip:192.0.2.1;lr>",
    "<sip:192.0.2.1:5060;lr>",
    "<sip:[2001:db8::1]:5060;lr=on>",
    "Us <sip:example.com;lr>;x=y",
    "<sip:192.0.2.1:5060>",
  ];
  for (const form of forms) {
    assertEquals(followed(bob, form), [true, bob, []]);
    assertEquals(followed(bob, `${form}, <sip:p2.example.net;lr>`), [true, bob, ["sip:p2.example.net;lr"]]);
  }
});

Deno.test("a double Record-Route is taken away in one go", () => {
  const bob = "sip:bob@198.51.100.2";
  const both = ["<sip:[2001:db8::1]:5060;lr;r2=on>", "<sip:192.0.2.1:5060;lr;r2=on>"];
  assertEquals(followed(bob, ...both, "<sip:p.example.net;lr>"), [true, bob, ["sip:p.example.net;lr"]]);
  assertEquals(followed(bob, both.toReversed().join(", ")), [true, bob, []]);
});

Deno.test("of two Routes of ours that do not belong together only the first is taken away", () => {
  const bob = "sip:bob@198.51.100.2";
  const us = "sip:192.0.2.1:5060;lr";
  assertEquals(followed(bob, `<${us}>`, `<${us}>`), [true, bob, [us]]);
  assertEquals(followed(bob, `<${us};r2=on>`, `<${us}>`), [true, bob, [us]]);
  assertEquals(followed(bob, `<${us};r2=on>`, "<sip:p.example.net;lr;r2=on>"), [
    true,
    bob,
    ["sip:p.example.net;lr;r2=on"],
  ]);
});

Deno.test("a Route that does not begin with us stays as it is", () => {
  const bob = "sip:bob@198.51.100.2";
  assertEquals(followed(bob), [false, bob, []]);
  assertEquals(followed(bob, "<sip:p.example.net;lr>, <sip:192.0.2.1;lr>"), [false, bob, [
    "sip:p.example.net;lr",
    "sip:192.0.2.1;lr",
  ]]);
});

Deno.test("what a strict router did is undone: our URI goes, and the last Route is the Request-URI again", () => {
  const us = "sip:192.0.2.1:5060;lr";
  const bob = "sip:bob@198.51.100.2";
  assertEquals(followed(us, `<${bob}>`), [true, bob, []]);
  assertEquals(followed(us, "<sip:p4.example.net;lr>", `<${bob}>`), [true, bob, ["sip:p4.example.net;lr"]]);
  const other = "<sip:[2001:db8::1]:5060;lr;r2=on>";
  assertEquals(followed(`${us};r2=on`, other, `<${bob}>`), [true, bob, []]);
});

Deno.test("a Request-URI that is not of our making is left alone", () => {
  for (const uri of ["sip:192.0.2.1", "sip:bob@192.0.2.1;lr", "sip:example.com;lr", "sip:203.0.113.1;lr"]) {
    assertEquals(followed(uri, "<sip:p.example.net;lr>"), [false, uri, ["sip:p.example.net;lr"]]);
  }
  assertEquals(followed("sip:192.0.2.1;lr"), [false, "sip:192.0.2.1;lr", []]);
});

Deno.test("a Route that is no address is malformed, also the one behind ours", () => {
  for (const routes of [["<sip:192.0.2.1;lr"], ["<none>"], ["<sip:192.0.2.1;lr>", "<sip:bob@@x>"]]) {
    assertThrows(() => followed("sip:bob@198.51.100.2", ...routes), MalformedError);
  }
});
