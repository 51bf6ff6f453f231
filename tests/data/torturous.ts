/** Messages that are odd in the ways of RFC 4475 and RFC 5118, and what is to become of each. */

/** What may be expected of a message beside its outcome. */
export interface Values {
  readonly method: string;
  readonly scheme: string;
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly uriParams: string;
  readonly status: number;
  readonly reason: string;
  readonly viaHost: string;
  readonly viaPort: number | undefined;
  readonly transport: string;
  readonly branch: string | undefined;
  readonly received: string;
  readonly viaCount: number;
  readonly maxForwards: number | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly fromDisplay: string;
  readonly fromTag: string | undefined;
  readonly toTag: string | undefined;
  readonly toUri: string;
  readonly contacts: string;
  readonly routes: string;
  readonly supported: string;
  readonly body: string;
  readonly fault: string;
}

/** One message. */
export interface Torturous {
  readonly name: string;
  readonly text: string;
  /** What it is: sound, a request to be answered with this status, a response to drop, or not SIP at all. */
  readonly outcome: "sound" | "dropped" | "not SIP" | number;
  readonly values?: Partial<Values>;
}

/** The usual rows; a message that wants one otherwise gives its own, or "" for none. */
const USUAL = {
  via: "Via: SIP/2.0/UDP 192.0.2.44:5062;branch=z9hG4bKodd.1",
  from: "From: Dora <sip:dora@example.net>;tag=d0",
  to: "To: <sip:emil@example.org>",
  callId: "Call-ID: odd-1@192.0.2.44",
  cseq: "CSeq: 21 NOTIFY",
};

type Rows = Partial<typeof USUAL>;

/** A message of the usual rows, with those of `rows` in their places and `more` after them. */
function message(startLine: string, rows: Rows = {}, more: readonly string[] = [], body = ""): string {
  const header = Object.values({ ...USUAL, ...rows }).filter((row) => row !== "");
  return [startLine, ...header, ...more, "", body].join("\r\n");
}

/** A NOTIFY with rows of its own. */
function notify(rows: Rows, ...more: string[]): string {
  return message("NOTIFY sip:emil@example.org SIP/2.0", rows, more);
}

/** A NOTIFY to this Request-URI. */
function to(uri: string): string {
  return message(`NOTIFY ${uri} SIP/2.0`);
}

/** A NOTIFY with this body, and rows after the usual ones. */
function withBody(body: string, ...more: string[]): string {
  return message("NOTIFY sip:emil@example.org SIP/2.0", {}, more, body);
}

/** A REGISTER with these rows after the usual ones. */
function register(...more: string[]): string {
  return message("REGISTER sip:example.org SIP/2.0", { cseq: "CSeq: 21 REGISTER" }, more);
}

