import { MalformedError, SipError } from "../../src/sip/errors.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("an error tells the answer it stands for", () => {
  const error = new SipError(423, "Interval Too Brief", [["Min-Expires", "60"]]);
  assertEquals([error.status, error.reason, error.message], [
    423,
    "Interval Too Brief",
    "423 Interval Too Brief",
  ]);
  assertEquals(error.headers, [["Min-Expires", "60"]]);
  assertEquals([error.name, error instanceof Error], ["SipError", true]);
});

Deno.test("what is malformed is a 400 that says what is wrong", () => {
  const error = new MalformedError("Malformed Via");
  assert(error instanceof SipError);
  assertEquals([error.status, error.reason, error.headers], [400, "Malformed Via", []]);
  assertEquals(error.name, "MalformedError");
});
