import { type HeaderList, parseUri, SipError } from "../../src/sip/mod.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { BOB, contactsIn, Home, type RegisterParts } from "../support/home.ts";
import { SlowStore } from "../support/slow_store.ts";

const PHONE = "sip:bob@198.51.100.1";

Deno.test("a contact gets the seconds it asks for, or its header asks for, or the default, within limits", () => {
  const table: [contactParams: string, expires: string | undefined, granted: number][] = [
    ["", undefined, 3600],
    [";expires=600", undefined, 600],
    ["", "600", 600],
    [";expires=600", "700", 600],
    ['; expires = "600"', undefined, 600],
    [";EXPIRES=0600", undefined, 600],
    [";expires=60", undefined, 60],
    [";expires=59", undefined, 60],
    [";expires=1", undefined, 60],
    [";expires=86401", undefined, 86400],
    [";expires=4294967295", undefined, 86400],
    [";expires=99999999999999999999", undefined, 86400],
    ["", "4294967296", 86400],
    [";expires=soon", undefined, 3600],
    [";expires=-1", undefined, 3600],
    [";expires=1.5", undefined, 3600],
    [";expires", undefined, 3600],
    [";expires=soon", "0", 3600],
    ["", "later", 3600],
    ["", "", 3600],
  ];
  for (const [params, expires, granted] of table) {
    const headers: HeaderList = expires === undefined ? [] : [["Expires", expires]];
    const told = new Home().contacts([`<${PHONE}>${params}`], { headers });
    assertEquals(told, [`<${PHONE}>;expires=${granted}`], `${params} ${expires}`);
  }
});

Deno.test("too short a time is refused where that is wanted, but never an hour or more, nor an end", () => {
  const home = new Home({ options: { shortExpires: "refuse", minExpires: 7200, defaultExpires: 7200 } });
  for (const expires of [1, 60, 3599]) {
    const { status, reason, headers } = home.refusal([`<${PHONE}>;expires=${expires}`]);
    assertEquals([status, reason], [423, "Interval Too Brief"]);
    assertEquals(headers, [["Min-Expires", "7200"]]);
  }
  assertEquals(home.contacts([`<${PHONE}>;expires=3600`]), [`<${PHONE}>;expires=7200`]);
  const usual = new Home({ options: { shortExpires: "refuse" } });
  assertEquals(usual.refusal([`<${PHONE}>;expires=59`]).status, 423);
  assertEquals(usual.contacts([`<${PHONE}>;expires=60`]), [`<${PHONE}>;expires=60`]);
  assertEquals(home.contacts([`<${PHONE}>;expires=0`]), []);
});

Deno.test("a contact is preferred by its q, and one that is no such number is refused", () => {
  const good: [q: string, value: number][] = [
    ["", 1],
    [";q=1", 1],
    [";q=1.000", 1],
    [";q=0.5", 0.5],
    [";q=0.123", 0.123],
    [";q=0.", 0],
    [";q=0", 0],
    [";Q=0.7", 0.7],
  ];
  for (const [params, value] of good) {
    const home = new Home();
    home.save([`<${PHONE}>${params}`]);
    const located = home.lookup();
    assert(located.kind === "found");
    assertEquals(located.targets.map(({ q }) => q), [value], params);
  }
  for (const q of ["1.1", "-1", "0.1234", "high", "", ".5", "2"]) {
    assertEquals(new Home().refusal([`<${PHONE}>;q=${q}`]).status, 400, q);
  }
});

Deno.test("several contacts of one or more rows are kept in order", () => {
  const home = new Home();
  const told = home.contacts([
    "<sip:bob@10.0.0.1>;q=0.1, sip:bob@10.0.0.2;q=0.2",
    '"B, ob" <sip:bob@10.0.0.3>',
  ]);
  assertEquals(told, [
    "<sip:bob@10.0.0.1>;q=0.1;expires=3600",
    "<sip:bob@10.0.0.2>;q=0.2;expires=3600",
    "<sip:bob@10.0.0.3>;expires=3600",
  ]);
  assertEquals(home.targets(), ["sip:bob@10.0.0.1", "sip:bob@10.0.0.2", "sip:bob@10.0.0.3"]);
});

