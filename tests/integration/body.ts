import { assert, assertEquals } from "../support/assert.ts";
import { withPhones } from "../support/phone.ts";
import type { ListenerOptions } from "../../src/transport/mod.ts";

/** Gives a test a running server, by its address. */
export type WithServer = (use: (server: ListenerOptions) => Promise<void>) => Promise<void>;

/** What every server must do, over whatever it listens by; `label` tells the runs apart. */
export function integrationBody(label: string, withServer: WithServer): void {
  const test = (name: string, body: (server: ListenerOptions) => Promise<void>) => {
    Deno.test(`${label}: ${name}`, () => withServer(body));
  };

  test("a phone registers, sees its binding, and takes it away again", (server) =>
    withPhones(server, ["bob"], async (bob) => {
      const first = await bob.register({ expires: 600 });
      assertEquals(first.status, 200);
      assertEquals(first.all("Contact"), [`<${bob.contact}>;expires=600`]);
      const last = await bob.register({ expires: 0 });
      assertEquals(last.all("Contact"), []);
    }));

  test("one phone calls another, and either hangs up", (server) =>
    withPhones(server, ["alice", "bob"], async (alice, bob) => {
      await bob.register();
      for (const hangsUp of ["caller", "callee"]) {
        const call = alice.invite(bob.aor);
        const incoming = await bob.receives("INVITE");
        incoming.reply(180);
        await call.receives(180);
        incoming.reply(200);
        await call.receives(200);
        await incoming.acknowledged();
        const bye = hangsUp === "caller" ? call.bye() : incoming.bye();
        (await (hangsUp === "caller" ? bob : alice).receives("BYE")).reply(200);
        await bye.receives(200);
      }
    }));

  test("a busy phone's answer reaches the caller", (server) =>
    withPhones(server, ["alice", "bob"], async (alice, bob) => {
      await bob.register();
      const call = alice.invite(bob.aor);
      (await bob.receives("INVITE")).reply(486);
      await call.receives(486);
    }));

  test("a caller who gives up stops the ringing", (server) =>
    withPhones(server, ["alice", "bob"], async (alice, bob) => {
      await bob.register();
      const call = alice.invite(bob.aor);
      const incoming = await bob.receives("INVITE");
      incoming.reply(180);
      await call.receives(180);
      call.cancel();
      await incoming.cancelled();
      await call.receives(487);
    }));

  test("the contact of lower q rings when the one of higher q has declined", (server) =>
    withPhones(server, ["alice", "bob", "bob"], async (alice, desk, mobile) => {
      await desk.register({ params: ";q=0.9" });
      await mobile.register({ params: ";q=0.1" });
      const call = alice.invite(desk.aor);
      (await desk.receives("INVITE")).reply(480);
      const incoming = await mobile.receives("INVITE");
      incoming.reply(200);
      await call.receives(200);
      await incoming.acknowledged();
      assertEquals(desk.untaken, []);
    }));

  test("contacts of equal q ring together, and the loser is told", (server) =>
    withPhones(server, ["alice", "bob", "bob"], async (alice, desk, mobile) => {
      await desk.register();
      await mobile.register();
      const call = alice.invite(desk.aor);
      const [winner, loser] = await Promise.all([desk.receives("INVITE"), mobile.receives("INVITE")]);
      winner.reply(180);
      loser.reply(180);
      await call.receives(180);
      winner.reply(200);
      await call.receives(200);
      const cancel = await loser.cancelled();
      assertEquals(cancel.get("Reason"), 'SIP;cause=200;text="Call completed elsewhere"');
      await winner.acknowledged();
    }));

  test("a message goes through, and the server answers for itself", (server) =>
    withPhones(server, ["alice", "bob"], async (alice, bob) => {
      await bob.register();
      const message = alice.send("MESSAGE", bob.aor, {
        headers: [["Content-Type", "text/plain"]],
        body: "hello",
      });
      const incoming = await bob.receives("MESSAGE");
      assertEquals(incoming.request.body, "hello");
      incoming.reply(200);
      await message.receives(200);
      assert((await alice.send("OPTIONS", "sip:example.com").final()).isSuccess);
      assertEquals((await alice.send("MESSAGE", "sip:nobody@example.com").final()).status, 404);
    }));
}

/**
 * A phone whose flow is known to have ended costs nobody any time. Its binding goes with the flow, but where its
 * contact leads elsewhere: the port a phone listens at over TCP and TLS, refused only when it is called.
 */
export function passesOverThoseGone(server: ListenerOptions): Promise<void> {
  const isDialable = server.protocol === "tcp" || server.protocol === "tls";
  return withPhones(server, ["alice", "bob", "bob"], async (alice, desk, mobile) => {
    await desk.register({ params: ";q=0.9" });
    await mobile.register({ params: ";q=0.1" });
    await desk.close();
    const call = alice.invite(desk.aor);
    (await mobile.receives("INVITE")).reply(200);
    await call.receives(200);
    const last = await mobile.register({ params: ";q=0.1" });
    assertEquals(last.all("Contact").length, isDialable ? 2 : 1);
    await mobile.close();
    await alice.send("MESSAGE", desk.aor).receives(480);
  });
}
