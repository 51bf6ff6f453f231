import { RequestDraft, ResponseDraft } from "../../src/sip/draft.ts";
import { MalformedError } from "../../src/sip/errors.ts";
import { parseUri } from "../../src/sip/uri.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { asRequest, asResponse } from "../support/messages.ts";

/** Rows as phones really write them: odd cases, spaces, folds, fields nobody knows, two Vias in one row. */
const ROWS = [
  "v: SIP/2.0/UDP a.example;branch=z9hG4bK1 ,SIP/2.0/TCP b.example",
  "Max-Forwards :  70",
  "f: Alice <sip:alice@example.com>\r\n ;tag=a1",
  "TO:<sip:bob@example.com>",
  "Route: <sip:p1;lr>",
  "X-Odd: ;;,, ",
  "Call-ID: call-1",
  "route: <sip:p2;lr>,<sip:p3;lr>",
  "CSeq: 7 MESSAGE",
  "l: 6",
];
const BODY = "h\u00c3\u00abllo";

function textOf(rows: readonly string[], startLine = "MESSAGE sip:bob@example.com SIP/2.0"): string {
  return [startLine, ...rows, "", BODY].join("\r\n");
}

/** A draft of a request of these rows. */
function drafted(rows: readonly string[] = ROWS): RequestDraft {
  return new RequestDraft(asRequest(textOf(rows)));
}

/** The usual rows with those at `from` to `to` replaced. */
function spliced(from: number, to: number, ...rows: string[]): string {
  return textOf(ROWS.toSpliced(from, to - from, ...rows));
}

Deno.test("what is not edited leaves as it came, byte for byte", () => {
  assertEquals(drafted().toString(), textOf(ROWS));
  const text = textOf(ROWS, "SIP/2.0 200 \u00c3\u00a0 la carte ");
  assertEquals(new ResponseDraft(asResponse(text)).toString(), text);
});

Deno.test("a field that is set takes the place of its first row, and is written plainly", () => {
  assertEquals(drafted().set("Max-Forwards", "69").toString(), spliced(1, 2, "Max-Forwards: 69"));
  assertEquals(drafted().set("From", "<sip:x>;tag=1").toString(), spliced(2, 3, "From: <sip:x>;tag=1"));
});

Deno.test("a field of several rows that is set leaves one", () => {
  const expected = textOf(ROWS.toSpliced(7, 1).toSpliced(4, 1, "Route: <sip:p9>"));
  assertEquals(drafted().set("Route", "<sip:p9>").toString(), expected);
});

Deno.test("a field that is not there comes first when it is set, but below the Vias", () => {
  assertEquals(drafted().set("Expires", "60").toString(), spliced(1, 1, "Expires: 60"));
  assertEquals(drafted().set("X-New", "1").toString(), spliced(1, 1, "X-New: 1"));
});

Deno.test("where the header does not begin with a Via, a new field comes first of all", () => {
  const rows = [ROWS[1], ROWS[0], ...ROWS.slice(2)];
  assertEquals(drafted(rows).set("X-New", "1").toString(), textOf(["X-New: 1", ...rows]));
});

Deno.test("every value that is set gets its row, in order", () => {
  const expected = textOf(ROWS.toSpliced(7, 1).toSpliced(4, 1, "Route: <sip:x>", "Route: <sip:y>"));
  assertEquals(drafted().setAll("Route", ["<sip:x>", "<sip:y>"]).toString(), expected);
  assertEquals(
    drafted().setAll("Path", ["<sip:x>", "<sip:y>"]).toString(),
    spliced(1, 1, "Path: <sip:x>", "Path: <sip:y>"),
  );
});

Deno.test("a prepended value stands above the first of its kind, the last one prepended on top", () => {
  assertEquals(drafted().prepend("Route", "<sip:x>").toString(), spliced(4, 4, "Route: <sip:x>"));
  assertEquals(
    drafted().prepend("Route", "<sip:x>").prepend("Route", "<sip:y>").toString(),
    spliced(4, 4, "Route: <sip:y>", "Route: <sip:x>"),
  );
  assertEquals(drafted().prepend("Via", "SIP/2.0/UDP me").toString(), spliced(0, 0, "Via: SIP/2.0/UDP me"));
  assertEquals(
    drafted().prepend("Record-Route", "<sip:x>").toString(),
    spliced(1, 1, "Record-Route: <sip:x>"),
  );
});

Deno.test("a removed field is gone with all its rows, folds and compact names", () => {
  assertEquals(drafted().remove("Route").toString(), textOf(ROWS.toSpliced(7, 1).toSpliced(4, 1)));
  assertEquals(drafted().remove("From").toString(), spliced(2, 3));
  assertEquals(drafted().remove("Via").toString(), spliced(0, 1));
  assertEquals(drafted().remove("X-Odd").toString(), spliced(5, 6));
  assertEquals(drafted().remove("Path").toString(), textOf(ROWS));
});

