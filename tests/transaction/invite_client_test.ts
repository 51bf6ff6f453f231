import type { Protocol } from "../../src/sip/mod.ts";
import type { ClientTransaction } from "../../src/transaction/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { LoneLayer, NOTHING, RecordingListener } from "../support/lone_layer.ts";
import { asRequest, type MessageParts, requestText } from "../support/messages.ts";

/** An INVITE of ours, sent to the peer over `protocol`, and what is told of it. */
function inviting(protocol: Protocol = "udp", parts?: MessageParts) {
  const lone = new LoneLayer({ protocol });
  const listener = new RecordingListener();
  const tx: ClientTransaction = lone.asks("INVITE", listener, parts);
  return Object.assign(lone, { listener, tx });
}

Deno.test("over udp an INVITE is repeated at doubling intervals until timer B, which is a timeout", () => {
  const lone = inviting();
  lone.clock.advance(31_990);
  assertEquals(lone.flow.times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout"]);
  assertEquals(lone.left, NOTHING);
  assertEquals([lone.metrics.retransmissionsSent, lone.metrics.timeouts], [6, 1]);
  lone.clock.advance(60_000);
  assertEquals(lone.flow.sent.length, 7);
});

Deno.test("over a reliable protocol an INVITE is sent once, and timer B still runs", () => {
  const lone = inviting("tcp");
  lone.clock.advance(31_990);
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout"]);
  assertEquals(lone.flow.sent.length, 1);
  assertEquals(lone.left, NOTHING);
});

Deno.test("any provisional response stops the repeats, and each is told", () => {
  const lone = inviting();
  lone.receivesResponse(100, "INVITE");
  lone.clock.advance(40_000);
  lone.receivesResponse(180, "INVITE");
  lone.receivesResponse(180, "INVITE");
  assertEquals(lone.flow.sent.length, 1);
  assertEquals(lone.listener.provisionals, [100, 180, 180]);
  assertEquals(lone.listener.told, []);
});

for (const protocol of ["udp", "tcp"] as const) {
  Deno.test(`over ${protocol} a success is told, and further ones with any tag until timer M`, () => {
    const lone = inviting(protocol);
    lone.receivesResponse(200, "INVITE");
    assertEquals(lone.listener.told, [200]);
    lone.clock.advance(31_990);
    lone.receivesResponse(200, "INVITE");
    lone.receivesResponse(200, "INVITE", { to: "<sip:bob@example.com>;tag=other" });
    assertEquals(lone.listener.furtherTags, ["callee", "other"]);
    assertEquals(lone.left, [1, 1, 0]);
    lone.clock.advance(10);
    assertEquals(lone.left, NOTHING);
    assertEquals(lone.listener.told, [200]);
    assertEquals(lone.flow.headlines, ["INVITE sip:bob@example.com"]);
  });
}

Deno.test("after a success only successes are told", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.receivesResponse(200, "INVITE");
  lone.receivesResponse(180, "INVITE");
  lone.receivesResponse(486, "INVITE");
  assertEquals(lone.listener.provisionals, [180]);
  assertEquals(lone.listener.told, [200]);
  assertEquals(lone.listener.furtherTags, []);
  assertEquals(lone.flow.sent.length, 1);
});

Deno.test("a success after the end of timer M is a stray", () => {
  const lone = inviting();
  lone.receivesResponse(200, "INVITE");
  lone.clock.advance(32_000);
  lone.receivesResponse(200, "INVITE");
  assertEquals(lone.listener.furtherTags, []);
  assertEquals(lone.metrics.strayResponses, 1);
});

Deno.test("over udp a failure is acknowledged, and so is each copy of it until timer D", () => {
  const lone = inviting();
  lone.receivesResponse(486, "INVITE");
  assertEquals(lone.listener.told, [486]);
  lone.clock.advance(31_990);
  lone.receivesResponse(486, "INVITE");
  assertEquals(lone.flow.headlines.slice(1), ["ACK sip:bob@example.com", "ACK sip:bob@example.com"]);
  assertEquals(lone.flow.sent[1], lone.flow.sent[2]);
  assertEquals(lone.listener.told, [486]);
  assertEquals(lone.left, [1, 1, 0]);
  lone.clock.advance(10);
  assertEquals(lone.left, NOTHING);
});