Deno.test("parameters of a contact and of its URI are told where they stood, instance and reg-id as well", () => {
  const uri = "sip:bob@10.0.0.1;transport=udp;x=1";
  const [before, after] = [';+sip.instance="<urn:uuid:b0b>";reg-id=1', ';q=0.5;audio;note="a;b"'];
  assertEquals(new Home().contacts([`"Bob" <${uri}>${before};expires=90${after}`]), [
    `<${uri}>${before}${after};expires=90`,
  ]);
});

Deno.test("a REGISTER without contacts is told what there is, and changes nothing", () => {
  const home = new Home();
  assertEquals(home.contacts([]), []);
  home.save([`<${PHONE}>;expires=100`]);
  home.clock.advance(40_000);
  assertEquals(home.contacts([], { headers: [["Expires", "9999"]] }), [`<${PHONE}>;expires=60`]);
});

Deno.test("the seconds left count down, and with the last of them the contact is gone", () => {
  const home = new Home();
  home.save([`<${PHONE}>;expires=60`]);
  const table: [advance: number, left: string[]][] = [
    [1, [`<${PHONE}>;expires=60`]],
    [999, [`<${PHONE}>;expires=59`]],
    [58_500, [`<${PHONE}>;expires=1`]],
    [499, [`<${PHONE}>;expires=1`]],
  ];
  for (const [advance, left] of table) {
    home.clock.advance(advance);
    assertEquals(home.bindings, left);
  }
  home.clock.advance(1);
  assertEquals(home.bindings, []);
  assertEquals(home.lookup().kind, "not-found");
});

Deno.test("the answer says what time it is", () => {
  const home = new Home();
  const dateOf = (headers: HeaderList) => headers.find(([name]) => name === "Date")?.[1];
  assertEquals(dateOf(home.save([])), "Thu, 01 Jan 2026 00:00:00 GMT");
  home.clock.advance(61_999);
  assertEquals(dateOf(home.save([])), "Thu, 01 Jan 2026 00:01:01 GMT");
});

Deno.test("a contact is refreshed by an equal URI, and takes its new form", () => {
  const equal: [first: string, second: string][] = [
    ["sip:bob@host.example", "sip:bob@HOST.example"],
    ["sip:bob@10.0.0.1", "SIP:bob@10.0.0.1"],
    ["sip:b%6Fb@10.0.0.1", "sip:bob@10.0.0.1"],
    ["sip:bob@10.0.0.1;x=1;y=2", "sip:bob@10.0.0.1;Y=2;X=1"],
    ["sip:bob@10.0.0.1;x=1", "sip:bob@10.0.0.1"],
    ["sip:bob@10.0.0.1;transport=UDP", "sip:bob@10.0.0.1;transport=udp"],
    ["sip:bob@[2001:db8::1]", "sip:bob@[2001:DB8:0::1]"],
  ];
  for (const [first, second] of equal) {
    const home = new Home();
    home.save([`<${first}>`]);
    assertEquals(home.contacts([`<${second}>;expires=99`]), [`<${second}>;expires=99`], second);
  }
});

Deno.test("contacts that differ in what tells URIs apart are several", () => {
  const different: [first: string, second: string][] = [
    ["sip:bob@10.0.0.1", "sip:Bob@10.0.0.1"],
    ["sip:bob@10.0.0.1", "sip:bob@10.0.0.1:5060"],
    ["sip:bob@10.0.0.1", "sip:10.0.0.1"],
    ["sip:bob@10.0.0.1", "sips:bob@10.0.0.1"],
    ["sip:bob@10.0.0.1", "sip:bob@10.0.0.1;transport=udp"],
    ["sip:bob@10.0.0.1;x=1", "sip:bob@10.0.0.1;x=2"],
    ["sip:bob@10.0.0.1", "sip:bob@10.0.0.1?Subject=x"],
    ["tel:+1-555", "tel:+1555"],
  ];
  for (const [first, second] of different) {
    const home = new Home();
    home.save([`<${first}>`]);
    assertEquals(home.contacts([`<${second}>`]).length, 2, second);
  }
});

