import fc from "fast-check";
import { byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import { nameOf } from "../../src/sip/header_names.ts";
import {
  buildReply,
  buildRequest,
  type HeaderList,
  MalformedError,
  NameAddr,
  Params,
  parseMessage,
  parseNameAddrs,
  parseText,
  parseUri,
  parseVia,
  quote,
  RequestDraft,
  requestFault,
  ResponseDraft,
  sameUri,
  SipError,
  SipMessage,
  SipRequest,
  SipResponse,
  splitList,
} from "../../src/sip/mod.ts";
import { TORTUROUS } from "../data/torturous.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { asRequest, asResponse } from "../support/messages.ts";

const ALPHANUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const TOKEN = ALPHANUM + "-.!%*_+`'~";

function charsOf(chars: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...chars), minLength, maxLength });
}

/** Any bytes but those of `without`, as text. */
function bytesBut(without: string, maxLength: number): fc.Arbitrary<string> {
  const codes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).filter((c) =>
    !without.includes(c)
  );
  return fc.string({ unit: fc.constantFrom(...codes), maxLength });
}

const token = charsOf(TOKEN, 1, 12);
const alphanum = charsOf(ALPHANUM, 1, 8);
/** White space where the grammar has SWS: none, some, a fold. */
const space = fc.constantFrom("", "", " ", "  ", "\t", "\r\n ", " \r\n\t");
const lws = fc.constantFrom(" ", "  ", "\t", "\r\n ", " \r\n \t");

const host = fc.oneof(
  fc.array(alphanum, { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const hostPort = fc.tuple(host, port).map(([host, port]) => port === undefined ? host : `${host}:${port}`);
const escaped = fc.nat(255).map((code) => `%${code.toString(16).padStart(2, "0")}`);
const user = fc.array(fc.oneof(charsOf(ALPHANUM + "-_.!~*'()&=+$,;?/", 1, 5), escaped), {
  minLength: 1,
  maxLength: 3,
})
  .map((parts) => parts.join(""));
/** Parameters of a URI, no name twice. */
const uriParams = fc.uniqueArray(
  fc.tuple(charsOf(ALPHANUM + "-_.!~*'()[]/:&+$", 1, 6), fc.option(alphanum, { nil: undefined })),
  { maxLength: 4, selector: ([name]) => name.toLowerCase() },
).map((params) =>
  params.map(([name, value]) => value === undefined ? `;${name}` : `;${name}=${value}`).join("")
);
const sipUri = fc.tuple(
  fc.constantFrom("sip", "sips", "SIP"),
  fc.option(user, { nil: undefined }),
  hostPort,
  uriParams,
  fc.constantFrom("", "", "?a=b", "?subject=x%20y&to=sip:bob%40b"),
).map(([scheme, user, host, params, headers]) =>
  `${scheme}:${user === undefined ? "" : `${user}@`}${host}${params}${headers}`
);
const otherUri = fc.tuple(fc.constantFrom("tel", "urn", "x+1"), alphanum).map(([scheme, rest]) =>
  `${scheme}:${rest}`
);
const uri = fc.oneof({ weight: 4, arbitrary: sipUri }, { weight: 1, arbitrary: otherUri });

const quoted = bytesBut("\r\n", 10).map(quote);
/** Name and value as they should be read, and the text they stand in. */
const param = fc.tuple(
  token,
  fc.option(fc.oneof(token, quoted), { nil: undefined }),
  space,
  space,
  space,
  space,
)
  .map(([name, value, a, b, c, d]) => ({
    name,
    value,
    text: value === undefined ? `${a};${b}${name}` : `${a};${b}${name}${c}=${d}${value}`,
  }));
const params = fc.array(param, { maxLength: 4 });
/** Parameters of the header that are not called `tag` or what else would mean something. */
const headerParams = params.map((list) =>
  list.filter(({ name }) => !/^(tag|branch|rport|received|maddr)$/i.test(name)).map(({ text }) => text).join(
    "",
  )
);

const display = fc.oneof(
  fc.constant(""),
  fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join(" ")),
  fc.tuple(quoted, space).map(([text, after]) => text + after),
);
const nameAddr = fc.tuple(display, uri, headerParams).map(([display, uri, params]) =>
  `${display}<${uri}>${params}`
);
const via = fc.tuple(
  fc.constantFrom("SIP/2.0/UDP", "SIP/2.0/tcp", "SIP / 2.0 / X-Any", "SIP/2.0\r\n /TLS"),
  lws,
  hostPort,
  headerParams,
  fc.option(token, { nil: undefined }),
).map(([protocol, lws, sentBy, params, branch]) =>
  `${protocol}${lws}${sentBy}${params}${branch === undefined ? "" : `;branch=z9hG4bK${branch}`}`
);
const list = (value: fc.Arbitrary<string>) =>
  fc.tuple(fc.array(value, { minLength: 1, maxLength: 3 }), space, space)
    .map(([values, before, after]) => values.join(`${before},${after}`));
/** A value nobody knows: bytes without line ends, that begins and ends in no white space. */
const opaque = bytesBut("\r\n", 20).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));

