import { parseUri } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import type { RecordingFlow } from "../support/flows.ts";
import { BOB, Home } from "../support/home.ts";
import { viaOf } from "../support/messages.ts";
import { SlowStore } from "../support/slow_store.ts";

const ADDRESS = "198.51.100.1";
/** Behind a NAT: it leads to nobody from here. */
const PRIVATE = "<sip:bob@10.0.0.7:5060;transport=tcp>";
const BROWSER = "<sip:bob@k3j5h2.invalid;transport=ws>";
/** The very host the connections of these tests come from, at a port where it listens. */
const LISTENING = `<sip:bob@${ADDRESS}:5060;transport=tcp>`;

/** The contact as the request's URI. */
const bare = (contact: string) => contact.slice(1, -1);

/** A phone that has connected, from one port after another. */
function phoneOf(home: Home, port = 40_000): RecordingFlow {
  return home.connection("tcp", ADDRESS, port);
}

Deno.test("who registers over a connection is reached over that", () => {
  for (const protocol of ["tcp", "tls", "ws", "wss"] as const) {
    const home = new Home();
    const flow = home.connection(protocol, ADDRESS, 40_000);
    home.save([BROWSER], { flow });
    const [{ uri, via }] = home.found();
    assertEquals([uri, via === flow], [bare(BROWSER), true]);
  }
});

Deno.test("who registers over UDP is reached where the contact leads", () => {
  const home = new Home();
  home.save([PRIVATE]);
  assertEquals(home.ways(), [undefined]);
});

Deno.test("the connection of a proxy that a REGISTER came through is not its user agent's", () => {
  const home = new Home();
  const flow = phoneOf(home);
  home.save([PRIVATE], { flow, vias: [viaOf("z9hG4bKproxy"), viaOf("z9hG4bKphone", "10.0.0.7:5060")] });
  assertEquals(home.ways(), [undefined]);
  home.close(flow);
  assertEquals(home.targets(), [bare(PRIVATE)]);
});

Deno.test("each contact is reached over the connection it was registered over", () => {
  const home = new Home();
  const [one, two] = [phoneOf(home, 1_001), phoneOf(home, 1_002)];
  home.save(["<sip:bob@a.invalid>"], { flow: one, callId: "one" });
  home.save(["<sip:bob@b.invalid>"], { flow: two, callId: "two" });
  assertEquals(home.ways().map((via) => via?.id), [one.id, two.id]);
  home.close(one);
  assertEquals(home.targets(), ["sip:bob@b.invalid"]);
  home.close(two);
  assertEquals(home.lookup().kind, "unavailable");
});

Deno.test("a phone that has connected anew moves its binding, and the end of the old connection changes nothing", () => {
  const home = new Home();
  const [old, young] = [phoneOf(home, 1_001), phoneOf(home, 1_002)];
  home.save([BROWSER], { flow: old });
  home.save([BROWSER], { flow: young });
  assertEquals(home.ways().map((via) => via?.id), [young.id]);
  home.close(old);
  assertEquals(home.ways().map((via) => via?.id), [young.id]);
  assertEquals(home.metrics.bindingsDropped, 0);
  home.close(young);
  assertEquals(home.lookup().kind, "unavailable");
});

Deno.test("a phone that goes on over UDP or by a proxy is no longer reached over its old connection", () => {
  const home = new Home();
  const flow = phoneOf(home);
  home.save([PRIVATE], { flow });
  home.save([PRIVATE]);
  assertEquals(home.ways(), [undefined]);
  home.close(flow);
  assertEquals(home.targets(), [bare(PRIVATE)]);
});

Deno.test("a binding is gone with its connection: nobody else hears of it, and its user is not unknown", () => {
  const home = new Home();
  const flow = phoneOf(home);
  home.save([PRIVATE, BROWSER], { flow, headers: [["Expires", "600"]] });
  home.save(["<sip:eve@203.0.113.1>"], { to: "sip:eve@example.com" });
  home.close(flow);
  assertEquals([home.lookup().kind, home.metrics.bindingsDropped], ["unavailable", 2]);
  assertEquals(home.bindings, []);
  assertEquals(home.targets("sip:eve@example.com"), ["sip:eve@203.0.113.1"]);
  home.clock.advance(599_999);
  assertEquals(home.lookup().kind, "unavailable");
  home.clock.advance(1);
  assertEquals(home.lookup().kind, "not-found");
});

Deno.test("who has signed off after losing the connection is unknown", () => {
  for (const contacts of [["*"], [`${PRIVATE};expires=0`]]) {
    const home = new Home();
    const flow = phoneOf(home);
    home.save([PRIVATE], { flow });
    home.close(flow);
    home.save(contacts, { headers: [["Expires", "0"]] });
    assertEquals(home.lookup().kind, "not-found");
  }
});

Deno.test("who has signed off before the connection ends is unknown", () => {
  const home = new Home();
  const flow = phoneOf(home);
  home.save([PRIVATE], { flow });
  home.save([`${PRIVATE};expires=0`], { flow });
  home.close(flow);
  assertEquals([home.lookup().kind, home.metrics.bindingsDropped], ["not-found", 0]);
});

Deno.test("who has lost one connection and then an older one still is not unknown", () => {
  const home = new Home();
  const [old, young] = [phoneOf(home, 1_001), phoneOf(home, 1_002)];
  home.save([PRIVATE], { flow: old });
  home.save([PRIVATE], { flow: young });
  home.close(young);
  home.close(old);
  assertEquals(home.lookup().kind, "unavailable");
});

