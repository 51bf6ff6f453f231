import { after } from "../lib/after.ts";
import type { Clock } from "../lib/clock.ts";
import { Metrics } from "../lib/metrics.ts";
import { DnsCache, type DnsCacheOptions, type Found } from "./dns_cache.ts";
import { DnsClient, type DnsClientOptions } from "./dns_client.ts";
import { hostsOf, nameServersOf } from "./dns_files.ts";
import { dnsName } from "./dns_records.ts";
import type { Dns } from "./resolver.ts";

/** How names are looked up. */
export interface DnsOptions extends DnsClientOptions, DnsCacheOptions {
  /** The file with names that need no name server; "" if there is none. It is read once. */
  readonly hostsFile: string;
}

/** What a system without settings of its own uses; no servers: those of /etc/resolv.conf. */
export const DEFAULT_DNS: DnsOptions = {
  servers: [],
  timeout: 1_000,
  attempts: 2,
  minTtl: 1,
  maxTtl: 86_400,
  minNegativeTtl: 5,
  maxNegativeTtl: 60,
  staleTtl: 3_600,
  cacheSize: 4_096,
  maxQueries: 256,
  hostsFile: "/etc/hosts",
};

/** Labels that stand before the name of a host where a service of it is looked up (RFC 2782). */
const SERVICE_LABELS = /^(?:_[^.]+\.)+/;

/** Looks names up in the hosts file, and else asks name servers and remembers what they said. */
export class SystemDns implements Dns {
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #client: DnsClient;
  readonly #cache: DnsCache;

  /** Reads its files at once; one that is not there is as good as empty. */
  constructor(clock: Clock, metrics = new Metrics(), options: Partial<DnsOptions> = {}) {
    const whole = { ...DEFAULT_DNS, ...options };
    const servers = whole.servers.length > 0 ? whole.servers : nameServersOf(textOf("/etc/resolv.conf"));
    this.#hosts = hostsOf(whole.hostsFile === "" ? "" : textOf(whole.hostsFile));
    this.#client = new DnsClient({ clock, metrics }, { ...whole, servers });
    this.#cache = new DnsCache({ clock, metrics, ask: (question) => this.#client.ask(question) }, whole);
  }

  addresses(host: string): readonly string[] | Promise<readonly string[]> {
    const name = dnsName(host);
    if (name === undefined) return [];
    const local = this.#local(name);
    if (local !== undefined) return local;
    const v4 = this.#cache.find({ name, type: "A" });
    const v6 = this.#cache.find({ name, type: "AAAA" });
    return after(v4, (v4 = []) => after(v6, (v6 = []) => [...v4, ...v6]));
  }

  srv(name: string): Found<"SRV"> | Promise<Found<"SRV">> {
    return this.#ask(name, "SRV");
  }

  naptr(name: string): Found<"NAPTR"> | Promise<Found<"NAPTR">> {
    return this.#ask(name, "NAPTR");
  }

  /** Gives up what is under way. */
  close(): void {
    this.#client.close();
  }

  #ask<T extends "SRV" | "NAPTR">(text: string, type: T): Found<T> | Promise<Found<T>> {
    const name = dnsName(text);
    // Who is in the hosts file has addresses and nothing else; nobody need be there to be asked.
    if (name === undefined || this.#local(name.replace(SERVICE_LABELS, "")) !== undefined) return [];
    return this.#cache.find({ name, type });
  }

  /** What is known without asking; undefined if somebody has to be asked. */
  #local(name: string): readonly string[] | undefined {
    // RFC 6761 §6.3 and §6.4; a Via of RFC 7118 §5 has names that are invalid on purpose.
    if (name === "localhost" || name.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    if (name === "invalid" || name.endsWith(".invalid")) return [];
    return this.#hosts.get(name);
  }
}

function textOf(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
