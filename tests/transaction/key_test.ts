import { branchOf, identityOf, keyFits, serverKeyOf } from "../../src/transaction/key.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { request, viaOf } from "../support/messages.ts";

Deno.test("a key is the branch, the method, and the sent-by in lower case", () => {
  assertEquals(serverKeyOf(request("INVITE", { vias: [viaOf("z9hG4bKa", "Host.Example:5070")] })), {
    identity: "z9hG4bKa",
    method: "INVITE",
    host: "host.example",
    port: 5070,
  });
});

Deno.test("only the topmost Via counts", () => {
  const vias = [viaOf("z9hG4bKtop", "[2001:DB8::1]"), viaOf("z9hG4bKbottom", "b")];
  const { identity, host, port } = serverKeyOf(request("BYE", { vias }));
  assertEquals([identity, host, port], ["z9hG4bKtop", "2001:db8::1", 5060]);
});

Deno.test("a branch without the cookie, or of the cookie alone, does not stand for the request", () => {
  for (const branch of ["1234", "z9hG4bK", "Z9HG4BKabc"]) {
    const first = request("BYE", { vias: [viaOf(branch)], callId: "a" });
    const second = request("BYE", { vias: [viaOf(branch)], callId: "b" });
    assertNotEquals(identityOf(first), identityOf(second));
  }
});

Deno.test("no peer can make its branch look like what stands for an old request", () => {
  const old = request("BYE", { vias: ["SIP/2.0/UDP h"] });
  assert(identityOf(old).includes(" "));
});

Deno.test("a key fits a request of the wanted method only", () => {
  const key = serverKeyOf(request("INVITE"));
  assert(keyFits(key, request("ACK"), "INVITE"));
  assert(!keyFits(key, request("INVITE"), "CANCEL"));
});

Deno.test("a branch of ours has the cookie, the random part, and the part about loops", () => {
  assertEquals(branchOf("random", "loop"), "z9hG4bKrandom.loop");
});
