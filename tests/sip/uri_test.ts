import { MalformedError } from "../../src/sip/errors.ts";
import { asRequestUri, hostPort, parseUri, sameUri, unescapePlain, type Uri } from "../../src/sip/uri.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

/** What of a URI a row of a table tells; the rest is as in `sip:example.com`. */
type Parts = Partial<Record<"scheme" | "user" | "password" | "host" | "headers" | "params", string>> & {
  readonly port?: number;
};

function partsOf(uri: Uri): Parts {
  const { scheme, user, password, host, port, headers } = uri;
  const parts: Record<string, unknown> = { scheme, host };
  if (user !== undefined) parts.user = user;
  if (password !== undefined) parts.password = password;
  if (port !== undefined) parts.port = port;
  if (headers !== "") parts.headers = headers;
  if (uri.params.list.length > 0) parts.params = uri.params.toString();
  return parts;
}

function assertParts(table: readonly [string, Parts][]): void {
  for (const [text, parts] of table) {
    const uri = parseUri(text);
    assertEquals(partsOf(uri), { scheme: "sip", host: "example.com", ...parts }, text);
    assertEquals(uri.toString(), text);
    assert(uri.isSip);
  }
}

Deno.test("a SIP URI is parsed into its parts", () => {
  assertParts([
    ["sip:example.com", {}],
    ["sips:example.com", { scheme: "sips" }],
    ["SIP:Example.COM", {}],
    ["sip:alice@example.com", { user: "alice" }],
    ["sip:Alice:s3cret@example.com:5080", { user: "Alice", password: "s3cret", port: 5080 }],
    ["sip:alice:@example.com", { user: "alice", password: "" }],
    ["sip:example.com;lr;transport=TCP", { params: ";lr;transport=TCP" }],
    ["sip:example.com;maddr=239.255.255.1;ttl=15", { params: ";maddr=239.255.255.1;ttl=15" }],
    ["sip:example.com?subject=hello&to=sip:bob%40b", { headers: "subject=hello&to=sip:bob%40b" }],
    ["sip:a@example.com:1;p=[::1]/:&+$?h=v?w", {
      user: "a",
      port: 1,
      params: ";p=[::1]/:&+$",
      headers: "h=v?w",
    }],
    ["sip:example.com:65535", { port: 65_535 }],
    ["sip:example.com:05060", { port: 5060 }],
    ["sip:192.0.2.4:5060", { host: "192.0.2.4", port: 5060 }],
    ["sip:my_host.local", { host: "my_host.local" }],
    ["sip:example.com.", { host: "example.com." }],
  ]);
});

Deno.test("a user part may hold what elsewhere would end it", () => {
  assertParts([
    ["sip:+1-212-555-1212:1234@example.com;user=phone", {
      user: "+1-212-555-1212",
      password: "1234",
      params: ";user=phone",
    }],
    ["sip:user;par=u%40example.net@example.com", { user: "user;par=u%40example.net" }],
    ["sip:a&b=c+d$e,f;g?h/i@example.com", { user: "a&b=c+d$e,f;g?h/i" }],
    ["sip:who?what=1@example.com", { user: "who?what=1" }],
    ["sip:*97@example.com", { user: "*97" }],
    ["sip:#31#+49301234@example.com", { user: "#31#+49301234" }],
    ["sip:[x]|y^z@example.com", { user: "[x]|y^z" }],
    ["sip:%00@example.com", { user: "%00" }],
    ["sip:sips%3Auser%40example.net@example.com", { user: "sips%3Auser%40example.net" }],
    ["sip:zo\u00c3\u00ab@example.com", { user: "zo\u00c3\u00ab" }],
    ["sip:a:b:c@example.com", { user: "a", password: "b:c" }],
    ["sip:a:1?;/@example.com", { user: "a", password: "1?;/" }],
  ]);
});

Deno.test("an IPv6 host loses its brackets and is in canonical form", () => {
  assertParts([
    ["sip:[2001:DB8::10]", { host: "2001:db8::10" }],
    ["sip:[2001:db8:0:0:0:0:0:10]:5070", { host: "2001:db8::10", port: 5070 }],
    ["sip:[2001:db8::10:5070]", { host: "2001:db8::10:5070" }],
    ["sip:caller@[::1];transport=udp?a=b", {
      user: "caller",
      host: "::1",
      params: ";transport=udp",
      headers: "a=b",
    }],
    ["sip:caller@[::ffff:192.0.2.10]:19823", { user: "caller", host: "192.0.2.10", port: 19_823 }],
    ["sip:user@[2001:db8:::192.0.2.1]", { user: "user", host: "2001:db8::c000:201" }],
  ]);
});