interface Row {
  /** The full name of its field, as drafts are asked for it. */
  readonly name: string;
  readonly text: string;
}

/** A row of the field under any of its names. */
function row(names: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<Row> {
  return fc.tuple(fc.constantFrom(...names), fc.constantFrom("", " ", "\t "), space, value, space).map((
    [name, before, after, value, end],
  ) => ({ name: names[0], text: `${name}${before}:${after}${value}${end}\r\n` }));
}

const method = fc.oneof(fc.constantFrom("INVITE", "ACK", "BYE", "OPTIONS", "MESSAGE"), token);
const tagged = fc.tuple(nameAddr, fc.option(token, { nil: undefined })).map(([address, tag]) =>
  tag === undefined ? address : `${address};tag=${tag}`
);
const extraRow = fc.oneof(
  row(["Via", "v", "VIA"], list(via)),
  row(["Route", "ROUTE"], list(nameAddr)),
  row(["Record-Route", "record-route"], list(nameAddr)),
  row(["Supported", "k"], list(token)),
  row(["X-Odd", "x-odd", "X-ODD"], opaque),
  row(["X-Other"], opaque),
);

interface Parts {
  readonly startLine: string;
  readonly rows: readonly Row[];
  readonly body: string;
}

function textOf({ startLine, rows, body }: Parts): string {
  return `${startLine}\r\n${rows.map(({ text }) => text).join("")}\r\n${body}`;
}

/** The rows of a message of that method, in any order. */
function partsOf(startLine: string, method: string): fc.Arbitrary<Parts> {
  const needed = fc.tuple(
    row(["Via", "v"], list(via)),
    row(["From", "f", "FROM"], tagged),
    row(["To", "t"], tagged),
    row(["Call-ID", "i", "Call-Id"], charsOf(TOKEN + "@:/?()", 1, 20)),
    row(["CSeq", "CSEQ"], fc.tuple(fc.nat(), lws).map(([number, space]) => `${number}${space}${method}`)),
    row(["Max-Forwards", "max-forwards"], fc.nat(255).map(String)),
  );
  const body = fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes));
  return fc.tuple(needed, fc.array(extraRow, { maxLength: 5 }), body, fc.boolean()).chain(
    ([needed, extra, body, hasLength]) => {
      const length = { name: "Content-Length", text: `Content-Length: ${body.length}\r\n` };
      const rows = [...needed, ...extra, ...(hasLength ? [length] : [])];
      return fc.shuffledSubarray(rows, { minLength: rows.length }).map((rows) => ({ startLine, rows, body }));
    },
  );
}

const requestUri = uri.map((text) => text.replace(/\?[^@]*$/, ""));
const requestParts = fc.tuple(method, requestUri).chain(([method, uri]) =>
  partsOf(`${method} ${uri} SIP/2.0`, method)
);
const responseParts = fc.tuple(method, fc.integer({ min: 100, max: 699 }), opaque).chain((
  [method, status, reason],
) => partsOf(`SIP/2.0 ${status} ${reason}`, method));

