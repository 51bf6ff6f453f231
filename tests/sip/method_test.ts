import { ALL_METHODS, internMethod, isDialogForming, methodBit, METHODS } from "../../src/sip/method.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("each known method has a bit of its own, and all others share one", () => {
  const bits = [...METHODS, "PING"].map(methodBit);
  assertEquals(new Set(bits).size, METHODS.length + 1);
  assertEquals(methodBit("PING"), methodBit("PONG"));
  assertEquals(methodBit("invite"), methodBit("PING"));
  for (const bit of bits) assertEquals(Math.log2(bit) % 1, 0);
});

Deno.test("the set of all methods has each of them, known or not", () => {
  for (const method of [...METHODS, "PING"]) assert((ALL_METHODS & methodBit(method)) !== 0, method);
});

Deno.test("a method is the same text however it was made, and its case counts", () => {
  for (const method of [...METHODS, "PING", "invite", ""]) assertEquals(internMethod(method), method);
});

Deno.test("INVITE, SUBSCRIBE and REFER can create a dialog, and for all we know what we do not know", () => {
  const forming = [...METHODS, "PING", "invite"].filter(isDialogForming);
  assertEquals(forming, ["INVITE", "SUBSCRIBE", "REFER", "PING", "invite"]);
});