Deno.test("of a URI of another scheme only scheme and text are known", () => {
  for (
    const text of ["tel:+358-555-1234567;postd=pp22", "TEL:1", "urn:service:sos", "http://x/?a", "a+b-c.1:*"]
  ) {
    const uri = parseUri(text);
    assertEquals(partsOf(uri), { scheme: text.slice(0, text.indexOf(":")).toLowerCase(), host: "" });
    assertEquals(uri.toString(), text);
    assert(!uri.isSip);
  }
});

Deno.test("what is no URI is malformed", () => {
  const table = [
    ...["", " ", ":", "sip", "example.com", "*", "<sip:example.com>", "1a:b", ":sip:a", "s ip:a", "\u00e9:x"],
    ...["tel:", "tel: 1", "tel:1\r\n", "urn:a\u0000", "urn:a\u007f"],
    ...["sip:", "sip:@", "sip:@example.com", "sip::@example.com", "sip::pw@example.com", "sip:alice@"],
    ...["sip:alice@@example.com", "sip:a@b@example.com", "sip:a b@example.com", 'sip:"a"@example.com'],
    ...["sip:a<b@example.com", "sip:a\\b@example.com", "sip:{a}@example.com", "sip:a\u0000b@example.com"],
    ...["sip:%@example.com", "sip:%4@example.com", "sip:%4g@example.com", "sip:a%@example.com"],
    ...["sip:a@exam ple.com", "sip:a@example.com ", " sip:a@example.com", "sip:a@ex%41mple.com", "sip:a@b!c"],
    ...["sip:example.com:", "sip:example.com:0", "sip:example.com:65536", "sip:example.com:-1", "sip:a:b:1"],
    ...["sip:example.com: 5060", "sip:example.com:5060x", "sip:example.com:99999999999999999999"],
    ...["sip:[", "sip:[]", "sip:[::1", "sip:::1", "sip:2001:db8::1", "sip:[192.0.2.1]", "sip:[::1]x"],
    ...["sip:[fe80::1%25eth0]", "sip:[g::]", "sip:a@[::1", "sip:[1:2:3:4:5:6:7:8:9]", "sip:[::1]]"],
    ...[
      "sip:example.com;",
      "sip:example.com;;lr",
      "sip:example.com;=x",
      "sip:example.com;a b",
      "sip:a;x=\u00ff",
    ],
    ...["sip:example.com;a=b=c", "sip:example.com;a,b", 'sip:example.com;a="b"', "sip:example.com;a=b "],
    ...["sip:example.com;a=%", "sip:example.com;a=%4", "sip:example.com;%zz=1", "sip:example.com#x"],
    ...["sip:example.com?", "sip:example.com?a=b c", 'sip:example.com?a="b"', "sip:example.com?a=<b>"],
    ...["sip:example.com?a=%", "sip:example.com?a=%f", "sip:example.com?a=\u007f", "sip:example.com/path"],
  ];
  for (const text of table) {
    const error = assertThrows(() => parseUri(text), MalformedError);
    assertEquals(error.status, 400, text);
  }
});

Deno.test("parameters are looked up without escapes and without regard to case", () => {
  const { params } = parseUri("sip:cal%6Cer@host.example.net;%6C%72;n%61me=v%61lue%25%34%31;Transport=TCP");
  assert(params.has("lr"));
  assertEquals(params.get("name"), "value%2541");
  assertEquals(params.get("transport"), "TCP");
});

/** RFC 3261 §19.1.4: the URIs in each row are equivalent. */
const EQUAL = [
  ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"],
  ["sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"],
  ["sip:carol@chicago.com", "sip:carol@chicago.com;security=on"],
  ["sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"],
  [
    "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
    "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
  ],
  [
    "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
    "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
  ],
];

/** RFC 3261 §19.1.4: the URIs in each row are not equivalent. */
const UNEQUAL = [
  ["SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"],
  ["sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"],
  ["sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"],
  ["sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"],
  ["sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"],
  ["sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"],
];

function assertSame(pairs: readonly string[][], isSame: boolean): void {
  for (const [a, b] of pairs) {
    assertEquals(sameUri(parseUri(a), parseUri(b)), isSame, `${a} and ${b}`);
    assertEquals(sameUri(parseUri(b), parseUri(a)), isSame, `${b} and ${a}`);
    assert(sameUri(parseUri(a), parseUri(a)), a);
  }
}

Deno.test("URIs are equal and unequal as RFC 3261 lists them", () => {
  assertSame(EQUAL, true);
  assertSame(UNEQUAL, false);
});

Deno.test("equality of URIs is not transitive", () => {
  const plain = "sip:carol@chicago.com";
  assertSame([[plain, `${plain};security=on`], [plain, `${plain};security=off`]], true);
  assertSame([[`${plain};security=on`, `${plain};security=off`]], false);
});