Deno.test("a well-formed message is sound, and leaves byte for byte when nothing is edited", () => {
  fc.assert(
    fc.property(requestParts, (parts) => {
      const request = asRequest(textOf(parts));
      assertEquals(requestFault(request)?.reason, undefined);
      assertEquals(new RequestDraft(request).toString(), textOf(parts));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(responseParts, (parts) => {
      const response = asResponse(textOf(parts));
      assertEquals(response.fault, undefined);
      assertEquals(new ResponseDraft(response).toString(), textOf(parts));
    }),
    { numRuns: 500 },
  );
});

const EDITED = [
  "Via",
  "From",
  "Call-ID",
  "Max-Forwards",
  "Route",
  "Record-Route",
  "Supported",
  "X-Odd",
  "X-New",
];

/** The rows after an edit of the field: what stays of it, and what stands in the place of its first. */
function edited(rows: readonly Row[], name: string, put: string, keeps: boolean): Row[] {
  const first = rows.findIndex((row) => row.name === name);
  const kept = rows.map((row) => keeps || row.name !== name ? [row] : []);
  const row = put === "" ? [] : [{ name, text: `${name}: ${put}\r\n` }];
  if (first < 0) {
    // Below the Vias that the header begins with.
    const vias = rows.findIndex((row) => row.name !== "Via");
    return rows.toSpliced(vias < 0 ? rows.length : vias, 0, ...row);
  }
  return kept.flatMap((rows, i) => i === first ? [...row, ...rows] : rows);
}

Deno.test("with one edit, only the rows of that field differ", () => {
  fc.assert(
    fc.property(requestParts, fc.constantFrom(...EDITED), token, (parts, name, value) => {
      const request = asRequest(textOf(parts));
      const { rows } = parts;
      const draft = () => new RequestDraft(request);
      const expected = (put: string, keeps: boolean) =>
        textOf({ ...parts, rows: edited(rows, name, put, keeps) });
      assertEquals(draft().set(name, value).toString(), expected(value, false));
      assertEquals(draft().prepend(name, value).toString(), expected(value, true));
      assertEquals(draft().remove(name).toString(), expected("", false));
    }),
    { numRuns: 400 },
  );
});

Deno.test("any two edits are both there, in whatever order they are made", () => {
  const edit = fc.tuple(fc.constantFrom(...EDITED), fc.constantFrom("set", "prepend", "remove"));
  fc.assert(
    fc.property(requestParts, edit, edit, (parts, [a, doA], [b, doB]) => {
      fc.pre(a !== b);
      const request = asRequest(textOf(parts));
      const apply = (draft: RequestDraft, name: string, what: string) =>
        what === "set"
          ? draft.set(name, "1")
          : what === "prepend"
          ? draft.prepend(name, "1")
          : draft.remove(name);
      for (const isTurned of [false, true]) {
        const draft = new RequestDraft(request);
        if (isTurned) apply(apply(draft, b, doB), a, doA);
        else apply(apply(draft, a, doA), b, doB);
        const out = parseText(draft.toString());
        assert(out !== undefined);
        for (const name of EDITED) assertEquals(out.all(name), draft.all(name), name);
        assertEquals(out.body, parts.body);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("the top Via that comes off a response is the only thing that does", () => {
  fc.assert(
    fc.property(responseParts, (parts) => {
      const response = asResponse(textOf(parts));
      const out = parseText(new ResponseDraft(response).removeTopVia().toString());
      assert(out instanceof SipResponse);
      assertEquals(out.all("Via"), response.all("Via").slice(1));
      for (const name of ["From", "To", "Call-ID", "CSeq", "Route", "X-Odd", "X-Other"]) {
        assertEquals(out.all(name), response.all(name), name);
      }
      assertEquals([out.status, out.reason, out.body], [response.status, response.reason, response.body]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("the source of a request can be noted in any Via, and read from it again", () => {
  const address = fc.constantFrom("192.0.2.9", "2001:db8::9");
  fc.assert(
    fc.property(
      requestParts,
      fc.constantFrom("", ";rport", ";rport=1", ";received=x"),
      address,
      fc.boolean(),
      (
        parts,
        asked,
        address,
        force,
      ) => {
        const top = { name: "Via", text: `Via: SIP/2.0/UDP other.example;branch=z9hG4bKx${asked}\r\n` };
        const request = asRequest(textOf({ ...parts, rows: [top, ...parts.rows] }));
        request.stampSource(address, 7000, force);
        for (const text of [new RequestDraft(request).toString(), buildReply(request, 200)]) {
          const { via } = parseText(text)!;
          assertEquals([via.host, via.branch, via.received], ["other.example", "z9hG4bKx", address]);
          assertEquals(via.rport, force || asked.startsWith(";rport") ? "7000" : undefined);
        }
      },
    ),
    { numRuns: 200 },
  );
});

const headers: fc.Arbitrary<HeaderList> = fc.array(
  fc.tuple(token.map((name) => `X-${name}`), opaque),
  { maxLength: 6 },
);

Deno.test("a request that is built is read as it was meant", () => {
  const body = bytesBut("", 60);
  fc.assert(
    fc.property(method, uri, headers, body, (method, uri, headers, body) => {
      const request = asRequest(buildRequest(method, uri, headers, body));
      assertEquals([request.method, request.uriText, request.version, request.body], [
        method,
        uri,
        "SIP/2.0",
        body,
      ]);
      for (const [name] of headers) {
        const values = headers.filter((header) => header[0].toLowerCase() === name.toLowerCase()).map((
          [, v],
        ) => v);
        assertEquals(request.get(name), values[0], name);
        assertEquals(
          request.all(name),
          values.flatMap(splitList),
        );
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("a reply that is built is read as it was meant, and has what names the request", () => {
  const options = { toTag: "ours", headers: [["X-One", "1"], ["X-Two", "2"]], body: "\u0000body" } as const;
  fc.assert(
    fc.property(requestParts, fc.integer({ min: 100, max: 699 }), (parts, status) => {
      const request = asRequest(textOf(parts));
      const reply = asResponse(buildReply(request, status, options));
      assertEquals([reply.fault, reply.status, reply.body], [undefined, status, options.body]);
      assertEquals(reply.all("Via"), request.all("Via"));
      assertEquals([reply.callId, reply.cseq, reply.fromTag], [
        request.callId,
        request.cseq,
        request.fromTag,
      ]);
      assertEquals(reply.toTag, request.toTag ?? (status === 100 ? undefined : "ours"));
      assertEquals(reply.to.uriText, request.to.uriText);
      assertEquals([reply.get("X-One"), reply.get("X-Two")], ["1", "2"]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("parameters are read as they were written", () => {
  fc.assert(
    fc.property(params, (list) => {
      const text = list.map(({ text }) => text).join("").replace(/^[ \t\r\n]+/, "");
      const read = new Params(text);
      assertEquals(read.list, list.map(({ name, value }) => ({ name, value })));
      assertEquals(new Params(read.without()).list, read.list);
      for (const { name } of list) {
        const first = list.find((other) => other.name.toLowerCase() === name.toLowerCase());
        assertEquals(read.get(name.toUpperCase()), first?.value ?? "");
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("addresses are read as they were written", () => {
  fc.assert(
    fc.property(list(nameAddr), (text) => {
      const addresses = parseNameAddrs(text, "Route");
      assertEquals(
        addresses.map(String).map((text) => parseNameAddrs(text, "Route").map(String)).flat(),
        addresses.map(String),
      );
      assertEquals(addresses.length, splitList(text).length);
      for (const { uri, uriText } of addresses) assertEquals(uri.toString(), uriText);
    }),
    { numRuns: 300 },
  );
});

Deno.test("equality of URIs is reflexive and symmetric", () => {
  fc.assert(
    fc.property(sipUri, sipUri, (a, b) => {
      const [one, other] = [parseUri(a), parseUri(b)];
      assert(sameUri(one, parseUri(a)));
      assertEquals(sameUri(one, other), sameUri(other, one));
      // The host's case, and a parameter nobody knows, make no difference.
      const same = parseUri(
        `${a.split("?")[0]};nobody-knows=1${a.includes("?") ? a.slice(a.indexOf("?")) : ""}`,
      );
      if (!one.user?.includes("?")) assert(sameUri(one, same), a);
    }),
    { numRuns: 300 },
  );
});

/** Everything a message can be asked; whatever it throws must be meant for the peer. */
function askAll(message: SipMessage): void {
  const asks: (() => unknown)[] = [
    () => message instanceof SipRequest ? requestFault(message) : undefined,
    () => message.contacts === "*" || message.contacts.forEach(askAddress),
    () => message.routes.forEach(askAddress),
    () => askAddress(message.from),
    () => askAddress(message.to),
    () => message.via.params.list,
    () => ["Via", "Contact", "Date", "X-Odd", "Supported", "a"].forEach((name) => message.all(name)),
    () => message.hasOption("Supported", "path"),
    () =>
      message instanceof SipResponse && new ResponseDraft(message).removeTopVia().set("X", "1").toString(),
  ];
  for (let kind: object = message; kind !== Object.prototype; kind = Object.getPrototypeOf(kind)) {
    for (const name of Object.getOwnPropertyNames(kind)) {
      if (name !== "__proto__") asks.push(() => Reflect.get(kind, name, message));
    }
  }
  for (let id = 0; id < 10; id++) {
    asks.push(() => message.rowText(id), () => message.get(nameOf(id)), () => message.has(nameOf(id)));
  }
  if (message instanceof SipRequest) {
    asks.push(
      () => message.stampSource("192.0.2.1", 5060, true),
      () => buildReply(message, 400, { toTag: "x" }),
      () => new RequestDraft(message).set("Via", "x").prepend("X", "1").remove("From").toString(),
    );
  }
  for (const ask of asks) onlyForPeer(ask);
}

function askAddress(address: NameAddr): void {
  onlyForPeer(() => address.uri.params.list);
  onlyForPeer(() => address.params.list);
  onlyForPeer(() => address.params.unquoted("q"));
}

function onlyForPeer(ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
  }
}

function feed(text: string): void {
  const message = parseMessage(byteArea(latin1Bytes(text)));
  if (message !== undefined) askAll(message);
}

Deno.test("no bytes whatever make the reader throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const message = parseMessage(byteArea(bytes));
      if (message !== undefined) askAll(message);
    }),
    { numRuns: 2_000 },
  );
  const noise = fc.string({
    unit: fc.constantFrom(...'\r\n\t ;,=<>"\\@:[]/?*%&aS2.0-', "\u0000", "\u00e9"),
    maxLength: 120,
  });
  const startLine = fc.constantFrom(
    "",
    "A sip:b SIP/2.0\r\n",
    "SIP/2.0 200 OK\r\n",
    "REGISTER sip:b SIP/2.0\r\nm:",
  );
  fc.assert(fc.property(startLine, noise, (start, noise) => feed(start + noise)), { numRuns: 3_000 });
});

/** What happens to a message on its way to being none: pieces of it cut out, said twice, or overwritten. */
const wound = fc.record({
  kind: fc.constantFrom("cut", "twice", "overwrite", "insert", "end"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 30 }),
  bytes: fc.oneof(
    bytesBut("", 4),
    fc.constantFrom("\r\n", "\r\n ", "\n", '"', "<", ">", ";", ",", "\u0000", ":", "*"),
  ),
});

function wounded(
  text: string,
  wounds: readonly (typeof wound extends fc.Arbitrary<infer W> ? W : never)[],
): string {
  let out = text;
  for (const { kind, at, length, bytes } of wounds) {
    const start = Math.floor(at * out.length);
    const [before, piece, after] = [
      out.slice(0, start),
      out.slice(start, start + length),
      out.slice(start + length),
    ];
    if (kind === "cut") out = before + after;
    else if (kind === "twice") out = before + piece + piece + after;
    else if (kind === "overwrite") out = before + bytes + after;
    else if (kind === "insert") out = before + bytes + piece + after;
    else out = before;
  }
  return out;
}

Deno.test("no piece of a message, however wounded, makes the reader throw", () => {
  const whole = fc.oneof(
    requestParts.map(textOf),
    responseParts.map(textOf),
    fc.constantFrom(...TORTUROUS.map(({ text }) => text).filter((text) => text.length < 5_000)),
  );
  const wounds = fc.array(wound, { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(whole, wounds, (text, wounds) => feed(wounded(text, wounds))), { numRuns: 4_000 });
});

Deno.test("no text makes a parser throw anything but a MalformedError", () => {
  const text = fc.oneof(
    bytesBut("", 60),
    fc.string({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'sip:@;=,<>"\\[]?&%aA1.* \t\r\n/UDP20'), maxLength: 40 }),
    fc.tuple(fc.constantFrom("sip:", "SIP/2.0/UDP ", "<sip:", '"', "sip:a@[", "sip:a;b="), bytesBut("", 20))
      .map((parts) => parts.join("")),
  );
  const parsers: ((text: string) => unknown)[] = [
    (text) => parseUri(text).params.list,
    (text) => parseNameAddrs(text, "Contact").forEach(({ params }) => params.list),
    (text) => parseVia(text).params.list,
    (text) => splitList(text),
    (text) => new Params(text).list,
    (text) => new Params(`;${text}`).without("a"),
  ];
  fc.assert(
    fc.property(text, (text) => {
      for (const parse of parsers) {
        try {
          parse(text);
        } catch (error) {
          assert(error instanceof MalformedError, String(error));
        }
      }
    }),
    { numRuns: 5_000 },
  );
});
