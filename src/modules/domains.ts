import { canonicalIp } from "../lib/ip_address.ts";
import { unescapePlain, type Uri } from "../sip/mod.ts";
import type { Transports } from "../transport/mod.ts";
import type { Aor } from "../usrloc/mod.ts";

/** Which URIs are ours: the domains this server is responsible for, and its own addresses. */
export class Domains {
  readonly #names: ReadonlySet<string>;
  readonly #first: string;
  readonly #transports: Transports;

  /** `names` in lower case, at least one; the addresses of our listeners stand for the first of them. */
  constructor(names: readonly string[], transports: Transports) {
    this.#names = new Set(names);
    this.#first = names[0];
    this.#transports = transports;
  }

  /**
   * Whether we are responsible for the resource the URI names, and what is sent there is to come here (RFC 3261
   * §16.4, §16.5): a maddr may lead elsewhere.
   */
  isLocal(uri: Uri): boolean {
    return this.#isOurs(uri) && !this.#leadsElsewhere(uri);
  }

  /** Whether the URI names one of our listeners, by its address or as it is known outside. */
  isOurAddress(uri: Uri): boolean {
    return uri.isSip && this.#transports.owns(uri.host, uri.port);
  }

  /**
   * The address of record that a local URI means (RFC 3261 §10.3 step 5): parameters, port and needless
   * escapes gone, the user part with regard to case. Undefined if it is not local or has no user.
   */
  aorOf(uri: Uri): Aor | undefined {
    if (uri.user === undefined || !this.#isOurs(uri)) return undefined;
    const domain = this.#names.has(uri.host) ? uri.host : this.#first;
    return `sip:${unescapePlain(uri.user)}@${domain}` as Aor;
  }

  #isOurs(uri: Uri): boolean {
    if (!uri.isSip) return false;
    if (this.#names.has(uri.host)) return uri.port === undefined || this.#transports.hasPort(uri.port);
    return this.isOurAddress(uri);
  }

  #leadsElsewhere({ params, port }: Uri): boolean {
    const maddr = params.get("maddr")?.toLowerCase();
    if (maddr === undefined || maddr === "" || this.#names.has(maddr)) return false;
    return !this.#transports.owns(canonicalIp(maddr.replace(/^\[|\]$/g, "")) ?? maddr, port);
  }
}