Deno.test("URIs are equal however hosts, escapes and names are written", () => {
  assertSame([
    ["sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0:0:0:0:1]"],
    ["sip:a@[::ffff:192.0.2.1]", "sip:a@192.0.2.1"],
    ["sip:%41%2d%7e@b", "sip:A-~@b"],
    ["sip:a%2fb@b", "sip:a%2Fb@b"],
    ["sip:a:p%61ss@b", "sip:a:pass@b"],
    ["sip:b;user=PHONE;LR", "sip:b;USER=phone;lr"],
    ["sip:b;x=%61", "sip:b;x=A"],
    ["sip:b;lr", "sip:b"],
    ["sip:b?A=x", "sip:b?a=x"],
    ["sip:b?%61=x", "sip:b?a=x"],
    ["sip:b?flag", "sip:b?FLAG"],
    ["sips:b", "SIPS:B"],
    ["tel:+1", "tel:+1"],
  ], true);
});

Deno.test("URIs differ by user, password, scheme, port, headers and the parameters that tell", () => {
  assertSame([
    ["sip:a@b", "sips:a@b"],
    ["sip:a@b", "sip:A@b"],
    ["sip:a@b", "sip:b"],
    ["sip:a:x@b", "sip:a@b"],
    ["sip:a:x@b", "sip:a:X@b"],
    ["sip:a%2Fb@h", "sip:a/b@h"],
    ["sip:%00@h", "sip:%00%00@h"],
    ["sip:b:5060", "sip:b:5061"],
    ["sip:b;user=ip", "sip:b"],
    ["sip:b;ttl=1", "sip:b"],
    ["sip:b;method=INVITE", "sip:b"],
    ["sip:b;maddr=192.0.2.1", "sip:b"],
    ["sip:b;x=1", "sip:b;x=2"],
    ["sip:b;x=1", "sip:b;x"],
    ["sip:b?a=1", "sip:b?a=2"],
    ["sip:b?a=1", "sip:b?a=1&a=1"],
    ["sip:b?ab", "sip:b?ac"],
    ["tel:+1", "tel:+2"],
    ["tel:+1", "sip:+1@b"],
  ], false);
});

Deno.test("comparing URIs of thousands of parameters takes no time to speak of", () => {
  const text = (letter: string) =>
    `sip:b${Array.from({ length: 10_000 }, (_, i) => `;${letter}${i}`).join("")}`;
  const [a, b] = [parseUri(text("a")), parseUri(text("b"))];
  const start = performance.now();
  assert(sameUri(a, b));
  assert(performance.now() - start < 1_000);
});

Deno.test("a Request-URI has neither headers nor method, and all the rest", () => {
  const table: [string, string][] = [
    ["sip:bob@b;transport=tcp;maddr=192.0.2.1;lr;x=%41", "sip:bob@b;transport=tcp;maddr=192.0.2.1;lr;x=%41"],
    ["sip:bob@b;method=BYE?Route=%3Csip:evil%3E", "sip:bob@b"],
    ["sip:bob@b;method=BYE;transport=tcp", "sip:bob@b;transport=tcp"],
    ["sip:bob@b;transport=tcp;METHOD=BYE", "sip:bob@b;transport=tcp"],
    ["sip:bob@b;m%65thod=BYE;lr", "sip:bob@b;lr"],
    ["sip:bob@b:5070?a=b", "sip:bob@b:5070"],
    ["sip:a;b?c@[::1]:5070;method=BYE;x?d=e", "sip:a;b?c@[::1]:5070;x"],
    ["sip:b;method=X", "sip:b"],
    ["sips:Bob:pw@B", "sips:Bob:pw@B"],
    ["tel:+1;method=x", "tel:+1;method=x"],
  ];
  for (const [text, expected] of table) assertEquals(asRequestUri(parseUri(text)), expected, text);
});

Deno.test("escapes are undone where the char needs none, and only once", () => {
  const table: [string, string][] = [
    ["plain", "plain"],
    ["%61%4A%7e%2D", "aJ~-"],
    ["%2541", "%2541"],
    ["%40%3a%2f", "%40%3A%2F"],
    ["%00%c3%ab", "%00%C3%AB"],
    ["100%", "100%"],
    ["%zz%4", "%zz%4"],
  ];
  for (const [text, expected] of table) assertEquals(unescapePlain(text), expected, text);
});

Deno.test("host and port are written as they stand in a URI", () => {
  assertEquals(hostPort("example.com", undefined), "example.com");
  assertEquals(hostPort("192.0.2.1", 5060), "192.0.2.1:5060");
  assertEquals(hostPort("2001:db8::1", undefined), "[2001:db8::1]");
  assertEquals(hostPort("2001:db8::1", 5061), "[2001:db8::1]:5061");
});