Deno.test("a contact that leads elsewhere stays when its connection ends, and is connected to again", () => {
  const elsewhere = [
    LISTENING,
    `<sip:bob@${ADDRESS};transport=tcp>`,
    `<sip:bob@${ADDRESS}>`,
    `<sips:bob@${ADDRESS}:5061>`,
  ];
  for (const contact of elsewhere) {
    const home = new Home();
    const flow = phoneOf(home);
    home.save([contact], { flow });
    assertEquals(home.ways(), [flow]);
    home.close(flow);
    assertEquals(home.ways(), [undefined], contact);
    assertEquals(home.metrics.bindingsDropped, 0);
  }
});

Deno.test("a contact that leads nowhere without its connection goes with it", () => {
  const nowhere = [
    PRIVATE,
    BROWSER,
    `<sip:bob@${ADDRESS}:40000;transport=tcp>`,
    `<sip:bob@${ADDRESS}:5060;transport=ws>`,
    `<sip:bob@${ADDRESS}:5060;transport=quic>`,
    "<tel:+15550100>",
  ];
  for (const contact of nowhere) {
    const home = new Home();
    const flow = phoneOf(home);
    home.save([contact], { flow });
    home.close(flow);
    assertEquals([home.lookup().kind, home.metrics.bindingsDropped], ["unavailable", 1], contact);
  }
});

Deno.test("over a connection of our own making the peer can be connected to again", () => {
  const home = new Home();
  const flow = home.connection("tcp", ADDRESS, 5060, false);
  home.save([LISTENING], { flow });
  home.close(flow);
  assertEquals(home.ways(), [undefined]);
});

Deno.test("bindings that are kept lead to their contacts, and nowhere if those are names nobody has", () => {
  const home = new Home({ options: { onFlowClose: "keep" } });
  const flow = phoneOf(home);
  home.save([BROWSER], { flow });
  home.close(flow);
  assertEquals([home.lookup().kind, home.bindings.length], ["unavailable", 1]);
  home.save([PRIVATE], { flow: phoneOf(home, 40_001) });
  assertEquals(home.targets(), [bare(PRIVATE)]);
  const back = phoneOf(home, 40_002);
  home.save([BROWSER], { flow: back });
  assertEquals(home.ways()[0], back);
  assertEquals(home.metrics.bindingsDropped, 0);
});

Deno.test("contacts of browsers that are registered without a connection cannot be called", () => {
  const names = ["k3.invalid", "K3.INVALID:5060", "a.b.invalid;transport=ws", "k3.invalid?Subject=x"];
  for (const name of names) {
    const home = new Home();
    home.save([`<sip:bob@${name}>`]);
    assertEquals(home.lookup().kind, "unavailable", name);
  }
  const others = ["invalid.example.com", "k3.invalid.example", "10.0.0.7;x=a.invalid"];
  for (const name of others) {
    const home = new Home();
    home.save([`<sip:bob@${name}>`]);
    assertEquals(home.targets(), [`sip:bob@${name}`]);
  }
});

Deno.test("a branch that has failed for good takes its binding away, and no other", () => {
  const home = new Home();
  const flow = phoneOf(home);
  home.save(["<sip:bob@203.0.113.1>", "<sip:bob@203.0.113.2>"]);
  home.save([BROWSER], { flow });
  const [first, , last] = home.found();
  home.drop(first);
  home.drop(last);
  assertEquals([home.targets(), home.metrics.bindingsDropped], [["sip:bob@203.0.113.2"], 2]);
  home.drop(first);
  assertEquals(home.metrics.bindingsDropped, 2);
});

Deno.test("a branch over an old connection that has failed takes nothing from a phone that is back", () => {
  const home = new Home();
  const [old, young] = [phoneOf(home, 1_001), phoneOf(home, 1_002)];
  home.save([BROWSER], { flow: old });
  const [target] = home.found();
  home.save([BROWSER], { flow: young });
  home.close(old);
  home.drop(target);
  assertEquals(home.ways(), [young]);
});

Deno.test("a branch over a connection that has ended takes nothing that leads elsewhere, or is kept", () => {
  for (const [contact, onFlowClose] of [[LISTENING, "remove"], [PRIVATE, "keep"]] as const) {
    const home = new Home({ options: { onFlowClose } });
    const flow = phoneOf(home);
    home.save([contact], { flow });
    const [target] = home.found();
    home.close(flow);
    home.drop(target);
    assertEquals(home.targets(), [bare(contact)]);
  }
});

Deno.test("a connection that ends while a slow store is at work leaves no binding behind", async () => {
  const home = new Home({ store: new SlowStore() });
  const flow = phoneOf(home);
  const saved = home.later([BROWSER], { flow });
  home.close(flow);
  await saved;
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals((await home.registrar.lookup(parseUri(BOB), "INVITE")).kind, "unavailable");
  assertEquals(home.metrics.bindingsDropped, 1);
});

Deno.test("a slow store that breaks when a connection has ended is an error of ours", async () => {
  const store = new SlowStore();
  const home = new Home({ store });
  const flow = phoneOf(home);
  await home.later([BROWSER], { flow });
  store.isBroken = true;
  home.close(flow);
  await new Promise((resolve) => setTimeout(resolve));
  assert(home.metrics.internalErrors === 1);
});