Deno.test("expires of 0 takes one contact away, and it is no fault if there is none", () => {
  const home = new Home();
  home.save(["<sip:bob@10.0.0.1>", "<sip:bob@10.0.0.2>"]);
  const left = ["<sip:bob@10.0.0.2>;expires=3600"];
  assertEquals(home.contacts(["<sip:bob@10.0.0.1>;expires=0"]), left);
  assertEquals(home.contacts(["<sip:bob@10.0.0.9>;expires=0"]), left);
  assertEquals(home.contacts(["<sip:bob@10.0.0.2>"], { headers: [["Expires", "0"]] }), []);
});

Deno.test("a star takes all contacts away, those of other Call-IDs as well", () => {
  const home = new Home();
  home.save(["<sip:bob@10.0.0.1>"], { callId: "one", cseq: 7 });
  home.save(["<sip:bob@10.0.0.2>"], { callId: "two", cseq: 900 });
  assertEquals(home.contacts(["*"], { callId: "one", cseq: 8, headers: [["Expires", "0"]] }), []);
  assertEquals(home.contacts(["*"], { callId: "one", cseq: 8, headers: [["Expires", "0"]] }), []);
});

Deno.test("a star stands alone, with an Expires header of 0, and comes after what it takes away", () => {
  const zero: HeaderList = [["Expires", "0"]];
  const table: [contacts: string[], parts: RegisterParts][] = [
    [["*"], {}],
    [["*"], { headers: [["Expires", "60"]] }],
    [["*"], { headers: [["Expires", "none"]] }],
    [["*;expires=0"], {}],
    [["*", `<${PHONE}>`], { headers: zero }],
    [[`<${PHONE}>, *`], { headers: zero }],
    [["*"], { headers: zero, callId: "phone", cseq: 5 }],
    [["*"], { headers: zero, callId: "phone", cseq: 4 }],
  ];
  for (const [contacts, parts] of table) {
    const home = new Home();
    home.save([`<${PHONE}>`], { callId: "other", cseq: 1 });
    home.save(["<sip:bob@10.0.0.2>"], { callId: "phone", cseq: 5 });
    assertEquals(home.refusal(contacts, parts).status, 400, contacts.join());
    assertEquals(home.bindings.length, 2);
  }
});

Deno.test("an older REGISTER of the same Call-ID is refused, and changes nothing", () => {
  const home = new Home();
  home.save([`<${PHONE}>`], { cseq: 10 });
  for (const contact of [`<${PHONE}>;expires=99`, `<${PHONE}>;expires=0`]) {
    const { status, reason } = home.refusal([contact], { cseq: 9 });
    assertEquals([status, reason], [400, "Invalid CSeq Number"]);
  }
  assertEquals(home.bindings, [`<${PHONE}>;expires=3600`]);
});

Deno.test("a copy is answered like the first and without effect for 32 seconds, and refused afterwards", () => {
  const home = new Home();
  home.save([`<${PHONE}>;expires=100`], { cseq: 10 });
  home.clock.advance(31_999);
  assertEquals(home.contacts([`<${PHONE}>;expires=100`], { cseq: 10 }), [`<${PHONE}>;expires=69`]);
  home.clock.advance(1);
  assertEquals(home.refusal([`<${PHONE}>;expires=100`], { cseq: 10 }).status, 400);
  assertEquals(home.bindings, [`<${PHONE}>;expires=68`]);
});

Deno.test("a phone that has started anew registers with another Call-ID, whatever its CSeq", () => {
  const home = new Home();
  home.save([`<${PHONE}>;expires=100`], { callId: "before", cseq: 500 });
  assertEquals(home.contacts([`<${PHONE}>;expires=200`], { callId: "after", cseq: 1 }), [
    `<${PHONE}>;expires=200`,
  ]);
  assertEquals(home.contacts([`<${PHONE}>;expires=0`], { callId: "third", cseq: 1 }), []);
});

Deno.test("a contact that stands in one REGISTER twice is as it stands there last", () => {
  const home = new Home();
  assertEquals(home.contacts([`<${PHONE}>;q=0.1`, `<${PHONE}>;q=0.2`]), [`<${PHONE}>;q=0.2;expires=3600`]);
  assertEquals(home.contacts([`<${PHONE}>`, `<${PHONE}>;expires=0`]), []);
});