Deno.test("edits of one field follow each other", () => {
  assertEquals(drafted().set("X-Odd", "1").set("X-Odd", "2").toString(), spliced(5, 6, "X-Odd: 2"));
  assertEquals(drafted().remove("X-Odd").prepend("X-Odd", "1").toString(), spliced(5, 6, "X-Odd: 1"));
  assertEquals(drafted().prepend("X-Odd", "1").remove("X-Odd").toString(), spliced(5, 6));
  assertEquals(
    drafted().set("X-Odd", "1").prepend("X-Odd", "2").toString(),
    spliced(5, 6, "X-Odd: 2", "X-Odd: 1"),
  );
});

Deno.test("a name stands for its field in any case", () => {
  assertEquals(drafted().set("x-odd", "1").set("X-ODD", "2").toString(), spliced(5, 6, "x-odd: 2"));
  assertEquals(drafted().set("max-forwards", "9").toString(), spliced(1, 2, "max-forwards: 9"));
  assertEquals(drafted().remove("ROUTE").all("Route"), []);
});

Deno.test("edits of several fields are all written, wherever they stand", () => {
  const draft = drafted().set("Call-ID", "other").remove("Route").prepend("Via", "SIP/2.0/UDP me")
    .set("Max-Forwards", "69").set("X-Odd", "even");
  const rows = ROWS.toSpliced(7, 1).with(6, "Call-ID: other").with(5, "X-Odd: even").toSpliced(4, 1)
    .with(1, "Max-Forwards: 69").toSpliced(0, 0, "Via: SIP/2.0/UDP me");
  assertEquals(draft.toString(), textOf(rows));
});

Deno.test("a new field on top is not lost when the first row is edited, whichever came first", () => {
  const rows = ["Max-Forwards: 70", ...ROWS.toSpliced(1, 1)];
  const expected = textOf(["Record-Route: <sip:me>", "Max-Forwards: 69", ...rows.slice(1)]);
  assertEquals(
    drafted(rows).set("Max-Forwards", "69").prepend("Record-Route", "<sip:me>").toString(),
    expected,
  );
  assertEquals(
    drafted(rows).prepend("Record-Route", "<sip:me>").set("Max-Forwards", "69").toString(),
    expected,
  );
  const removed = drafted(rows).remove("Max-Forwards").set("X-New", "1").set("Path", "<sip:me>");
  assertEquals(removed.toString(), textOf(["X-New: 1", "Path: <sip:me>", ...rows.slice(1)]));
});

