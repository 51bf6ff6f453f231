import { bestOf, draftOf, type Failure } from "../../src/proxy/best_failure.ts";
import type { HeaderList } from "../../src/sip/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { asResponse, response, viaOf } from "../support/messages.ts";

const VIAS = [viaOf("z9hG4bKours", "192.0.2.1:5060"), viaOf("z9hG4bKtheirs")];

function told(status: number, headers: HeaderList = []): Failure {
  return { status, response: response(status, "INVITE", { vias: VIAS, headers }) };
}

function madeUp(status: number): Failure {
  return { status, response: undefined };
}

Deno.test("the best failure is a 6xx, else one of the lowest class, else what a caller can act on", () => {
  const table: [statuses: number[], best: number][] = [
    [[404], 404],
    [[503, 407, 501, 404], 407],
    [[486, 404, 480], 404],
    [[480, 486], 480],
    [[500, 302, 401], 302],
    [[302, 603, 401], 603],
    [[603, 600], 600],
    [[484, 420, 415, 407, 401], 401],
    [[484, 420, 415, 407], 407],
    [[484, 420, 415], 415],
    [[484, 420], 420],
    [[400, 484], 484],
    [[503, 500], 500],
    [[599, 499], 499],
  ];
  for (const [statuses, best] of table) {
    assertEquals(bestOf(statuses.map((status) => told(status)))?.status, best, statuses.join());
    assertEquals(bestOf(statuses.toReversed().map((status) => told(status)))?.status, best, statuses.join());
  }
});

Deno.test("of two failures with the same status the first is told", () => {
  const [first, second] = [told(486), told(486)];
  assert(bestOf([first, second]) === first);
});

Deno.test("what somebody said comes before what stands for silence, within one class", () => {
  assertEquals(bestOf([madeUp(408), told(486)])?.status, 486);
  assertEquals(bestOf([madeUp(408), told(500)])?.status, 408);
  assertEquals(bestOf([madeUp(503), told(504)])?.status, 504);
});

Deno.test("without any failure there is no best one", () => {
  assertEquals(bestOf([]), undefined);
});

Deno.test("the draft of a failure is the response without our Via", () => {
  const busy = told(486, [["X-Why", "lunch"]]);
  const text = draftOf(busy.response!, [busy, told(480)]).toString();
  assertEquals(text, busy.response!.text.replace(`Via: ${VIAS[0]}\r\n`, ""));
});

Deno.test("a challenge brings those of all branches that asked, each peer's in its order", () => {
  const best = told(401, [["WWW-Authenticate", 'Digest realm="a"'], [
    "WWW-Authenticate",
    'Digest realm="b"',
  ]]);
  const proxy = told(407, [["Proxy-Authenticate", 'Digest realm="c", nonce="1,2"']]);
  const third = told(401, [["WWW-Authenticate", 'Digest realm="d"']]);
  const busy = told(486, [["WWW-Authenticate", 'Digest realm="no"']]);
  const merged = asResponse(draftOf(best.response!, [busy, proxy, best, third]).toString());
  assertEquals(merged.all("WWW-Authenticate"), ['Digest realm="a"', 'Digest realm="b"', 'Digest realm="d"']);
  assertEquals(merged.all("Proxy-Authenticate"), ['Digest realm="c", nonce="1,2"']);
  assertEquals(merged.all("Via"), [VIAS[1]]);
});

Deno.test("a challenge of 407 brings the others as well, a failure of another status none", () => {
  const ask = (realm: string) => told(407, [["Proxy-Authenticate", `Digest realm="${realm}"`]]);
  const [one, two, decline] = [ask("a"), ask("b"), told(603)];
  const merged = asResponse(draftOf(one.response!, [one, two]).toString());
  assertEquals(merged.all("Proxy-Authenticate"), ['Digest realm="a"', 'Digest realm="b"']);
  assert(!draftOf(decline.response!, [one, two, decline]).toString().includes("realm"));
});

Deno.test("a challenge that is the only one leaves as it came", () => {
  const best = told(407, [["Proxy-Authenticate", "Digest  realm=odd"]]);
  const text = draftOf(best.response!, [told(486), best]).toString();
  assertEquals(text, best.response!.text.replace(`Via: ${VIAS[0]}\r\n`, ""));
});