const START_LINES: readonly Torturous[] = [
  {
    name: "a method of every char a token may have",
    text: message("-.!%*_+`'~0Az sip:emil@example.org SIP/2.0", { cseq: "CSeq: 21 -.!%*_+`'~0Az" }),
    outcome: "sound",
    values: { method: "-.!%*_+`'~0Az" },
  },
  {
    name: "a method in lower case, which is another method",
    text: message("notify sip:emil@example.org SIP/2.0"),
    outcome: 400,
    values: { method: "notify", fault: undefined },
  },
  {
    name: "empty lines before the start line",
    text: "\r\n\r\n\r\n" + notify({}),
    outcome: "sound",
    values: { method: "NOTIFY" },
  },
  { name: "a start line with a leading space", text: " " + notify({}), outcome: "not SIP" },
  { name: "a start line that ends at its method", text: "NOTIFY\r\n\r\n", outcome: "not SIP" },
  {
    name: "a request line without a version",
    text: message("NOTIFY sip:emil@example.org"),
    outcome: "not SIP",
  },
  { name: "a request line without a URI", text: message("NOTIFY SIP/2.0"), outcome: 400 },
  { name: "a request line with two spaces for a URI", text: message("NOTIFY   SIP/2.0"), outcome: 400 },
  {
    name: "a tab between method and URI",
    text: message("NOTIFY\tsip:emil@example.org SIP/2.0"),
    outcome: 400,
  },
  {
    name: "two spaces before the version",
    text: message("NOTIFY sip:emil@example.org  SIP/2.0"),
    outcome: 400,
  },
  { name: "a space after the version", text: message("NOTIFY sip:emil@example.org SIP/2.0 "), outcome: 400 },
  { name: "a start line of nothing but a version", text: "SIP/2.0\r\n\r\n", outcome: "dropped" },
  {
    name: "a method that is a quoted string",
    text: message('"NOTIFY" sip:emil@example.org SIP/2.0'),
    outcome: 400,
  },
  { name: "HTTP", text: "OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n", outcome: "not SIP" },
  { name: "an answer of HTTP", text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", outcome: "not SIP" },
];

const VERSIONS: readonly Torturous[] = [
  { name: "a version in lower case", text: message("NOTIFY sip:emil@example.org sip/2.0"), outcome: "sound" },
  { name: "a version to come", text: message("NOTIFY sip:emil@example.org SIP/3.1"), outcome: 505 },
  {
    name: "a version with a zero too many",
    text: message("NOTIFY sip:emil@example.org SIP/2.00"),
    outcome: 505,
  },
  { name: "half a version", text: message("NOTIFY sip:emil@example.org SIP/2."), outcome: 400 },
  {
    name: "a version to come, and a message that makes no sense in ours",
    text: message("NOTIFY sip:emil@example.org SIP/4.0", { via: "Via: carrier pigeon", from: "" }),
    outcome: 505,
  },
  { name: "a response of a version to come", text: message("SIP/3.0 200 OK"), outcome: "dropped" },
];

const SEPARATORS: readonly Torturous[] = [
  {
    name: "white space on both sides of every colon and semicolon",
    text: notify({
      via: "Via \t:  SIP / 2.0 / UDP \t 192.0.2.44 : 5062 ; branch = z9hG4bKodd.1 ; x",
      from: "From : Dora\t<sip:dora@example.net> ; tag = d0",
      callId: "Call-ID:odd-1@192.0.2.44",
      cseq: "CSeq  :  21 \t NOTIFY  ",
    }),
    outcome: "sound",
    values: { viaPort: 5062, branch: "z9hG4bKodd.1", fromTag: "d0", callId: "odd-1@192.0.2.44", cseq: 21 },
  },
  {
    name: "empty elements in a list nobody has to read",
    text: notify({}, "Supported: ,, path,,gruu ,", "X-List: ,;,;;"),
    outcome: "sound",
    values: { supported: "path gruu" },
  },
  { name: "a Via of empty parameters", text: notify({ via: "Via: SIP/2.0/UDP 192.0.2.44;;" }), outcome: 400 },
  {
    name: "a Via that begins with a comma",
    text: notify({ via: "Via: ,SIP/2.0/UDP 192.0.2.44" }),
    outcome: 400,
  },
  {
    name: "a Via with a comma for its point",
    text: notify({ via: "Via: SIP/2,0/UDP 192.0.2.44" }),
    outcome: 400,
  },
  {
    name: "a Via without a sent-by",
    text: notify({ via: "Via: SIP/2.0/UDP ;branch=z9hG4bK1" }),
    outcome: 400,
  },
  {
    name: "a Via with two ports",
    text: notify({ via: "Via: SIP/2.0/UDP 192.0.2.44:5060:5062" }),
    outcome: 400,
  },
  { name: "a header row that begins with its colon", text: notify({}, ": value"), outcome: 400 },
  { name: "a header row without a colon", text: notify({}, "just words"), outcome: 400 },
  { name: "a space within a field's name", text: notify({}, "User Agent: odd"), outcome: 400 },
  { name: "a bare line feed at the end of a row", text: notify({}, "X: 1\nY: 2"), outcome: 400 },
  {
    name: "bare line feeds everywhere",
    text: notify({}).replaceAll("\r\n", "\n"),
    outcome: "not SIP",
  },
  {
    name: "no empty line after the header",
    text: notify({}).slice(0, -2),
    outcome: 400,
    values: { callId: "odd-1@192.0.2.44", cseq: 21 },
  },
];

const LENGTHS: readonly Torturous[] = [
  {
    name: "octets behind the body",
    text: withBody("four and more", "Content-Length: 4"),
    outcome: "sound",
    values: { body: "four" },
  },
  {
    name: "a second request behind a length of zero",
    text: withBody(notify({}), "Content-Length: 0"),
    outcome: "sound",
    values: { body: "" },
  },
  { name: "no length at all", text: withBody("all of it"), outcome: "sound", values: { body: "all of it" } },
  {
    name: "leading zeros in a length",
    text: withBody("four", "l : 00004"),
    outcome: "sound",
    values: { body: "four" },
  },
  { name: "a body one octet short", text: withBody("four", "Content-Length: 5"), outcome: 400 },
  { name: "a negative length", text: withBody("four", "Content-Length: -4"), outcome: 400 },
  { name: "a length with a sign", text: withBody("four", "Content-Length: +4"), outcome: 400 },
  {
    name: "a length beyond all numbers",
    text: withBody("four", `Content-Length: ${"9".repeat(40)}`),
    outcome: 400,
  },
  { name: "a length in words", text: withBody("four", "Content-Length: four"), outcome: 400 },
  { name: "an empty length", text: withBody("four", "Content-Length:"), outcome: 400 },
  { name: "two lengths that agree", text: withBody("four", "Content-Length: 4", "l: 4"), outcome: 400 },
  {
    name: "a body of NULs, line feeds and half a letter",
    text: withBody("\u0000\n\r\n\r\n\u00c3", "Content-Length: 7"),
    outcome: "sound",
    values: { body: "\u0000\n\r\n\r\n\u00c3" },
  },
];

const SCALARS: readonly Torturous[] = [
  {
    name: "the largest numbers there are",
    text: notify({ cseq: "CSeq: 4294967295 NOTIFY" }, "Max-Forwards: 255"),
    outcome: "sound",
    values: { cseq: 4_294_967_295, maxForwards: 255 },
  },
  {
    name: "numbers with leading zeros",
    text: notify({ cseq: "CSeq: 0000000000021 NOTIFY" }, "Max-Forwards: 00070"),
    outcome: "sound",
    values: { cseq: 21, maxForwards: 70 },
  },
  { name: "a CSeq of 2^32", text: notify({ cseq: "CSeq: 4294967296 NOTIFY" }), outcome: 400 },
  { name: "a negative CSeq", text: notify({ cseq: "CSeq: -21 NOTIFY" }), outcome: 400 },
  { name: "a CSeq in hexadecimal", text: notify({ cseq: "CSeq: 0x15 NOTIFY" }), outcome: 400 },
  { name: "a CSeq without a number", text: notify({ cseq: "CSeq: NOTIFY" }), outcome: 400 },
  { name: "a CSeq of another method", text: notify({ cseq: "CSeq: 21 BYE" }), outcome: 400 },
  { name: "Max-Forwards beyond 255", text: notify({}, "Max-Forwards: 256"), outcome: 400 },
  { name: "Max-Forwards of minus one", text: notify({}, "Max-Forwards: -1"), outcome: 400 },
  { name: "a sent-by port beyond 65535", text: notify({ via: "Via: SIP/2.0/UDP h:65536" }), outcome: 400 },
  { name: "a port beyond 65535 in the Request-URI", text: to("sip:emil@example.org:70000"), outcome: 400 },
  {
    name: "times beyond all numbers, which are somebody else's",
    text: notify({}, `Expires: ${"9".repeat(90)}`, "Retry-After: -5", "Min-Expires: soon"),
    outcome: "sound",
  },
];

const QUOTING: readonly Torturous[] = [
  {
    name: "a display name of everything that has a meaning",
    text: notify({ from: 'From: ",;<>?@:\\"\\\\\\" tag=no" <sip:dora@example.net>;tag=d1' }),
    outcome: "sound",
    values: { fromDisplay: '",;<>?@:\\"\\\\\\" tag=no"', fromTag: "d1" },
  },
  {
    name: "an empty display name, and no space behind it",
    text: notify({ from: 'From: ""<sip:dora@example.net>;tag=d1' }),
    outcome: "sound",
    values: { fromDisplay: '""', fromTag: "d1" },
  },
  {
    name: "a display name of many tokens",
    text: notify({ from: "From: D.  -  o'r~a!\t<sip:dora@example.net>;tag=d1" }),
    outcome: "sound",
    values: { fromDisplay: "D.  -  o'r~a!" },
  },
  {
    name: "a parameter in quotes that holds a tag",
    text: notify({ to: 'To: <sip:emil@example.org>;x=";tag=no,";tag=e1' }),
    outcome: "sound",
    values: { toTag: "e1" },
  },
  {
    name: "a display name that does not end",
    text: notify({ to: 'To: "Emil <sip:emil@example.org>' }),
    outcome: 400,
  },
  {
    name: "a display name whose end is escaped",
    text: notify({ to: 'To: "Emil\\" <sip:emil@example.org>' }),
    outcome: 400,
  },
  {
    name: "a display name that is no token",
    text: notify({ to: "To: Emil, Dr. <sip:e@example.org>" }),
    outcome: 400,
  },
  {
    name: "words between a quoted name and its URI",
    text: notify({ to: 'To: "E" mil <sip:e@example.org>' }),
    outcome: 400,
  },
  {
    name: "brackets that do not close",
    text: notify({ from: "From: <sip:dora@example.net;tag=d0" }),
    outcome: 400,
  },
  { name: "brackets around nothing", text: notify({ from: "From: <>;tag=d0" }), outcome: 400 },
  { name: "spaces inside the brackets", text: notify({ to: "To: < sip:emil@example.org >" }), outcome: 400 },
  {
    name: "an address with headers and no brackets",
    text: register("Contact: sip:e@192.0.2.44?a=b"),
    outcome: 400,
  },
  {
    name: "addresses without brackets, whose parameters are the header's",
    text: notify({ from: "From: sip:dora@example.net;tag=d1", to: "t:sip:emil@example.org;x=1;tag=e1" }),
    outcome: "sound",
    values: { fromTag: "d1", toTag: "e1", toUri: "sip:emil@example.org" },
  },
];

const URIS: readonly Torturous[] = [
  {
    name: "a user of everything a user may have",
    text: to("sip:(a)-b_c.d!e~f*'g'&h=i+j$k,l;m?n/%3Ao@example.org"),
    outcome: "sound",
    values: { user: "(a)-b_c.d!e~f*'g'&h=i+j$k,l;m?n/%3Ao", host: "example.org" },
  },
  {
    name: "a user and a password",
    text: to("sips:emil:p%61ss&=+$,@example.org:5070;lr"),
    outcome: "sound",
    values: { scheme: "sips", user: "emil", password: "p%61ss&=+$,", port: 5070, uriParams: ";lr" },
  },
  {
    name: "an escaped at sign and colon in the user",
    text: to("sip:a%40b%3ac@example.org"),
    outcome: "sound",
    values: { user: "a%40b%3ac", host: "example.org" },
  },
  {
    name: "an escaped NUL in the user",
    text: to("sip:a%00b@example.org"),
    outcome: "sound",
    values: { user: "a%00b" },
  },
  {
    name: "parameters under other names",
    text: to("sip:example.org;%74ransport=t%63p;L%52"),
    outcome: "sound",
    values: { uriParams: ";transport=tcp;LR" },
  },
  {
    name: "a scheme nobody knows",
    text: to("x-carrier.pigeon+1:coop/7?bird=2"),
    outcome: "sound",
    values: { scheme: "x-carrier.pigeon+1", host: "" },
  },
  {
    name: "a telephone number",
    text: to("tel:+49-30-1234;phone-context=x"),
    outcome: "sound",
    values: { scheme: "tel" },
  },
  { name: "a percent sign that escapes nothing", text: to("sip:100%@example.org"), outcome: 400 },
  { name: "an escape of half a digit", text: to("sip:a%4@example.org"), outcome: 400 },
  { name: "an escape in a parameter that is none", text: to("sip:example.org;x=%g0"), outcome: 400 },
  { name: "an escape in the host", text: to("sip:emil@ex%61mple.org"), outcome: 400 },
  { name: "two at signs", text: to("sip:emil@home@example.org"), outcome: 400 },
  { name: "a user of nothing", text: to("sip:@example.org"), outcome: 400 },
  { name: "a host of nothing", text: to("sip:emil@"), outcome: 400 },
  { name: "a port of nothing", text: to("sip:emil@example.org:"), outcome: 400 },
  { name: "a URI in brackets", text: to("<sip:emil@example.org>"), outcome: 400 },
  { name: "a URI without a scheme", text: to("emil@example.org"), outcome: 400 },
  { name: "a space within the URI", text: to("sip:emil@example.org; lr"), outcome: 400 },
  { name: "headers in the Request-URI", text: to("sip:emil@example.org?Route=%3Csip:evil%3E"), outcome: 400 },
  { name: "a parameter in quotes", text: to('sip:emil@example.org;x="y"'), outcome: 400 },
  {
    name: "UTF-8 in the user, as phones send it",
    text: to("sip:j\u00c3\u00b6rg@example.org"),
    outcome: "sound",
    values: { user: "j\u00c3\u00b6rg" },
  },
];

const FORMS: readonly Torturous[] = [
  {
    name: "compact and full names mixed, in all cases",
    text: [
      "NOTIFY sip:emil@example.org SIP/2.0",
      "V: SIP/2.0/UDP a;branch=z9hG4bK1",
      "via: SIP/2.0/TCP b, SIP/2.0/TLS c",
      "f: <sip:dora@example.net>;tag=d0",
      "tO: <sip:emil@example.org>",
      "I: odd-2",
      "CSEQ: 21 NOTIFY",
      "M: <sip:dora@a>",
      "contact: <sip:dora@b>",
      "k: path",
      "SUPPORTED: gruu",
      "L: 0",
      "",
      "",
    ].join("\r\n"),
    outcome: "sound",
    values: { viaCount: 3, callId: "odd-2", contacts: "sip:dora@a sip:dora@b", supported: "path gruu" },
  },
  {
    name: "every field folded before its value",
    text: notify({
      via: "Via:\r\n SIP/2.0/UDP\r\n\t192.0.2.44\r\n ;branch=z9hG4bK1",
      from: "From:\r\n  Dora\r\n  <sip:dora@example.net>\r\n  ;tag\r\n  =\r\n  d0",
      callId: "Call-ID:\r\n odd-3",
      cseq: "CSeq:\r\n 21\r\n NOTIFY",
    }, "Max-Forwards:\r\n 70"),
    outcome: "sound",
    values: {
      branch: "z9hG4bK1",
      fromDisplay: "Dora",
      fromTag: "d0",
      callId: "odd-3",
      cseq: 21,
      maxForwards: 70,
    },
  },
  {
    name: "lines of nothing but white space, which go on with the row before",
    text: notify({ to: "To: <sip:emil@example.org>\r\n   \r\n\t\r\n ;tag=e1" }),
    outcome: "sound",
    values: { toTag: "e1" },
  },
  { name: "a fold before any field", text: notify({ via: ` folded\r\n${USUAL.via}` }), outcome: 400 },
  {
    name: "one list in rows and commas",
    text: notify({}, "Route: <sip:p1;lr>,<sip:p2;lr>", "X: 1", "Route:<sip:p3;lr>\r\n ,\r\n <sip:p4;lr>"),
    outcome: "sound",
    values: { routes: "sip:p1;lr sip:p2;lr sip:p3;lr sip:p4;lr" },
  },
  {
    name: "names longer than any we know, and a single letter that is none",
    text: notify({}, `X-${"Long".repeat(300)}: 1`, "z: 2", "Via-: 3", "Vi: 4"),
    outcome: "sound",
    values: { viaCount: 1 },
  },
];

const DUPLICATES: readonly Torturous[] = [
  { name: "two Call-IDs, one of them compact", text: notify({}, "i: other"), outcome: 400 },
  { name: "two CSeqs that agree", text: notify({}, USUAL.cseq), outcome: 400 },
  { name: "two Froms in one row", text: notify({ from: `${USUAL.from}, <sip:x@y>` }), outcome: 400 },
  { name: "two Tos", text: notify({}, "TO: <sip:x@y>"), outcome: 400 },
  { name: "two Max-Forwards", text: notify({}, "Max-Forwards: 1", "MAX-FORWARDS: 2"), outcome: 400 },
  { name: "two tags in one From", text: notify({ from: `${USUAL.from};TAG=d2` }), outcome: 400 },
  { name: "two branches in one Via", text: notify({ via: `${USUAL.via};Branch=z9hG4bKx` }), outcome: 400 },
  { name: "two dates, which are somebody else's", text: notify({}, "Date: a", "Date: b"), outcome: "sound" },
  { name: "a star beside a contact", text: register("Contact: *", "Contact: <sip:e@f>"), outcome: 400 },
  { name: "a star in brackets", text: register("Contact: <*>"), outcome: 400 },
  {
    name: "a star alone",
    text: register("m:\r\n *", "Expires: 0"),
    outcome: "sound",
    values: { contacts: "*" },
  },
];

const MISSING: readonly Torturous[] = [
  { name: "no Via", text: notify({ via: "" }), outcome: 400, values: { fault: "No Via" } },
  { name: "no From", text: notify({ from: "" }), outcome: 400, values: { fault: "No From" } },
  { name: "no To", text: notify({ to: "" }), outcome: 400, values: { fault: "No To" } },
  { name: "no Call-ID", text: notify({ callId: "" }), outcome: 400, values: { fault: "No Call-ID" } },
  { name: "no CSeq", text: notify({ cseq: "" }), outcome: 400, values: { fault: "No CSeq" } },
  { name: "nothing but a start line", text: "NOTIFY sip:emil@example.org SIP/2.0\r\n\r\n", outcome: 400 },
  { name: "an empty Call-ID", text: notify({ callId: "Call-ID:\r\n " }), outcome: 400 },
  {
    name: "no Max-Forwards, tags or branch, as before RFC 3261",
    text: notify({ via: "Via: SIP/2.0/UDP h", from: "From: sip:dora@example.net" }),
    outcome: "sound",
    values: { maxForwards: undefined, fromTag: undefined, toTag: undefined, branch: undefined },
  },
];

const IPV6: readonly Torturous[] = [
  {
    name: "an IPv6 address in brackets",
    text: to("sip:emil@[2001:db8::4:1]"),
    outcome: "sound",
    values: { host: "2001:db8::4:1", port: undefined },
  },
  { name: "an IPv6 address without brackets", text: to("sip:emil@2001:db8::4:1"), outcome: 400 },
  {
    name: "what looks like a port inside the brackets",
    text: to("sip:emil@[2001:db8::4:5070]"),
    outcome: "sound",
    values: { host: "2001:db8::4:5070", port: undefined },
  },
  {
    name: "a port outside the brackets",
    text: to("sip:emil@[2001:db8::4]:5070"),
    outcome: "sound",
    values: { host: "2001:db8::4", port: 5070 },
  },
  {
    name: "a received address with brackets",
    text: notify({ via: "Via: SIP/2.0/UDP [2001:db8::9]:5062;received=[2001:db8::7];branch=z9hG4bK1" }),
    outcome: "sound",
    values: { viaHost: "2001:db8::9", viaPort: 5062, received: "[2001:db8::7]", branch: "z9hG4bK1" },
  },
  {
    name: "a received address without brackets",
    text: notify({ via: "Via: SIP/2.0/UDP [2001:DB8::9];received=2001:db8::7;branch=z9hG4bK1" }),
    outcome: "sound",
    values: { viaHost: "2001:db8::9", received: "2001:db8::7" },
  },
  {
    name: "addresses of both families in the Vias and the body",
    text: message(
      "NOTIFY sip:emil@[::1] SIP/2.0",
      { via: "Via: SIP/2.0/UDP [2001:db8::9];branch=z9hG4bK1" },
      [
        "Via: SIP/2.0/TCP 192.0.2.9",
        "Content-Length: 38",
      ],
      "c=IN IP6 2001:db8::1\r\nc=IN IP4 0.0.0.0",
    ),
    outcome: "sound",
    values: { viaCount: 2, body: "c=IN IP6 2001:db8::1\r\nc=IN IP4 0.0.0.0" },
  },
  {
    name: "an IPv4 address mapped into IPv6",
    text: notify({ via: "Via: SIP/2.0/UDP [::ffff:192.0.2.9]:19823" }, "Contact: <sip:d@[::ffff:192.0.2.9]>"),
    outcome: "sound",
    values: { viaHost: "192.0.2.9", viaPort: 19_823, contacts: "sip:d@[::ffff:192.0.2.9]" },
  },
  {
    name: "the third colon that RFC 3261 asks for by mistake",
    text: to("sip:emil@[2001:db8:::192.0.2.5]"),
    outcome: "sound",
    values: { host: "2001:db8::c000:205" },
  },
  { name: "an IPv6 address with a zone", text: to("sip:emil@[fe80::1%25eth0]"), outcome: 400 },
  {
    name: "an IPv4 address in brackets",
    text: notify({ via: "Via: SIP/2.0/UDP [192.0.2.9]" }),
    outcome: 400,
  },
  {
    name: "brackets that do not close, in a Via",
    text: notify({ via: "Via: SIP/2.0/UDP [::1" }),
    outcome: 400,
  },
  { name: "nine groups of an address", text: to("sip:[1:2:3:4:5:6:7:8:9]"), outcome: 400 },
];

const BYTES: readonly Torturous[] = [
  {
    name: "UTF-8 in a display name",
    text: notify({ from: 'From: "D\u00c3\u00b3ra \u00e2\u0098\u008e" <sip:dora@example.net>;tag=d0' }),
    outcome: "sound",
    values: { fromDisplay: '"D\u00c3\u00b3ra \u00e2\u0098\u008e"' },
  },
  {
    name: "a value that ends in a letter whose last byte looks like a space",
    text: notify({ callId: "Call-ID: voil\u00c3\u00a0", to: "To: <sip:emil@example.org>;tag=\u00c3\u00a0" }),
    outcome: "sound",
    values: { callId: "voil\u00c3\u00a0", toTag: "\u00c3\u00a0" },
  },
  {
    name: "bytes that are no UTF-8",
    text: notify({}, "Subject: \u00ff\u00fe\u0080", "X: \u00c3"),
    outcome: "sound",
  },
  {
    name: "NULs in a quoted string and in values nobody reads",
    text: notify({ from: 'From: "a\\\u0000b" <sip:dora@example.net>;tag=d0' }, "X: a\u0000b"),
    outcome: "sound",
    values: { fromDisplay: '"a\\\u0000b"' },
  },
  { name: "a NUL in the Request-URI", text: to("sip:emil\u0000@example.org"), outcome: 400 },
  { name: "a NUL in a field's name", text: notify({}, "X\u0000: 1"), outcome: 400 },
  { name: "UTF-8 in a field's name", text: notify({}, "Gr\u00c3\u00bc\u00c3\u009fe: 1"), outcome: 400 },
  { name: "UTF-8 in a host", text: to("sip:emil@ex\u00c3\u00a4mple.org"), outcome: 400 },
  { name: "nothing", text: "", outcome: "not SIP" },
  { name: "NULs", text: "\u0000".repeat(40), outcome: "not SIP" },
  { name: "a line of noise", text: "\u0016\u0003\u0001\u0002\u0000\r\n\u0001", outcome: "not SIP" },
  { name: "an empty line and noise", text: "\r\n\u0001\r\n", outcome: "not SIP" },
];

const SIZES: readonly Torturous[] = [
  {
    name: "two hundred and fifty rows",
    text: notify({}, ...Array.from({ length: 250 }, (_, i) => `X-${i}: ${i}`)),
    outcome: "sound",
  },
  {
    name: "three hundred rows",
    text: notify({}, ...Array.from({ length: 300 }, (_, i) => `X-${i}: ${i}`)),
    outcome: 400,
  },
  {
    name: "sixty thousand octets in one value",
    text: notify({ callId: `Call-ID: ${"x".repeat(60_000)}` }),
    outcome: "sound",
    values: { callId: "x".repeat(60_000) },
  },
  { name: "more octets than a message may have", text: withBody("x".repeat(70_000)), outcome: 513 },
  {
    name: "thousands of parameters",
    text: to(`sip:example.org${";p".repeat(10_000)};lr`),
    outcome: "sound",
  },
  {
    name: "thousands of empty contacts",
    text: register(`Contact: <sip:e@f>${",".repeat(10_000)}`),
    outcome: 400,
  },
  {
    name: "thousands of blank continuation lines",
    text: notify({ callId: `Call-ID: odd${"\r\n ".repeat(10_000)}-4` }),
    outcome: "sound",
    values: { callId: "odd -4" },
  },
  {
    name: "a fold, and more spaces than anything else",
    text: notify({ callId: `Call-ID: odd${" ".repeat(50_000)}-5\r\n x` }),
    outcome: "sound",
    values: { callId: `odd${" ".repeat(50_000)}-5 x` },
  },
];

const RESPONSES: readonly Torturous[] = [
  {
    name: "a reason of everything, UTF-8 included",
    text: message("SIP/2.0 299 \u00e2\u009c\u0093 \t= 1+1; (fine?) "),
    outcome: "sound",
    values: { status: 299, reason: "\u00e2\u009c\u0093 \t= 1+1; (fine?) " },
  },
  {
    name: "an empty reason",
    text: message("SIP/2.0 180 "),
    outcome: "sound",
    values: { status: 180, reason: "" },
  },
  {
    name: "no space for a reason",
    text: message("SIP/2.0 200"),
    outcome: "sound",
    values: { status: 200, reason: "" },
  },
  {
    name: "a response in lower case",
    text: message("sip/2.0 486 Busy"),
    outcome: "sound",
    values: { status: 486, reason: "Busy" },
  },
  { name: "a status beyond all classes", text: message("SIP/2.0 700 Beyond"), outcome: "dropped" },
  { name: "a status of two digits", text: message("SIP/2.0 20 OK"), outcome: "dropped" },
  { name: "a status of many digits", text: message("SIP/2.0 20000000000000 OK"), outcome: "dropped" },
  { name: "a status in words", text: message("SIP/2.0 OK 200"), outcome: "dropped" },
  { name: "two spaces before the status", text: message("SIP/2.0  200 OK"), outcome: "dropped" },
  {
    name: "a response whose CSeq is beyond its bounds",
    text: message("SIP/2.0 200 OK", { cseq: "CSeq: 99999999999 NOTIFY" }),
    outcome: "dropped",
  },
  { name: "a response without a Via", text: message("SIP/2.0 200 OK", { via: "" }), outcome: "dropped" },
  {
    name: "a response whose body was cut off",
    text: message("SIP/2.0 200 OK", {}, ["Content-Length: 10"], "cut"),
    outcome: "dropped",
  },
  {
    name: "a response with several Vias in one row",
    text: message("SIP/2.0 200 OK", { via: "v: SIP/2.0/UDP a;branch=z9hG4bK1,SIP/2.0/TCP b;received=c" }),
    outcome: "sound",
    values: { viaHost: "a", branch: "z9hG4bK1", viaCount: 2, transport: "UDP" },
  },
];

/** All of them. */
export const TORTUROUS: readonly Torturous[] = [
  ...START_LINES,
  ...VERSIONS,
  ...SEPARATORS,
  ...LENGTHS,
  ...SCALARS,
  ...QUOTING,
  ...URIS,
  ...FORMS,
  ...DUPLICATES,
  ...MISSING,
  ...IPV6,
  ...BYTES,
  ...SIZES,
  ...RESPONSES,
];
