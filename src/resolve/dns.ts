import type { Clock } from "../lib/clock.ts";
import type { Dns } from "./resolver.ts";

/** Milliseconds after which a name server that does not answer is not waited for any longer. */
const QUERY_TIMEOUT = 3_000;

/** Milliseconds an answer is used again; the runtime does not tell how long it is good for. */
const FOUND_LIFETIME = 30_000;
const NOTHING_LIFETIME = 5_000;

/** Names remembered at a time. */
const CAPACITY = 4_096;

interface Entry {
  readonly addresses: Promise<readonly string[]>;
  expiresAt: number;
}

/** Asks the name servers of the system through the runtime, and remembers for a while what they said. */
export class SystemDns implements Dns {
  readonly #clock: Clock;
  readonly #cache = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addresses(name: string): Promise<readonly string[]> {
    // RFC 6761 §6.3; also what every hosts file says, which the runtime's resolver does not read.
    if (name === "localhost") return Promise.resolve(["127.0.0.1", "::1"]);
    const now = this.#clock.monotonic();
    const known = this.#cache.get(name);
    if (known !== undefined && known.expiresAt > now) return known.addresses;
    const entry: Entry = { addresses: query(name), expiresAt: Infinity };
    this.#cache.delete(name);
    this.#cache.set(name, entry);
    if (this.#cache.size > CAPACITY) this.#cache.delete(this.#cache.keys().next().value!);
    entry.addresses.then((list) => {
      entry.expiresAt = this.#clock.monotonic() + (list.length > 0 ? FOUND_LIFETIME : NOTHING_LIFETIME);
    });
    return entry.addresses;
  }
}

/** Never rejects: a question nobody answered gives no addresses (RFC 3263 §4.3). */
async function query(name: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(QUERY_TIMEOUT);
  const [v4, v6] = await Promise.allSettled([
    Deno.resolveDns(name, "A", { signal }),
    Deno.resolveDns(name, "AAAA", { signal }),
  ]);
  return [v4, v6].flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
}
