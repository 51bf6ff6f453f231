import { z } from "zod";
import { certificate } from "./certificate.ts";
import { listener } from "./listener.ts";
import { nameServer } from "./name_server.ts";

const DOMAIN = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

const domain = z.string().regex(DOMAIN, 'must be a domain in lower case, like "example.com"');

const bytes = (fallback: number) => z.int().min(4_096).max(1 << 30).default(fallback);
const milliseconds = (fallback: number, least = 100) => z.int().min(least).max(604_800_000).default(fallback);
const count = (fallback: number) => z.int().min(1).max(100_000_000).default(fallback);

const settings = z.strictObject({
  mode: z.enum(["combined"]).default("combined")
    .describe("What the server is: `combined` is registrar and proxy for its domains in one process."),
  domains: z.array(domain).min(1).default(["example.com"])
    .describe("The domains it is responsible for; its own addresses stand for the first of them."),
  listen: z.array(listener).min(1).prefault(["udp:127.0.0.1:5060"])
    .describe(
      "Where it listens: protocol:address:port, with udp, tcp, tls, ws or wss; 0.0.0.0 and [::] mean every address " +
        "of the machine. `advertise host:port` and `name word` may follow.",
    ),
  serverHeader: z.string().regex(/^[ -~]*$/).max(100).default("sluice")
    .describe("The Server header of its own responses; empty leaves it out."),
  drainTime: z.int().min(0).max(3_600_000).default(10_000)
    .describe("Milliseconds it goes on after SIGTERM for calls that are up, without accepting new ones."),

  log: z.strictObject({
    level: z.enum(["debug", "info", "warning", "error"]).default("info")
      .describe("The least important events that are logged."),
    format: z.enum(["auto", "text", "json"]).default("auto")
      .describe("Lines for people or JSON lines; `auto` is text on a terminal and JSON otherwise."),
  }).prefault({}),

  transport: z.strictObject({
    udp: z.strictObject({
      io: z.enum(["auto", "batch", "portable"]).default("auto").describe(
        "How sockets are read and written: `batch` by the C library (Linux), many datagrams a system call; " +
          "`portable` by the runtime; `auto` takes batch where it can be had.",
      ),
      receiveBuffer: bytes(4 << 20)
        .describe("Bytes the kernel keeps for us while we are busy; it may grant less. By the batch only."),
      sendBuffer: bytes(4 << 20)
        .describe("Bytes the kernel keeps until they are sent; it may grant less. By the batch only."),
      reusePort: z.boolean().default(false)
        .describe("Whether several processes may listen on the same port and share its peers (batch only)."),
      forceRport: z.boolean().default(false).describe(
        "Whether requests are answered to the port they came from even if they do not ask for it (RFC 3581).",
      ),
      maxFlows: count(262_144)
        .describe("Peers remembered; one that is forgotten is known again with its next packet."),
      stunSoftware: z.string().regex(/^[ -~]*$/).max(100).default("")
        .describe("What answers to STUN say they are made by; empty leaves it out."),
    }).prefault({}),

    firstByte: milliseconds(30_000)
      .describe("Milliseconds a peer that has connected may be silent before it is disconnected."),
    wholeMessage: milliseconds(15_000)
      .describe("Milliseconds a message on a connection may take from its first byte to its last."),
    handshake: milliseconds(10_000)
      .describe("Milliseconds the handshakes of TLS and WebSocket may take."),
    connect: milliseconds(4_000)
      .describe("Milliseconds opening a connection may take, its handshakes included."),
    idle: z.strictObject({
      tcp: milliseconds(3_900_000).describe("Milliseconds a TCP connection may be silent."),
      tls: milliseconds(3_900_000).describe("Milliseconds a TLS connection may be silent."),
      ws: milliseconds(3_900_000).describe("Milliseconds a WebSocket connection may be silent."),
      wss: milliseconds(3_900_000).describe("Milliseconds a secure WebSocket connection may be silent."),
    }).prefault({}),
    ws: z.strictObject({
      path: z.string().regex(/^\/[!-~]*$/, 'must begin with "/"').default("/")
        .describe("The path of the URL that WebSocket clients connect to."),
      origins: z.array(z.string().min(1)).default([]).describe(
        'Web pages that may connect, by their origin like "https://phone.example.com"; empty lets all. ' +
          "Clients that are no browsers say none and are let in.",
      ),
      pingInterval: milliseconds(30_000)
        .describe("Milliseconds between the pings a WebSocket client is sent."),
      pongTimeout: milliseconds(20_000)
        .describe("Milliseconds a WebSocket client has to answer a ping."),
    }).prefault({}),
  }).prefault({}),

  tls: z.strictObject({
    certificates: z.array(certificate).prefault([]).describe(
      'PEM files for tls and wss: "certificate.pem,key.pem", with the chain in the first or as a third. The first is ' +
        "for clients that name no host or one of no other.",
    ),
    minVersion: z.enum(["1.2", "1.3"]).default("1.2")
      .describe("The lowest version of TLS that is spoken."),
    ca: z.string().default("").describe(
      "PEM file of the authorities that peers are checked against; empty takes those the runtime brings.",
    ),
    clientCertificates: z.enum(["none", "request", "require"]).default("none")
      .describe("Whether peers that connect by TLS are asked for a certificate, and turned away without."),
    reload: milliseconds(5_000, 1_000)
      .describe("Milliseconds between two looks at whether the files have changed; SIGHUP looks at once."),
  }).prefault({}),

  dns: z.strictObject({
    servers: z.array(nameServer).max(8).prefault([])
      .describe("Name servers, like 192.0.2.53 or [2001:db8::53]:53; empty takes those of /etc/resolv.conf."),
    timeout: z.int().min(50).max(30_000).default(1_000)
      .describe("Milliseconds a name server has for an answer before the next one is asked."),
    attempts: z.int().min(1).max(10).default(2)
      .describe("How often the list of name servers is gone through."),
    minTtl: z.int().min(0).max(604_800).default(1)
      .describe("The least seconds an answer is used again."),
    maxTtl: z.int().min(0).max(604_800).default(86_400)
      .describe("The most seconds an answer is used again."),
    minNegativeTtl: z.int().min(1).max(3_600).default(5)
      .describe("The least seconds it is remembered that there is nothing (RFC 2308)."),
    maxNegativeTtl: z.int().min(1).max(3_600).default(60)
      .describe("The most seconds it is remembered that there is nothing."),
    staleTtl: z.int().min(0).max(604_800).default(3_600).describe(
      "Seconds an expired answer is still used while no name server says anything (RFC 8767); 0 is never.",
    ),
    cacheSize: z.int().min(16).max(1_000_000).default(4_096)
      .describe("Answers remembered; those not used for longest are forgotten first."),
    maxQueries: z.int().min(1).max(10_000).default(256)
      .describe("Questions under way at a time; those beyond count as unanswered."),
    hostsFile: z.string().default("/etc/hosts")
      .describe("The file with names that need no name server, read at the start; empty for none."),
  }).superRefine(({ minTtl, maxTtl, minNegativeTtl, maxNegativeTtl }, ctx) => {
    const fault = (key: string, message: string) => ctx.addIssue({ code: "custom", path: [key], message });
    if (minTtl > maxTtl) fault("minTtl", `is more than maxTtl (${maxTtl})`);
    if (minNegativeTtl > maxNegativeTtl) {
      fault("minNegativeTtl", `is more than maxNegativeTtl (${maxNegativeTtl})`);
    }
  }).prefault({}),

  timers: z.strictObject({
    t1: z.int().min(10).max(10_000).default(500)
      .describe("Milliseconds of the estimated round trip, the T1 of RFC 3261; other timers follow from it."),
    t2: z.int().min(10).max(60_000).default(4_000)
      .describe("Milliseconds between repeats at most, T2."),
    t4: z.int().min(10).max(60_000).default(5_000)
      .describe("Milliseconds a message may stay in the network, T4."),
    timerC: z.int().min(1_000).max(3_600_000).default(185_000)
      .describe("Milliseconds an INVITE may ring without news before it is cancelled, timer C."),
  }).prefault({}),

  limits: z.strictObject({
    messageBytes: z.int().min(1_300).max(1 << 20).default(65_536)
      .describe("Bytes of one message; a longer request is answered 513."),
    headerRows: z.int().min(32).max(4_096).default(256)
      .describe("Header rows of one message; a request with more is answered 400."),
    transactions: count(1_000_000)
      .describe(
        "Transactions at a time, finished ones that absorb copies included; beyond, requests get 503.",
      ),
    connections: count(100_000)
      .describe("Connections at a time, of all listeners; those beyond are closed at once."),
    connectionsPerAddress: count(25_000)
      .describe("Connections at a time from or to one IP address."),
    writeQueue: z.int().min(65_536).max(1 << 30).default(1 << 20)
      .describe("Bytes that may wait for a peer to read them; one with more is disconnected."),
    targets: z.int().min(1).max(1_000).default(30)
      .describe("Targets of one request; those of the lowest q beyond are left out."),
    bindings: count(5_000_000)
      .describe("Bindings in memory; beyond, new registrations get 503."),
  }).prefault({}),

  proxy: z.strictObject({
    maxForwards: z.int().min(1).max(255).default(70)
      .describe("Max-Forwards of requests that come without one."),
    maxBreadth: z.int().min(1).max(1_000).default(60)
      .describe("Branches a request may have at a time here and behind, its Max-Breadth (RFC 5393)."),
    deadHopTime: z.int().min(0).max(3_600_000).default(30_000).describe(
      "Milliseconds a next hop that refused or said nothing is passed over while there is another; 0 is never.",
    ),
    switchToTcp: z.int().min(0).max(65_535).default(1_300).describe(
      "Bytes of a request beyond which it goes over TCP instead of UDP, where there is a listener for TCP and the " +
        "peer takes it (RFC 3261 §18.1.1); 0 is never.",
    ),
    recordRoute: z.boolean().default(true)
      .describe("Whether requests within dialogs come by here as well."),
    relayForeign: z.boolean().default(false).describe(
      "Whether requests for domains that are not ours are sent on, whoever they come from; otherwise 403.",
    ),
  }).prefault({}),

  registrar: z.strictObject({
    defaultExpires: z.int().min(1).max(4_294_967_295).default(3_600)
      .describe("Seconds a contact is registered that asks for no time."),
    minExpires: z.int().min(1).max(4_294_967_295).default(60)
      .describe("The least seconds a contact is registered."),
    shortExpires: z.enum(["raise", "refuse"]).default("raise")
      .describe("Whether a contact that asks for less than minExpires gets that, or the answer 423."),
    maxExpires: z.int().min(1).max(4_294_967_295).default(86_400)
      .describe("The most seconds a contact is registered."),
    maxContacts: z.int().min(1).max(1_000).default(30)
      .describe("Contacts of one address of record; a registration beyond is answered 503."),
    maxContactSize: z.int().min(64).max(4_096).default(512)
      .describe("Characters of a contact URI; a longer one is answered 400."),
    onFlowClose: z.enum(["remove", "keep"]).default("remove").describe(
      "What becomes of bindings whose connection has closed and whose contact leads nowhere else: they are " +
        "removed, or kept until they expire.",
    ),
    methodFiltering: z.boolean().default(false)
      .describe(
        "Whether contacts that did not list a method in `methods` or Allow are spared requests of it.",
      ),
  }).superRefine(({ minExpires, maxExpires, defaultExpires }, ctx) => {
    const fault = (key: string, message: string) => ctx.addIssue({ code: "custom", path: [key], message });
    if (minExpires > maxExpires) {
      fault("minExpires", `is more than maxExpires (${maxExpires})`);
    } else if (defaultExpires < minExpires || defaultExpires > maxExpires) {
      fault("defaultExpires", `is not between minExpires (${minExpires}) and maxExpires (${maxExpires})`);
    }
  }).prefault({}),
});

/** Settings that do not fit together. */
function checkTogether({ listen, tls }: z.output<typeof settings>, ctx: z.RefinementCtx): void {
  if (tls.clientCertificates !== "none" && tls.ca === "") {
    const message = "needs tls.ca, the authorities that clients' certificates are checked against";
    ctx.addIssue({ code: "custom", path: ["tls", "clientCertificates"], message });
  }
  if (tls.certificates.length > 0) return;
  for (const [i, { protocol }] of listen.entries()) {
    if (protocol !== "tls" && protocol !== "wss") continue;
    ctx.addIssue({ code: "custom", path: ["listen", i], message: `${protocol} needs tls.certificates` });
  }
}

/**
 * Every setting there is: its default, bounds, unit and one sentence. The names are those of the YAML file,
 * of the flags and of the code.
 */
export const configSchema = settings.superRefine(checkTogether);

/** The settings, checked and complete. */
export type Config = z.output<typeof configSchema>;