Deno.test("one bad contact among good ones spoils the whole REGISTER", () => {
  const bad: [contact: string, status: number][] = [
    ["<sip:bob@10.0.0.9>;q=7", 400],
    ["<sip:bob@>", 400],
    ["<nothing at all>", 400],
    ["<sip:bob@10.0.0.9", 400],
    [`<sip:${"b".repeat(600)}@10.0.0.9>`, 400],
    [`<${BOB}>`, 403],
    ["<sip:bob@10.0.0.2>;expires=0", 400],
  ];
  for (const [contact, status] of bad) {
    const home = new Home();
    home.save(["<sip:bob@10.0.0.2>"], { callId: "other", cseq: 7 });
    const good = ["<sip:bob@10.0.0.1>", "<sip:bob@10.0.0.3>"];
    assertEquals(
      home.refusal([good[0], contact, good[1]], { callId: "other", cseq: 6 }).status,
      status,
      contact,
    );
    assertEquals(home.bindings, ["<sip:bob@10.0.0.2>;expires=3600"]);
    assertEquals(home.metrics.registrationsRejected, 1);
  }
});

Deno.test("there are only so many contacts of one address; one may take another's place", () => {
  const home = new Home({ options: { maxContacts: 2 } });
  home.save(["<sip:bob@10.0.0.1>", "<sip:bob@10.0.0.2>"]);
  assertEquals(home.refusal(["<sip:bob@10.0.0.3>"]).status, 503);
  assertEquals(home.contacts(["<sip:bob@10.0.0.3>", "<sip:bob@10.0.0.1>;expires=0"]).length, 2);
  assertEquals(home.contacts(["<sip:bob@10.0.0.3>;expires=99"]).length, 2);
  assertEquals(
    home.contacts(["<sip:eve@10.0.0.1>", "<sip:eve@10.0.0.2>"], { to: "sip:eve@example.com" }).length,
    2,
  );
});

Deno.test("a contact may be only so long", () => {
  const longest = `sip:${"b".repeat(512 - "sip:@10.0.0.1".length)}@10.0.0.1`;
  assertEquals(new Home().contacts([`<${longest}>`]).length, 1);
  assertEquals(new Home().refusal([`<${longest}1>`]).status, 400);
});

Deno.test("a contact that means the address of record itself is refused with 403", () => {
  const same = [
    BOB,
    "sip:bob@EXAMPLE.com",
    "sip:%62ob@example.com",
    "sip:bob@example.com:5060",
    "sip:bob@example.com;transport=udp",
    "sips:bob@example.com",
    "sip:bob@192.0.2.1",
  ];
  for (const contact of same) assertEquals(new Home().refusal([`<${contact}>`]).status, 403, contact);
  const other = [
    "sip:Bob@example.com",
    "sip:eve@example.com",
    "sip:bob@example.com:5070",
    "sip:bob@example.com;maddr=10.0.0.1",
    "sip:bob@example.com?Route=%3Csip:sip.example.com%3E",
  ];
  for (const contact of other) {
    assertEquals(new Home().contacts([`<${contact}>`]).length, 1, contact);
  }
});

Deno.test("who registers is who To says, in whatever form", () => {
  const home = new Home();
  home.save([`<${PHONE}>`], { to: "sip:%62ob@EXAMPLE.COM;x=1" });
  for (const uri of [BOB, "sip:bob@192.0.2.1:5060", "sip:bo%62@example.com;user=phone", "sips:BOB@x"]) {
    assertEquals(home.lookup(uri).kind, uri.includes("BOB") ? "not-found" : "found", uri);
  }
  assertEquals(home.lookup("sip:Bob@example.com").kind, "not-found");
});

Deno.test("nobody can register for a domain that is not ours, nor for an address that is none", () => {
  const table: [to: string, status: number][] = [
    ["sip:bob@example.net", 404],
    ["sip:example.com", 404],
    ["sip:bob@example.com:7", 404],
    ["tel:+15550100", 400],
    ["mailto:bob@example.com", 400],
  ];
  for (const [to, status] of table) {
    assertEquals(new Home().refusal([`<${PHONE}>`], { to }).status, status, to);
  }
});

Deno.test("what a REGISTER requires is looked at before whom it is for", () => {
  const headers = [["Require", "path, foo"]] as const;
  const { status, headers: told } = new Home().refusal([`<${PHONE}>`], { to: "sip:x@example.net", headers });
  assertEquals([status, ...told], [420, ["Unsupported", "path, foo"]]);
});

