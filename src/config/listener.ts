import { z } from "zod";
import { bracketed, canonicalIp } from "../lib/ip_address.ts";

/** What a listener may speak, and the port that means when none is given. */
const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 } as const;

const PROTOCOLS = Object.keys(DEFAULT_PORTS) as (keyof typeof DEFAULT_PORTS)[];

/** One place to listen at. */
export interface Listener {
  readonly protocol: keyof typeof DEFAULT_PORTS;
  /** An IP address without brackets; the wildcard stands for every address of the machine. */
  readonly address: string;
  /** 0 has the system choose one. */
  readonly port: number;
  /** Host and port it is known by outside, as a Via says it; IPv6 in brackets. */
  readonly advertise?: string;
  /** What logs call it. */
  readonly name?: string;
}

const HOST = String.raw`(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)`;
const LISTENER = new RegExp(
  String.raw`^([a-z]+):(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?` +
    String.raw`(?: +advertise +(${HOST}(?::[0-9]{1,5})?))?(?: +name +([\w.-]{1,32}))?$`,
);
const ADVERTISED = new RegExp(String.raw`^(${HOST})(?::([0-9]{1,5}))?$`);

const SHAPE = 'must be written like "udp:127.0.0.1:5060" or "udp:[::1]:5060"';

const parts = z.strictObject({
  protocol: z.enum(PROTOCOLS),
  address: z.string(),
  port: z.int().min(0).max(65_535).optional(),
  advertise: z.string().regex(ADVERTISED, 'must be a host, like "sip.example.com" or "203.0.113.7:5060"')
    .optional(),
  name: z.string().regex(/^[\w.-]{1,32}$/).optional(),
});

/**
 * A listener as it is written: `udp:127.0.0.1:5060`, `tls:[::1]:5061`, `wss:0.0.0.0:443 advertise
 * sip.example.com name web`, or the same as a mapping.
 */
export const listener = z.codec(
  z.union([z.string().regex(/^[a-z]+:/, SHAPE), parts], SHAPE),
  z.custom<Listener>(),
  {
    decode: (written, ctx) => {
      const fail = (message: string) => {
        ctx.issues.push({ code: "custom", message, input: written });
        return z.NEVER;
      };
      const given = typeof written === "string" ? read(written) : written;
      if (typeof given === "string") return fail(given);
      const { protocol, name } = given;
      const address = canonicalIp(given.address.replace(/^\[(.*)\]$/, "$1"));
      const port = given.port ?? DEFAULT_PORTS[protocol];
      if (address === undefined || port > 65_535) {
        return fail(`no address and port: ${JSON.stringify(written)}`);
      }
      const shown = given.advertise === undefined ? {} : advertised(given.advertise, port);
      if (shown === undefined) return fail(`no host and port to be known by: "${given.advertise}"`);
      return { protocol, address, port, ...shown, ...(name === undefined ? {} : { name }) };
    },
    encode: ({ protocol, address, port, advertise, name }) =>
      `${protocol}:${address.includes(":") ? `[${address}]` : address}:${port}` +
      (advertise === undefined ? "" : ` advertise ${advertise}`) +
      (name === undefined ? "" : ` name ${name}`),
  },
);

/** Host and port in their one form, the port being our own if it is left out; undefined if they are none. */
function advertised(text: string, own: number): Pick<Listener, "advertise"> | undefined {
  const [, host, shown = String(own)] = ADVERTISED.exec(text)!;
  const address = host.startsWith("[") ? canonicalIp(host.slice(1, -1)) : host.toLowerCase();
  const port = Number(shown);
  if (address === undefined || port === 0 || port > 65_535) return undefined;
  return { advertise: `${bracketed(address)}:${port}` };
}

/** The parts of a listener written in one line, or what is wrong with it. */
function read(text: string): z.output<typeof parts> | string {
  const protocol = PROTOCOLS.find((known) => text.startsWith(`${known}:`));
  if (protocol === undefined) return `unknown protocol: "${text}" (${PROTOCOLS.join(", ")})`;
  const [, , v6, v4, port, advertise, name] = LISTENER.exec(text) ?? [];
  const address = v6 ?? v4;
  if (address === undefined) return `no address and port: "${text}"`;
  return { protocol, address, port: port === undefined ? undefined : Number(port), advertise, name };
}
