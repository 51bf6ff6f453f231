import { assertEquals, assertMatch } from "../support/assert.ts";
import type { Peer } from "../support/peer.ts";
import { World } from "../support/world.ts";

const BOB = "sip:bob@example.com";

/** A caller and a phone that do nothing by themselves; the phone is bob's. */
async function withPeers(world: World): Promise<{ alice: Peer; bob: Peer }> {
  const [alice, bob] = [world.peer(), world.peer()];
  await bob.register(BOB);
  return { alice, bob };
}

/** The rows of a message that the other one lacks. */
function lacking(text: string, other: string): string[] {
  const rows = other.split("\r\n");
  return text.split("\r\n").filter((row) => !rows.includes(row));
}

/** The rows two messages have in common, in the order of the first. */
function common(text: string, other: string): string[] {
  const rows = other.split("\r\n");
  return text.split("\r\n").filter((row) => rows.includes(row));
}

/** A request full of what nobody has to understand. */
function oddRequest(method: string, { sentBy }: Peer): string {
  const rows = [
    `${method} ${BOB} SIP/2.0`,
    "X-First:  spaced   out  ",
    `v: SIP/2.0/UDP ${sentBy};branch=z9hG4bKodd;x="a;b,c" , SIP/2.0/UDP 10.0.0.1;branch=old`,
    "Max-Forwards: 0068",
    'f: "Al\\"ice" <sip:alice@example.com>;tag=a;y',
    `To: ${BOB}`,
    "i: odd@call",
    `cSEQ: 7  ${method}`,
    "Date: the day before yesterday",
    "Subject: folded",
    "\tand \xc3\xbcnfolded",
    "Contact: <<not, an address",
    "x-first: again",
    'Authorization: Digest realm="x, y", nonce=',
    "Expires: soon",
    "l: 11",
  ];
  return `${rows.join("\r\n")}\r\n\r\nbody\r\n\xff\x00\xfe\r\n`;
}

Deno.test("a request leaves as it came, but for what a proxy must change", async () => {
  for (const method of ["INVITE", "MESSAGE"]) {
    await using world = World.of();
    const { alice, bob } = await withPeers(world);
    const came = oddRequest(method, alice);
    alice.sendText(came);
    const left = (await bob.receives(method)).text;
    assertEquals(lacking(came, left), [`${method} ${BOB} SIP/2.0`, "Max-Forwards: 0068"]);
    const added = lacking(left, came);
    assertEquals(added.shift(), `${method} ${bob.contact} SIP/2.0`);
    const rows = added.map((row) => row.replace(/branch=.*/, "branch=")).sort();
    const recordRoute = method === "INVITE" ? ["Record-Route: <sip:192.0.2.1:5060;lr>"] : [];
    const via = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=";
    assertEquals(rows, ["Max-Breadth: 60", "Max-Forwards: 67", ...recordRoute, via]);
    assertEquals(common(left, came), common(came, left));
  }
});

Deno.test("a response leaves as it came, without our Via", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.sendText(oddRequest("INVITE", alice));
  const invite = await bob.receives("INVITE");
  const headers = [["X-Odd", " a,  b "], ["Date", "never"], ["Contact", "<<odd"]] as const;
  for (const status of [183, 486]) {
    bob.reply(invite, status, { toTag: "bobs", headers, body: "\xff\x00\r\n" });
    const { text } = await alice.hears(status);
    const came = world.network.sent.findLast(({ from }) => bob.sentBy.startsWith(from.address))!.text;
    assertEquals(text, came.replace(/Via: SIP\/2.0\/UDP 192.0.2.1:5060;.*\r\n/, ""));
  }
});

Deno.test("Max-Forwards is counted down, or begun with where there is none", async () => {
  const table: [came: string | null, left: number][] = [["70", 69], ["1", 0], ["0068", 67], ["255", 254], [
    null,
    70,
  ]];
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  for (const [came, left] of table) {
    alice.send("MESSAGE", BOB, { maxForwards: came });
    assertEquals((await bob.receives("MESSAGE")).all("Max-Forwards"), [String(left)]);
  }
});

Deno.test("what Max-Forwards begins with may be set", async () => {
  await using world = World.of({ config: { proxy: { maxForwards: 10 } } });
  const { alice, bob } = await withPeers(world);
  alice.send("MESSAGE", BOB, { maxForwards: null });
  assertEquals((await bob.receives("MESSAGE")).maxForwards, 10);
});

Deno.test("a caller behind a NAT gets its answers there, and finds where that is in its Via", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.sendText(alice.text("MESSAGE", BOB).replace(/UDP [^;]+;/, "UDP 10.0.0.9:7777;rport;"));
  const message = await bob.receives("MESSAGE");
  assertMatch(
    message.all("Via")[1],
    /^SIP\/2.0\/UDP 10.0.0.9:7777;rport=5060;received=198.51.100.10;branch=/,
  );
  bob.reply(message, 200);
  const response = await alice.hears(200);
  assertEquals(response.all("Via"), [message.all("Via")[1]]);
});

Deno.test("an OPTIONS for the server is answered with what it is able to do, and no Allow", async () => {
  await using world = World.of();
  const alice = world.peer();
  for (const uri of ["sip:example.com", "sip:192.0.2.1:5060", "sip:192.0.2.1;transport=udp"]) {
    alice.send("OPTIONS", uri);
    const response = await alice.hears(200);
    for (const name of ["Accept", "Accept-Encoding", "Accept-Language", "Supported"]) {
      assertEquals(response.has(name), true, name);
    }
    assertEquals([response.has("Allow"), response.body], [false, ""]);
  }
});

Deno.test("an OPTIONS for the server that requires more than it can do is refused", async () => {
  await using world = World.of();
  const alice = world.peer();
  alice.send("OPTIONS", "sip:example.com", { headers: [["Require", "outbound"]] });
  assertEquals((await alice.hears(420)).all("Unsupported"), ["outbound"]);
});

Deno.test("an OPTIONS for a user is the phone's to answer", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("OPTIONS", BOB);
  bob.reply(await bob.receives("OPTIONS"), 200, { headers: [["Allow", "INVITE"]] });
  assertEquals((await alice.hears(200)).all("Allow"), ["INVITE"]);
});

Deno.test("the same call by two ways is no fault of a proxy's to find", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  const same = { callId: "c", from: "<sip:alice@example.com>;tag=a" };
  alice.send("INVITE", BOB, same);
  alice.send("INVITE", BOB, same);
  await bob.receives("INVITE");
  await bob.receives("INVITE");
});

Deno.test("a CANCEL that belongs to nothing goes where its INVITE would have gone", async () => {
  await using world = World.of();
  const { alice, bob } = await withPeers(world);
  alice.send("CANCEL", BOB);
  assertEquals((await bob.receives("CANCEL")).uriText, bob.contact);
  alice.send("CANCEL", "sip:bob@example.net");
  await alice.hears(403);
});
