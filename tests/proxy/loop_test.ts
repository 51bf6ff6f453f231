import { isLoop, loopPart } from "../../src/proxy/loop.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { type MessageParts, request, viaOf } from "../support/messages.ts";

const SEED = 42;

function isOurs(host: string, port: number | undefined): boolean {
  return (host === "192.0.2.1" || host === "2001:db8::1") && (port ?? 5060) === 5060;
}

/** Whether a request that has been there by these Vias, below its sender's, is taken for a loop. */
function comesBackBy(...vias: string[]): boolean {
  const looped = request("INVITE", { vias: [viaOf("z9hG4bKsender"), ...vias] });
  return isLoop(looped, loopPart(looped, SEED), isOurs);
}

const LOOP = loopPart(request("INVITE"), SEED);

Deno.test("the loop part does not depend on the method, the Vias or the body", () => {
  const alike: [method: string, parts: MessageParts][] = [
    ["ACK", {}],
    ["CANCEL", {}],
    ["INVITE", { vias: [viaOf("z9hG4bKother", "203.0.113.5:5060")] }],
    ["INVITE", { body: "v=0\r\n", headers: [["Max-Breadth", "3"], ["Subject", "x"]] }],
  ];
  for (const [method, parts] of alike) assertEquals(loopPart(request(method, parts), SEED), LOOP);
});

Deno.test("the loop part changes with all that decides where a request goes, and with its transaction", () => {
  const others: MessageParts[] = [
    { uri: "sip:carol@example.com" },
    { callId: "call-2" },
    { cseq: "2 INVITE" },
    { headers: [["Route", "<sip:192.0.2.77;lr>"]] },
    { headers: [["Route", "<sip:192.0.2.78;lr>"]] },
    { headers: [["Route", "<sip:192.0.2.77;lr>, <sip:192.0.2.78;lr>"]] },
  ];
  const parts = others.map((parts) => loopPart(request("INVITE", parts), SEED));
  assertEquals(new Set([LOOP, ...parts]).size, others.length + 1);
  assertNotEquals(loopPart(request("INVITE"), SEED + 1), LOOP);
});

Deno.test("a request is a loop if any of its Vias is ours and has its loop part", () => {
  assert(comesBackBy(viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1:5060")));
  assert(comesBackBy(viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1")));
  assert(comesBackBy(viaOf(`z9hG4bKone.${LOOP}`, "[2001:DB8:0::1]:5060")));
  assert(comesBackBy(viaOf("z9hG4bKx", "203.0.113.5:5060"), viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1:5060")));
  assert(comesBackBy(`${viaOf("z9hG4bKx", "203.0.113.5")}, ${viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1")}`));
});

Deno.test("a spiral, a stranger's Via and another process's are no loop", () => {
  assert(!comesBackBy(viaOf("z9hG4bKone.other", "192.0.2.1:5060")));
  assert(!comesBackBy(viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1:5070")));
  assert(!comesBackBy(viaOf(`z9hG4bKone.${LOOP}`, "203.0.113.5:5060")));
  assert(!comesBackBy(viaOf(`z9hG4bKone.${LOOP}x`, "192.0.2.1:5060")));
  assert(!comesBackBy(`SIP/2.0/UDP 192.0.2.1:5060;note=z.${LOOP}`));
});

Deno.test("Vias of others may be as odd as they like", () => {
  const odd = [
    "SIP/2.0/UDP",
    "rubbish",
    `SIP/2.0/UDP ;branch=.${LOOP}`,
    'SIP/2.0/UDP x;a="b;branch";flag;c=',
  ];
  assert(!comesBackBy(...odd));
  assert(comesBackBy(...odd, viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1:5060")));
});

Deno.test("a request straight from its user agent has been nowhere yet", () => {
  const first = request("INVITE", { vias: [viaOf(`z9hG4bKone.${LOOP}`, "192.0.2.1:5060")] });
  assert(!isLoop(first, LOOP, isOurs));
});
