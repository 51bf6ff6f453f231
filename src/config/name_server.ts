import { z } from "zod";
import { canonicalIp } from "../lib/ip_address.ts";

/** Where a DNS server answers. */
export interface NameServer {
  readonly address: string;
  readonly port: number;
}

const NAME_SERVER = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/;

/** A name server as it is written: `192.0.2.53`, `[2001:db8::53]:5353`. */
export const nameServer = z.codec(z.string(), z.custom<NameServer>(), {
  decode: (text, ctx) => {
    const [, v6, v4, port = "53"] = NAME_SERVER.exec(text) ?? [];
    const address = canonicalIp(v6 ?? v4 ?? "");
    if (address !== undefined && Number(port) > 0 && Number(port) <= 65_535) {
      return { address, port: Number(port) };
    }
    ctx.issues.push({ code: "custom", message: `no address and port: "${text}"`, input: text });
    return z.NEVER;
  },
  encode: ({ address, port }) => `${address.includes(":") ? `[${address}]` : address}:${port}`,
});
