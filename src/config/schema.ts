import { z } from "zod";
import { canonicalIp } from "../lib/ip_address.ts";

/** One place to listen at, written `udp:127.0.0.1:5060` or `udp:[::1]:5060`; without a port it is 5060. */
export interface Listener {
  readonly protocol: "udp";
  /** An IP address without brackets; the wildcard stands for every address of the machine. */
  readonly address: string;
  /** 0 has the system choose one. */
  readonly port: number;
}

const LISTENER = /^(udp):(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/;

const listener = z.codec(
  z.string().regex(/^[a-z]+:/, 'must be written like "udp:127.0.0.1:5060" or "udp:[::1]:5060"'),
  z.custom<Listener>(),
  {
    decode: (text, ctx) => {
      const [, protocol, v6, v4, port = "5060"] = LISTENER.exec(text) ?? [];
      const address = canonicalIp(v6 ?? v4 ?? "");
      if (protocol !== undefined && address !== undefined && Number(port) <= 65_535) {
        return { protocol: "udp" as const, address, port: Number(port) };
      }
      const known = /^udp:/.test(text);
      const message = known ? `no address and port: "${text}"` : `unknown protocol: "${text}" (udp)`;
      ctx.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    },
    encode: ({ protocol, address, port }) =>
      `${protocol}:${address.includes(":") ? `[${address}]` : address}:${port}`,
  },
);

const DOMAIN = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

const domain = z.string().regex(DOMAIN, 'must be a domain in lower case, like "example.com"');

const bytes = (fallback: number) => z.int().min(4_096).max(1 << 30).default(fallback);
const count = (fallback: number) => z.int().min(1).max(100_000_000).default(fallback);

/**
 * Every setting there is: its default, bounds, unit and one sentence. The names are those of the YAML file,
 * of the flags and of the code.
 */
export const configSchema = z.strictObject({
  mode: z.enum(["combined"]).default("combined")
    .describe("What the server is: `combined` is registrar and proxy for its domains in one process."),
  domains: z.array(domain).min(1).default(["example.com"])
    .describe("The domains it is responsible for; its own addresses stand for the first of them."),
  listen: z.array(listener).min(1).prefault(["udp:127.0.0.1:5060"])
    .describe("Where it listens: protocol:address:port; 0.0.0.0 and [::] mean every address of the machine."),
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
    }).prefault({}),
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
    messageBytes: z.int().min(1_300).max(65_535).default(65_535)
      .describe("Bytes of one message; a longer request is answered 513."),
    headerRows: z.int().min(32).max(4_096).default(256)
      .describe("Header rows of one message; a request with more is answered 400."),
    transactions: count(1_000_000)
      .describe(
        "Transactions at a time, finished ones that absorb copies included; beyond, requests get 503.",
      ),
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

/** The settings, checked and complete. */
export type Config = z.output<typeof configSchema>;
