import type { RouteContext } from "../../src/proxy/mod.ts";
import { MalformedError, SipError } from "../../src/sip/mod.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { Core, targetAt } from "../support/core.ts";

Deno.test("an error of the peer's is answered with its status, reason and header fields", async () => {
  const error = new SipError(423, "Too Brief", [["Min-Expires", "60"], ["X-More", "yes"]]);
  const routes = [
    () => {
      throw error;
    },
    () => Promise.reject(error),
  ];
  for (const route of routes) {
    using core = new Core({ route });
    const alice = core.peer();
    alice.send("MESSAGE", "sip:bob@example.com");
    const response = await alice.hears(423);
    assertEquals([response.reason, response.get("Min-Expires"), response.get("X-More")], [
      "Too Brief",
      "60",
      "yes",
    ]);
    assertEquals([core.logged.length, core.metrics.internalErrors], [0, 0]);
  }
});

Deno.test("what is malformed is answered 400 with what is wrong about it", async () => {
  using core = new Core({
    route: () => {
      throw new MalformedError("Malformed Route");
    },
  });
  const alice = core.peer();
  alice.send("MESSAGE", "sip:bob@example.com");
  assertEquals((await alice.hears(400)).reason, "Malformed Route");
});

Deno.test("an error of our own is answered 500, counted and logged with its call", async () => {
  const error = new TypeError("a bug");
  const routes = [
    () => {
      throw error;
    },
    () => Promise.reject(error),
  ];
  for (const route of routes) {
    using core = new Core({ route });
    const alice = core.peer();
    alice.send("INVITE", "sip:bob@example.com", { callId: "the-call" });
    await alice.hears(500);
    assertEquals(core.metrics.internalErrors, 1);
    assertEquals(core.logged, [{ event: "request failed", callId: "the-call", method: "INVITE", error }]);
  }
});

Deno.test("an ACK is never answered, whatever goes wrong with it", async () => {
  const errors = [new SipError(404, "Not Found"), new MalformedError("Malformed"), new TypeError("a bug")];
  for (const error of errors) {
    using core = new Core({ route: () => Promise.reject(error) });
    const alice = core.peer();
    alice.send("ACK", "sip:bob@example.com", { to: "<sip:bob@example.com>;tag=x" });
    await core.pass(40_000);
    assertEquals([alice.received.length, core.layer.size], [0, 0]);
    assertEquals(core.metrics.internalErrors, error instanceof SipError ? 0 : 1);
  }
});

Deno.test("an answer without state is the same for every copy of the request", async () => {
  using core = new Core({ route: (ctx) => ctx.reply(404) });
  const alice = core.peer();
  const text = alice.send("INVITE", "sip:bob@example.com");
  const first = await alice.hears(404);
  alice.sendText(text);
  assertEquals((await alice.hears(404)).text, first.text);
  assert(first.toTag !== undefined);
  assertEquals([core.layer.size, core.wheel.size], [0, 0]);
});

Deno.test("a route that takes its time absorbs copies while it works, and for as long as they may come", async () => {
  let calls = 0;
  const work = Promise.withResolvers<void>();
  const route = async (ctx: RouteContext) => {
    calls++;
    await work.promise;
    ctx.reply(404);
  };
  for (const method of ["INVITE", "MESSAGE"]) {
    using core = new Core({ route });
    const alice = core.peer();
    const text = alice.send(method, "sip:bob@example.com");
    await core.pass(500);
    alice.sendText(text);
    await core.pass(10);
    work.resolve();
    await alice.hears(404);
    alice.sendText(text);
    await alice.hears(404);
  }
  assertEquals(calls, 2);
});

Deno.test("a call may be cancelled while its route still works, and then goes nowhere", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const work = Promise.withResolvers<void>();
  core.route = async (ctx) => {
    await work.promise;
    ctx.fork([targetAt(bob)]);
  };
  alice.send("INVITE", "sip:bob@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await core.pass(300);
  alice.send("CANCEL", "sip:bob@example.com", { branch: "z9hG4bKsame", callId: "c" });
  await alice.hears(200);
  await alice.hears(487);
  work.resolve();
  await core.pass(100_000);
  assertEquals([bob.received.length, core.layer.size, core.wheel.size, core.layer.underWay], [0, 0, 0, 0]);
});

