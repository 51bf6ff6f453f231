import { latin1Bytes } from "../../src/lib/latin1.ts";
import {
  CALL_ID,
  CONTACT,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  headerId,
  headerIdAt,
  isListField,
  MAX_FORWARDS,
  nameOf,
  OTHER,
  ROUTE,
  sameField,
  SINGLE_FIELDS,
  TIMESTAMP,
  TO,
  VIA,
} from "../../src/sip/header_names.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The id of a name between other bytes. */
function idOf(name: string): number {
  return headerIdAt(latin1Bytes(`\n${name}:`), 1, 1 + name.length);
}

Deno.test("the ids that have names of their own are those of their fields", () => {
  const table: [number, string][] = [
    [CALL_ID, "Call-ID"],
    [CSEQ, "CSeq"],
    [FROM, "From"],
    [TO, "To"],
    [MAX_FORWARDS, "Max-Forwards"],
    [CONTENT_LENGTH, "Content-Length"],
    [VIA, "Via"],
    [CONTACT, "Contact"],
    [ROUTE, "Route"],
    [TIMESTAMP, "Timestamp"],
  ];
  for (const [id, name] of table) {
    assertEquals(nameOf(id), name);
    assertEquals(headerId(name), id, name);
  }
});

Deno.test("every name in the table is found in any case", () => {
  for (let id = 0; id <= headerId("Flow-Timer"); id++) {
    const name = nameOf(id);
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      assertEquals(idOf(spelling), id, spelling);
      assertEquals(headerId(spelling), id, spelling);
    }
  }
});

Deno.test("a compact letter stands for its field in either case, and no other letter for any", () => {
  const compact: Record<string, string> = {
    i: "Call-ID",
    f: "From",
    t: "To",
    l: "Content-Length",
    v: "Via",
    m: "Contact",
    k: "Supported",
    c: "Content-Type",
    o: "Event",
  };
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    const id = compact[letter] === undefined ? OTHER : headerId(compact[letter]);
    assertEquals(idOf(letter), id, letter);
    assertEquals(idOf(letter.toUpperCase()), id, letter);
  }
});

Deno.test("a name that only resembles one of the table is none of it", () => {
  for (const name of ["Vi", "Viaa", "Vja", "Call_ID", "Cseqs", "Fr0m", "Max-Forwardz", "X-To", "!"]) {
    assertEquals(idOf(name), OTHER, name);
  }
  assertEquals(headerId("Subject"), OTHER);
  assertEquals(headerId(""), OTHER);
});

Deno.test("two names of one field are the same in any case", () => {
  assert(sameField("Via", "VIA"));
  assert(sameField("X-Odd", "x-odd"));
  assert(!sameField("X-Odd", "X-Even"));
  assert(!sameField("Via", "Viaa"));
});

Deno.test("the fields that may stand only once come first in the table", () => {
  const singles = Array.from({ length: SINGLE_FIELDS }, (_, id) => nameOf(id));
  assertEquals(singles, ["Call-ID", "CSeq", "From", "To", "Max-Forwards", "Content-Length"]);
});

Deno.test("credentials, challenges, dates and fields with comments are never split at a comma", () => {
  const whole = [
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authorization",
    "Proxy-Authorization",
    "Date",
    "Call-ID",
    "User-Agent",
    "Server",
    "Retry-After",
  ];
  for (const name of whole) {
    assert(!isListField(name), name);
    assert(!isListField(name.toLowerCase()), name);
  }
  for (const name of ["Via", "Route", "Contact", "Supported", "X-Unknown"]) assert(isListField(name), name);
});