Deno.test("contacts of other schemes are kept and told, but no request is sent there", () => {
  const home = new Home();
  const told = home.contacts(["<tel:+1-555-0100>;q=0.3", "<mailto:bob@example.com>"]);
  assertEquals(told, ["<tel:+1-555-0100>;q=0.3;expires=3600", "<mailto:bob@example.com>;expires=3600"]);
  assertEquals(home.lookup().kind, "unavailable");
  home.save([`<${PHONE}>`]);
  assertEquals(home.targets(), [PHONE]);
  assertEquals(home.contacts(["<tel:+1-555-0100>;expires=0"]).length, 2);
});

Deno.test("a secure address is not reached by contacts that are not", () => {
  const home = new Home();
  home.save([`<${PHONE}>`]);
  assertEquals(home.lookup("sips:bob@example.com").kind, "unavailable");
  home.save(["<sips:bob@10.0.0.2>"]);
  assertEquals(home.targets("sips:bob@example.com"), ["sips:bob@10.0.0.2"]);
  assertEquals(home.targets(), [PHONE, "sip:bob@10.0.0.2;transport=tls"]);
});

Deno.test("contacts that do not take a method are spared it, where that is wanted", () => {
  const home = new Home({ options: { methodFiltering: true } });
  home.save(['<sip:bob@10.0.0.1>;methods="INVITE, BYE"'], { callId: "1" });
  home.save(["<sip:bob@10.0.0.2>"], {
    callId: "2",
    headers: [["Allow", "MESSAGE, OPTIONS"], ["Allow", "DANCE"]],
  });
  assertEquals(home.targets(BOB, "INVITE"), ["sip:bob@10.0.0.1"]);
  assertEquals(home.targets(BOB, "MESSAGE"), ["sip:bob@10.0.0.2"]);
  assertEquals(home.targets(BOB, "DANCE"), ["sip:bob@10.0.0.2"]);
  assertEquals(home.lookup(BOB, "REFER"), {
    kind: "method-not-allowed",
    allow: "INVITE, BYE, OPTIONS, MESSAGE",
  });
  home.save(["<sip:bob@10.0.0.3>"], { callId: "3" });
  assertEquals(home.targets(BOB, "REFER"), ["sip:bob@10.0.0.3"]);
});

Deno.test("without method filtering every contact gets every method", () => {
  const home = new Home();
  home.save([`<${PHONE}>;methods="BYE"`], { headers: [["Allow", "BYE"]] });
  assertEquals(home.targets(BOB, "INVITE"), [PHONE]);
});

Deno.test("a full store refuses new contacts with 503, and still refreshes and forgets those it has", () => {
  const home = new Home({ maxBindings: 1 });
  home.save([`<${PHONE}>`]);
  const { status, headers } = home.refusal(["<sip:eve@10.0.0.1>"], { to: "sip:eve@example.com" });
  assertEquals([status, ...headers], [503, ["Retry-After", "60"]]);
  assertEquals(home.contacts([`<${PHONE}>;expires=99`]), [`<${PHONE}>;expires=99`]);
  assertEquals(home.contacts([`<${PHONE}>;expires=0`]), []);
  assertEquals([home.metrics.bindingsShed, home.metrics.registrationsRejected], [1, 1]);
  assertEquals(home.metrics.registrationsAccepted, 3);
});

Deno.test("a store that takes its time is waited for", async () => {
  const home = new Home({ store: new SlowStore() });
  assertEquals(contactsIn(await home.later([`<${PHONE}>;expires=60`])), [`<${PHONE}>;expires=60`]);
  assertEquals((await home.registrar.lookup(parseUri(BOB), "INVITE")).kind, "found");
  await assertRejects(async () => await home.later([`<${BOB}>`]), SipError, "403");
  assertEquals([home.metrics.registrationsAccepted, home.metrics.registrationsRejected], [1, 1]);
});

Deno.test("a store that breaks is an error of ours", async () => {
  const store = new SlowStore();
  const home = new Home({ store });
  store.isBroken = true;
  await assertRejects(async () => await home.later([`<${PHONE}>`]), Error, "store is gone");
  assertEquals(home.metrics.registrationsRejected, 1);
});