Deno.test("over a reliable protocol a failure is acknowledged and ends the transaction", () => {
  const lone = inviting("tls");
  lone.receivesResponse(180, "INVITE");
  lone.receivesResponse(603, "INVITE");
  assertEquals(lone.flow.headlines.slice(1), ["ACK sip:bob@example.com"]);
  assertEquals(lone.listener.told, [603]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("after a failure neither a provisional response nor a success does anything", () => {
  const lone = inviting();
  lone.receivesResponse(486, "INVITE");
  lone.receivesResponse(180, "INVITE");
  lone.receivesResponse(200, "INVITE");
  assertEquals(lone.flow.sent.length, 2);
  assertEquals([lone.listener.told, lone.listener.provisionals], [[486], []]);
  assertEquals(lone.listener.furtherTags, []);
});

Deno.test("the ACK to a failure has the request's top Via, URI, Routes, From and Call-ID, and the response's To", () => {
  const vias = ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKup"];
  const uri = "sip:bob@198.51.100.7;ob";
  const routes = [["Route", "<sip:a;lr>, <sip:b;lr>"], ["Route", "<sip:c;lr>"]] as const;
  const lone = inviting("udp", { vias, uri, cseq: "77 INVITE", headers: routes, body: "v=0" });
  lone.receivesResponse(404, "INVITE", { vias, cseq: "77 INVITE" });
  assertEquals(
    lone.flow.sent[1],
    requestText("ACK", {
      uri,
      vias: [vias[0]],
      to: "<sip:bob@example.com>;tag=callee",
      cseq: "77 ACK",
    }).replace(/^From/m, "Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\nRoute: <sip:c;lr>\r\nFrom"),
  );
});

Deno.test("the response to a CANCEL does not answer the INVITE", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.tx.cancel();
  lone.receivesResponse(200, "CANCEL");
  assertEquals(lone.listener.told, []);
  lone.receivesResponse(487, "INVITE");
  assertEquals(lone.listener.told, [487]);
});

Deno.test("a CANCEL goes out at once when there was a provisional response, with all that names the INVITE", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.tx.cancel("SIP;cause=200");
  lone.tx.cancel();
  assertEquals(lone.flow.headlines.slice(1), ["CANCEL sip:bob@example.com"]);
  const [invite, cancel] = lone.flow.sent.map(asRequest);
  for (const name of ["Via", "From", "To", "Call-ID"]) assertEquals(cancel.get(name), invite.get(name));
  assertEquals([cancel.get("CSeq"), cancel.get("Reason")], ["1 CANCEL", "SIP;cause=200"]);
});

Deno.test("a CANCEL is held until a provisional response comes, and the INVITE is repeated meanwhile", () => {
  const lone = inviting();
  lone.tx.cancel();
  lone.clock.advance(500);
  assertEquals(lone.flow.headlines, ["INVITE sip:bob@example.com", "INVITE sip:bob@example.com"]);
  lone.receivesResponse(100, "INVITE");
  lone.receivesResponse(180, "INVITE");
  assertEquals(lone.flow.headlines.slice(2), ["CANCEL sip:bob@example.com"]);
});

Deno.test("a CANCEL that is held is dropped when a final response comes first", () => {
  for (const status of [200, 486]) {
    const lone = inviting();
    lone.tx.cancel();
    lone.receivesResponse(status, "INVITE");
    lone.tx.cancel();
    assert(!lone.flow.headlines.some((line) => line.startsWith("CANCEL")));
  }
});

Deno.test("an INVITE that is cancelled and never answered is a timeout, 32 s after it was sent", () => {
  const lone = inviting();
  lone.tx.cancel();
  lone.clock.advance(32_000);
  assertEquals(lone.listener.told, ["timeout"]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a cancelled INVITE without a final response is a timeout 32 s after its CANCEL, whatever comes", () => {
  const lone = inviting("tcp");
  lone.receivesResponse(180, "INVITE");
  lone.clock.advance(1_000);
  lone.tx.cancel();
  lone.receivesResponse(200, "CANCEL");
  lone.clock.advance(20_000);
  lone.receivesResponse(183, "INVITE");
  lone.clock.advance(11_990);
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout after an answer"]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a CANCEL is repeated over udp until it is answered, and nobody is told", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.tx.cancel();
  lone.clock.advance(3_500);
  lone.receivesResponse(200, "CANCEL");
  lone.receivesResponse(487, "INVITE");
  const cancels = lone.flow.headlines.filter((line) => line.startsWith("CANCEL"));
  assertEquals(cancels.length, 4);
  assertEquals(lone.listener.provisionals, [180]);
  lone.clock.advance(32_000);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a success that crosses the CANCEL wins", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.tx.cancel();
  lone.receivesResponse(200, "INVITE");
  assertEquals(lone.listener.told, [200]);
  lone.clock.advance(32_000);
  assertEquals(lone.listener.told, [200]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("timer C cancels an INVITE that has rung for too long, and its answer is told", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.clock.advance(184_990);
  assertEquals(lone.flow.sent.length, 1);
  lone.clock.advance(10);
  assertEquals(lone.flow.headlines.slice(1), ["CANCEL sip:bob@example.com"]);
  lone.receivesResponse(200, "CANCEL");
  lone.receivesResponse(487, "INVITE");
  assertEquals(lone.listener.told, [487]);
});

Deno.test("timer C is a timeout when even the CANCEL brings no answer", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.clock.advance(185_000 + 31_990);
  assertEquals(lone.listener.told, []);
  lone.clock.advance(10);
  assertEquals(lone.listener.told, ["timeout after an answer"]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("any provisional response but another 100 starts timer C anew", () => {
  const lone = inviting("tcp");
  lone.receivesResponse(100, "INVITE");
  lone.clock.advance(100_000);
  lone.receivesResponse(183, "INVITE");
  lone.clock.advance(100_000);
  lone.receivesResponse(100, "INVITE");
  lone.clock.advance(84_990);
  assertEquals(lone.flow.sent.length, 1);
  lone.clock.advance(10);
  assertEquals(lone.flow.headlines.slice(1), ["CANCEL sip:bob@example.com"]);
});

for (const statuses of [[], [180]]) {
  const when = statuses.length === 0 ? "before any response" : "while it rings";
  Deno.test(`a flow that is lost ${when} is an outcome, told once and in the same turn`, () => {
    const lone = inviting("tcp");
    for (const status of statuses) lone.receivesResponse(status, "INVITE");
    lone.flow.close();
    assertEquals(lone.listener.told, ["flow-failed"]);
    assertEquals(lone.left, NOTHING);
    lone.clock.advance(300_000);
    lone.receivesResponse(200, "INVITE");
    assertEquals(lone.listener.told, ["flow-failed"]);
  });
}

Deno.test("a flow that is lost after a final response concerns nobody", () => {
  for (const status of [200, 486]) {
    const lone = inviting();
    lone.receivesResponse(status, "INVITE");
    lone.flow.close();
    assertEquals(lone.listener.told, [status]);
    lone.clock.advance(32_000);
    assertEquals(lone.left, NOTHING);
    assertEquals(lone.listener.told, [status]);
  }
});

Deno.test("a flow that is lost while the CANCEL is out ends both", () => {
  const lone = inviting();
  lone.receivesResponse(180, "INVITE");
  lone.tx.cancel();
  lone.flow.close();
  assertEquals(lone.listener.told, ["flow-failed"]);
  assertEquals(lone.left, NOTHING);
});

Deno.test("a flow that takes no repeat any more is an outcome as well", () => {
  const lone = inviting();
  lone.flow.goDead();
  lone.clock.advance(500);
  assertEquals(lone.listener.told, ["flow-failed"]);
  assertEquals(lone.left, NOTHING);
  assertEquals(lone.metrics.retransmissionsSent, 0);
});

Deno.test("a transaction that has ended cannot be cancelled", () => {
  const lone = inviting();
  lone.clock.advance(32_000);
  lone.tx.cancel();
  assertEquals(lone.left, NOTHING);
  assertEquals(lone.flow.sent.length, 7);
});