Deno.test("a CANCEL for nothing we know leaves nothing behind, though its route takes time", async () => {
  const route = async (ctx: RouteContext) => {
    await Promise.resolve();
    ctx.relay();
  };
  using core = new Core({ route });
  const [alice, bob] = [core.peer(), core.peer()];
  alice.send("CANCEL", `sip:bob@${bob.sentBy}`);
  await bob.receives("CANCEL");
  await core.pass(100_000);
  assertEquals([core.layer.size, core.layer.underWay], [0, 0]);
});

Deno.test("what was refused while its route worked goes nowhere afterwards", async () => {
  using core = new Core({ maxTransactions: 1 });
  const [alice, bob] = [core.peer(), core.peer()];
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const turns = [first.promise, second.promise];
  core.route = async (ctx) => {
    await turns.shift();
    ctx.fork([targetAt(bob)]);
  };
  for (const text of ["one", "two"]) alice.send("MESSAGE", `sip:${text}@example.com`);
  assertEquals((await alice.hears(503)).to.uriText, "sip:two@example.com");
  first.resolve();
  bob.reply(await bob.receives("MESSAGE"), 200);
  await core.pass(60_000);
  second.resolve();
  await core.pass(1_000);
  assertEquals([bob.received.length, core.metrics.transactionsShed], [1, 1]);
});

Deno.test("too many transactions are refused with 503 and a time to come back", async () => {
  using core = new Core({ maxTransactions: 2 });
  const [alice, bob] = [core.peer(), core.peer()];
  core.route = (ctx) => ctx.fork([targetAt(bob)]);
  alice.send("MESSAGE", "sip:bob@example.com");
  await bob.receives("MESSAGE");
  alice.send("MESSAGE", "sip:bob@example.com");
  const response = await alice.hears(503);
  assertMatch(response.get("Retry-After")!, /^[0-9]+$/);
});

Deno.test("a request that came by here before is refused with 482", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  core.route = (ctx) => ctx.fork([targetAt(bob)]);
  alice.send("INVITE", "sip:bob@example.com");
  const invite = await bob.receives("INVITE");
  const vias = invite.all("Via");
  const back = { callId: invite.callId, from: invite.get("From"), vias };
  alice.send("INVITE", "sip:bob@example.com", back);
  await alice.hears(482);
  alice.send("INVITE", "sip:carol@example.com", back);
  await bob.receives("INVITE");
  assertEquals(core.metrics.loops, 1);
});

Deno.test("the same request by two ways is sent on both times", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const same = { callId: "c", from: "<sip:alice@example.com>;tag=a" };
  for (let i = 0; i < 2; i++) {
    alice.send("INVITE", `sip:bob@${bob.sentBy}`, same);
    await bob.receives("INVITE");
  }
});

Deno.test("while draining, nothing new is begun: outside dialogs everything is answered 503", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  core.proxy.drain();
  for (const method of ["INVITE", "REGISTER", "MESSAGE", "OPTIONS"]) {
    alice.send(method, `sip:bob@${bob.sentBy}`);
    assertMatch((await alice.hears(503)).get("Retry-After")!, /^[0-9]+$/);
  }
  assertEquals(bob.received.length, 0);
});

Deno.test("while draining, dialogs go on", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  core.proxy.drain();
  for (const method of ["BYE", "INVITE", "ACK"]) {
    alice.send(method, `sip:bob@${bob.sentBy}`, { to: "<sip:bob@example.com>;tag=callee" });
    await bob.receives(method);
  }
});

Deno.test("while draining, a call that is not answered yet can be cancelled", async () => {
  using core = new Core();
  const [alice, bob] = [core.peer(), core.peer()];
  const same = { branch: "z9hG4bKsame", callId: "c" };
  alice.send("INVITE", `sip:bob@${bob.sentBy}`, same);
  bob.reply(await bob.receives("INVITE"), 180);
  core.proxy.drain();
  alice.send("CANCEL", `sip:bob@${bob.sentBy}`, same);
  await bob.receives("CANCEL");
});
