import { configSchema } from "../../src/config/mod.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { type Server, startServer } from "../../src/server.ts";
import { socketAddressText } from "../../src/transport/mod.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { Browser, CHROMIUM, type PagePhone } from "../support/browser.ts";
import { filesOf, pemPath } from "../support/certificates.ts";
import { inTime } from "../support/sockets.ts";

const DOMAIN = "example.com";

if (CHROMIUM === undefined) console.log("No Chromium on this machine: the tests with a browser are left out");

Deno.test("two web pages register over wss, talk to each other and hang up, and exchange messages", {
  ignore: CHROMIUM === undefined,
}, async () => {
  const server = await startServer(
    configSchema.parse({
      listen: ["wss:127.0.0.1:0"],
      domains: [DOMAIN],
      // A browser is told to believe an authority by a key it finds in what the server shows.
      tls: { certificates: [{ ...filesOf("loopback"), chain: pemPath("ca") }] },
    }),
    systemClock,
    () => silentLogger,
  );
  try {
    await using browser = await Browser.start(await Deno.readTextFile(pemPath("ca")));
    const [alice, bob] = await Promise.all(["alice", "bob"].map((name) => registered(browser, name, server)));
    await talk(alice, bob);
    await chat(alice, bob);
    await leave(alice, bob, server);
  } finally {
    await server.close();
  }
  assertEquals(server.metrics.internalErrors, 0);
});

async function registered(browser: Browser, name: string, server: Server): Promise<PagePhone> {
  const phone = await browser.phone();
  await phone.start(name, DOMAIN, `wss://${socketAddressText(server.transports.list[0].local)}/`);
  await phone.happens("registered");
  return phone;
}

async function talk(alice: PagePhone, bob: PagePhone): Promise<void> {
  await alice.call(`sip:bob@${DOMAIN}`);
  assertEquals(await bob.happens("ringing"), `sip:alice@${DOMAIN}`);
  await alice.happens("progress");
  await bob.answer();
  await Promise.all([alice.happens("confirmed"), bob.happens("confirmed")]);
  await alice.hangUp();
  assertMatch(await alice.happens("ended"), /^local: /);
  assertMatch(await bob.happens("ended"), /^remote: /);
}

async function chat(alice: PagePhone, bob: PagePhone): Promise<void> {
  await alice.message(`sip:bob@${DOMAIN}`, "Grüße, 你好");
  assertEquals(await bob.happens("message"), "Grüße, 你好");
  await alice.happens("message sent");
  await bob.message(`sip:alice@${DOMAIN}`, "and back");
  assertEquals(await alice.happens("message"), "and back");
  await bob.happens("message sent");
}

/** One unregisters; the other closes its tab, and whoever asks for it then is told at once. */
async function leave(alice: PagePhone, bob: PagePhone, server: Server): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    for (const flow of server.transports.byId.values()) flow.watch({ flowClosed: () => resolve() });
  });
  await bob.close();
  await inTime(gone, "the connection of the closed tab to end");
  await alice.message(`sip:bob@${DOMAIN}`, "still there?");
  assertEquals(await alice.happens("message failed"), "Unavailable");
  await alice.stop();
  await alice.happens("unregistered");
}
