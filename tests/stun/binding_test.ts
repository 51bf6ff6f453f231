import fc from "fast-check";
import { formatIp } from "../../src/lib/ip_address.ts";
import { BindingResponder } from "../../src/stun/mod.ts";
import { REQUESTS, RESPONSES } from "../data/rfc5769.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import {
  parseStunResponse,
  type StunAttribute,
  stunRequest,
  type StunRequestOptions,
  TRANSACTION_ID,
} from "../support/stun.ts";

const SOURCE = { address: "203.0.113.5", port: 40_000 };
const SOURCE_V6 = { address: "2001:db8::5", port: 1 };

/** The answer to a message that lies amid other bytes. */
function answer(bytes: Uint8Array, { source = SOURCE, software = "" } = {}): Uint8Array | undefined {
  const area = new Uint8Array(bytes.length + 40).fill(0x21);
  area.set(bytes, 20);
  return new BindingResponder(software).answer(area, 20, 20 + bytes.length, source);
}

/** The answer to a request, as its client reads it. */
function ask(options: StunRequestOptions = {}, parts: Parameters<typeof answer>[1] = {}) {
  return parseStunResponse(answer(stunRequest(options), parts)!);
}

for (const source of [SOURCE, SOURCE_V6]) {
  Deno.test(`who asks from ${source.address} is told that`, () => {
    assertEquals(ask({}, { source }), {
      type: 0x0101,
      transactionId: TRANSACTION_ID,
      attributes: [0x0020],
      mapped: source,
      hasFingerprint: false,
    });
  });
}

for (const { section, bytes, hasFingerprint } of REQUESTS) {
  Deno.test(`the request of ${section} is answered although nobody here has its credentials`, () => {
    const response = parseStunResponse(answer(bytes)!);
    assertEquals([response.type, response.mapped, response.hasFingerprint], [0x0101, SOURCE, hasFingerprint]);
    assertEquals(response.transactionId, bytes.slice(8, 20));
  });
}

Deno.test("the same request again has the same answer", () => {
  assertEquals(answer(stunRequest()), answer(stunRequest()));
});

Deno.test("attributes that must be understood and are not are named in a refusal", () => {
  const attributes: StunAttribute[] = [[0x0003, [0, 0, 0, 6]], [0x8123, [1]], [0x7f00, []]];
  assertEquals(ask({ attributes }), {
    type: 0x0111,
    transactionId: TRANSACTION_ID,
    attributes: [0x0009, 0x000a],
    error: { code: 420, reason: "Unknown Attribute" },
    unknown: [0x0003, 0x7f00],
    hasFingerprint: false,
  });
});

Deno.test("a FINGERPRINT is in the answer if it is in the request, refusals included", () => {
  assert(ask({ fingerprint: true }).hasFingerprint);
  const refused = ask({ fingerprint: true, attributes: [[0x7f00, []]] });
  assertEquals([refused.error?.code, refused.hasFingerprint], [420, true]);
});

Deno.test("a SOFTWARE is in every answer if there is one to name", () => {
  for (const software of ["a", "sluice", "böhm", "x".repeat(127)]) {
    assertEquals(ask({ fingerprint: true }, { software }).software, software);
    assertEquals(ask({ attributes: [[0x7f00, []]] }, { software }).software, software);
  }
  assertThrows(() => new BindingResponder("x".repeat(128)), RangeError, "too long");
});

const DROPPED: readonly (readonly [string, Uint8Array])[] = [
  ["a Binding indication", stunRequest({ type: 0x0011 })],
  ["a success response", stunRequest({ type: 0x0101 })],
  ["an error response", stunRequest({ type: 0x0111 })],
  ["a request of another method", stunRequest({ type: 0x0003 })],
  ["a request of a method above the first 128", stunRequest({ type: 0x0201 })],
  ["a request as of RFC 3489, without a cookie", stunRequest().fill(0x55, 4, 20)],
  ["a wrong FINGERPRINT", stunRequest({ attributes: [[0x8028, [0, 0, 0, 0]]] })],
  ["an attribute that runs over the end", stunRequest({ attributes: [[0x8022, []]] }).with(23, 1)],
  ["more than a packet holds", stunRequest({ attributes: [[0x8022, new Uint8Array(1_500)]] })],
  ["half a header", stunRequest().subarray(0, 10)],
  ["nothing", new Uint8Array()],
];

for (const [what, bytes] of DROPPED) {
  Deno.test(`${what} has no answer`, () => {
    assertEquals(answer(bytes), undefined);
  });
}

Deno.test("an answer has no answer", () => {
  for (const { bytes } of RESPONSES) assertEquals(answer(bytes), undefined);
  assertEquals(answer(answer(stunRequest())!), undefined);
});

const sources = fc.record({
  address: fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ).map(formatIp),
  port: fc.nat(65_535),
});

const attributeLists = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(0x7fff), fc.integer({ min: 0x8000, max: 0xffff })).filter((type) => type !== 0x8028),
    fc.uint8Array({ maxLength: 40 }),
  ),
  { maxLength: 20 },
);

Deno.test("whatever the attributes, a client can read the answer", () => {
  fc.assert(fc.property(attributeLists, fc.boolean(), sources, (attributes, fingerprint, source) => {
    const response = ask({ attributes, fingerprint }, { source, software: "sluice" });
    assertEquals(response.transactionId, TRANSACTION_ID);
    assertEquals(response.hasFingerprint, fingerprint);
    if (response.type === 0x0101) assertEquals(response.mapped, source);
    else assertEquals([response.error?.code, response.unknown!.length > 0], [420, true]);
  }));
});

Deno.test("no bytes make it throw, and what it does answer can be read", () => {
  const damaged = fc.tuple(attributeLists, fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 6 }))
    .map(([attributes, changes]) => {
      const bytes = stunRequest({ attributes, fingerprint: changes.length % 2 === 0 });
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      const response = answer(bytes);
      if (response !== undefined) parseStunResponse(response);
    }),
    { numRuns: 2_000 },
  );
});
