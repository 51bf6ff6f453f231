import { sendErrorOf } from "../../src/transport/udp_errors.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("of errors that come back, each says what RFC 3261 §18.4 makes of it", () => {
  const cases: readonly [string, readonly [origin: number, type: number, code: number], string][] = [
    ["network unreachable", [2, 3, 0], "unreachable"],
    ["host unreachable", [2, 3, 1], "unreachable"],
    ["protocol unreachable", [2, 3, 2], "refused"],
    ["port unreachable", [2, 3, 3], "refused"],
    ["too long for a link", [2, 3, 4], "ignored"],
    ["forbidden by a firewall", [2, 3, 13], "unreachable"],
    ["source quench", [2, 4, 0], "ignored"],
    ["time exceeded", [2, 11, 0], "ignored"],
    ["parameter problem", [2, 12, 0], "unreachable"],
    ["no route, IPv6", [3, 1, 0], "unreachable"],
    ["port unreachable, IPv6", [3, 1, 4], "refused"],
    ["packet too big, IPv6", [3, 2, 0], "ignored"],
    ["time exceeded, IPv6", [3, 3, 0], "ignored"],
    ["parameter problem, IPv6", [3, 4, 0], "unreachable"],
    ["our own machine", [1, 0, 0], "ignored"],
  ];
  for (const [name, error, meaning] of cases) assertEquals(sendErrorOf(...error), meaning, name);
});
