import { checkProxyRequire, checkRequire } from "../../src/modules/mod.ts";
import { type HeaderList, SipError } from "../../src/sip/mod.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { request } from "../support/messages.ts";
import { Seen } from "../support/received.ts";

function seen(method: string, headers: HeaderList): Seen {
  return new Seen(request(method, { headers }));
}

function refused(check: () => void): unknown {
  const { status, reason, headers } = assertThrows(check, SipError);
  assertEquals([status, reason], [420, "Bad Extension"]);
  return headers;
}

Deno.test("what is asked of proxies is refused with exactly what none of ours can do", () => {
  const headers = [["Proxy-Require", "foo, bar"], ["Proxy-Require", "Baz"], ["Require", "other"]] as const;
  assertEquals(refused(() => checkProxyRequire(seen("INVITE", headers))), [["Unsupported", "foo, bar, Baz"]]);
});

Deno.test("what is asked of the other side is no business of a proxy's", () => {
  checkProxyRequire(seen("INVITE", [["Require", "foo"]]));
  checkProxyRequire(seen("INVITE", []));
});

Deno.test("ACK and CANCEL are not refused for what they ask", () => {
  for (const method of ["ACK", "CANCEL"]) checkProxyRequire(seen(method, [["Proxy-Require", "foo"]]));
});

Deno.test("what is asked of the server itself is refused as far as it is not supported", () => {
  const asking = seen("REGISTER", [["Require", "foo, path"], ["Require", "GRUU"], ["Proxy-Require", "x"]]);
  assertEquals(refused(() => checkRequire(asking)), [["Unsupported", "foo, path, GRUU"]]);
  assertEquals(refused(() => checkRequire(asking, ["path", "gruu"])), [["Unsupported", "foo"]]);
  checkRequire(asking, ["foo", "path", "gruu"]);
  checkRequire(seen("OPTIONS", []));
});

Deno.test("a Require that lists nothing asks for nothing", () => {
  checkRequire(seen("OPTIONS", [["Require", ""]]));
  checkProxyRequire(seen("OPTIONS", [["Proxy-Require", ""]]));
});
