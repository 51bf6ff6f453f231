import { checkMaxForwards } from "../../src/modules/mod.ts";
import { MalformedError, SipError } from "../../src/sip/mod.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { asRequest, requestText } from "../support/messages.ts";
import { Seen } from "../support/received.ts";

function check(row: string): void {
  checkMaxForwards(new Seen(asRequest(requestText("INVITE").replace("Max-Forwards: 70\r\n", row))));
}

Deno.test("a request that may not go any further is refused with 483", () => {
  for (const value of ["0", "00"]) {
    const error = assertThrows(() => check(`Max-Forwards: ${value}\r\n`), SipError);
    assertEquals([error.status, error.reason], [483, "Too Many Hops"]);
  }
});

Deno.test("a request that may go further passes, and so does one that does not say", () => {
  for (const row of ["", "Max-Forwards: 1\r\n", "Max-Forwards: 0070\r\n", "Max-Forwards: 255\r\n"]) {
    check(row);
  }
});

Deno.test("a Max-Forwards that is no number from 0 to 255 is malformed", () => {
  for (const value of ["", "-1", "256", "many"]) {
    assertThrows(() => check(`Max-Forwards: ${value}\r\n`), MalformedError);
  }
});