Deno.test("a draft tells the values that will leave", () => {
  const draft = drafted();
  assertEquals(draft.all("Route"), ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]);
  draft.prepend("Route", "<sip:p0;lr>");
  assertEquals(draft.all("Route"), ["<sip:p0;lr>", "<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]);
  draft.set("Route", "<sip:p9;lr>");
  assertEquals(draft.all("Route"), ["<sip:p9;lr>"]);
  draft.remove("Route");
  assertEquals(draft.all("Route"), []);
});

Deno.test("a new Request-URI changes the start line and nothing else", () => {
  const draft = drafted();
  draft.uri = "sips:carol@example.net;lr";
  assertEquals(draft.uri.host, "example.net");
  assertEquals(draft.toString(), textOf(ROWS, "MESSAGE sips:carol@example.net;lr SIP/2.0"));
  draft.uri = parseUri("tel:+1");
  assertEquals(draft.toString(), textOf(ROWS, "MESSAGE tel:+1 SIP/2.0"));
  assertThrows(() => {
    draft.uri = "no uri";
  }, MalformedError);
});

Deno.test("a fork has the same edits, and neither changes the other", () => {
  const draft = drafted().set("Max-Forwards", "69").prepend("Via", "SIP/2.0/UDP me");
  const fork = draft.fork();
  assertEquals(fork.toString(), draft.toString());
  fork.uri = "sip:phone@192.0.2.7";
  fork.prepend("Via", "SIP/2.0/UDP other").remove("Max-Forwards");
  const rows = ["Via: SIP/2.0/UDP me", ROWS[0], "Max-Forwards: 69", ...ROWS.slice(2)];
  assertEquals(draft.toString(), textOf(rows));
  const forked = rows.toSpliced(2, 1).toSpliced(0, 0, "Via: SIP/2.0/UDP other");
  assertEquals(fork.toString(), textOf(forked, "MESSAGE sip:phone@192.0.2.7 SIP/2.0"));
});

Deno.test("the source of the request is written into its Via, below one of ours", () => {
  const request = asRequest(textOf(ROWS));
  request.stampSource("192.0.2.9", 7000, true);
  const via = ROWS[0].replace(";branch", ";rport=7000;received=192.0.2.9;branch");
  assertEquals(new RequestDraft(request).toString(), spliced(0, 1, via));
  const relayed = new RequestDraft(request).prepend("Via", "SIP/2.0/UDP me");
  assertEquals(relayed.toString(), spliced(0, 1, "Via: SIP/2.0/UDP me", via));
  assertEquals(
    new RequestDraft(request).set("Via", "SIP/2.0/UDP me").toString(),
    spliced(0, 1, "Via: SIP/2.0/UDP me"),
  );
  assertEquals(new RequestDraft(request).remove("Via").toString(), spliced(0, 1));
});

Deno.test("the version leaves in capitals, however it came", () => {
  const request = asRequest(textOf(ROWS, "MESSAGE sip:bob@example.com sip/2.0"));
  assertEquals(new RequestDraft(request).toString(), textOf(ROWS));
  const response = asResponse(textOf(ROWS, "Sip/2.0 200 Fine"));
  assertEquals(new ResponseDraft(response).toString(), textOf(ROWS, "SIP/2.0 200 Fine"));
});

const REST = ["From: <sip:a>;tag=1", "To: <sip:b>;tag=2", "Call-ID: 1", "CSeq: 1 MESSAGE", "l: 6"];

/** A draft of a response with these rows and the usual ones after them. */
function answer(...rows: string[]): ResponseDraft {
  return new ResponseDraft(asResponse(textOf([...rows, ...REST], "SIP/2.0 200 OK")));
}

Deno.test("the top Via comes off, whether it has a row of its own or stands in a list", () => {
  const [a, b] = ["SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/2.0/TCP b"];
  const table: [received: string[], left: string[]][] = [
    [[`Via: ${a}`, `Via: ${b}`], [`Via: ${b}`]],
    [[`Via: ${a}`], []],
    [[`Via: ${a}, ${b}`], [`Via: ${b}`]],
    [[`Via: ${a},${b}`], [`Via:${b}`]],
    [[`v:${a} , ${b}`, "VIA: SIP/2.0/UDP c"], [`v: ${b}`, "VIA: SIP/2.0/UDP c"]],
    [[`V : ${a}`, `via: ${b}`], [`via: ${b}`]],
    [["X: 1", `Via: ${a}`, "Y: 2", `Via: ${b}`], ["X: 1", "Y: 2", `Via: ${b}`]],
    [[`Via: SIP/2.0/UDP\r\n a;branch=z9hG4bK1\r\n , ${b}`], [`Via: ${b}`]],
    [[`Via:\r\n ${a},\r\n ${b}`], [`Via:\r\n ${b}`]],
    [[`Via: ${a}\r\n ;x\r\n `, `Via: ${b}`], [`Via: ${b}`]],
    [[`Via: ${a}, `, `Via: ${b}`], [`Via: ${b}`]],
    [['Via: SIP/2.0/UDP a;x="1,2", SIP/2.0/TCP b'], [`Via: ${b}`]],
  ];
  for (const [received, left] of table) {
    const expected = textOf([...left, ...REST], "SIP/2.0 200 OK");
    assertEquals(answer(...received).removeTopVia().toString(), expected);
    assertEquals(answer(...received).removeTopVia().removeTopVia().toString(), expected);
  }
});

Deno.test("a response draft tells the Vias that will leave", () => {
  const draft = answer("Via: SIP/2.0/UDP a, SIP/2.0/UDP b", "Via: SIP/2.0/UDP c");
  assertEquals(draft.all("Via").length, 3);
  assertEquals(draft.removeTopVia().all("Via"), ["SIP/2.0/UDP b", "SIP/2.0/UDP c"]);
});

Deno.test("other edits and the removal of the top Via do not get in each other's way", () => {
  const [first, ...vias] = ["Via: SIP/2.0/UDP a", "Via: SIP/2.0/UDP b"];
  const table: [edit: (draft: ResponseDraft) => unknown, left: string[]][] = [
    [(draft) => draft.set("X-New", "1"), [...vias, "X-New: 1"]],
    [(draft) => draft.prepend("Via", "SIP/2.0/UDP x"), ["Via: SIP/2.0/UDP x", ...vias]],
    [(draft) => draft.set("Via", "SIP/2.0/UDP x"), ["Via: SIP/2.0/UDP x"]],
    [(draft) => draft.remove("Via"), []],
  ];
  for (const [edit, left] of table) {
    for (const isEditFirst of [true, false]) {
      const draft = answer(first, ...vias);
      if (isEditFirst) edit(draft);
      draft.removeTopVia();
      if (!isEditFirst) edit(draft);
      assertEquals(draft.toString(), textOf([...left, ...REST], "SIP/2.0 200 OK"));
    }
  }
});
