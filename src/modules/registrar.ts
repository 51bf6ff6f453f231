import { after } from "../lib/after.ts";
import type { Clock } from "../lib/clock.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Received, Target } from "../proxy/mod.ts";
import {
  ALL_METHODS,
  defaultPort,
  type HeaderList,
  MalformedError,
  methodBit,
  METHODS,
  type NameAddr,
  parseExpires,
  parseQ,
  parseUri,
  protocolOf,
  reasonOf,
  sameUri,
  SipError,
  type SipRequest,
  type Uri,
} from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";
import type { Aor, Binding, LocationStore } from "../usrloc/mod.ts";
import { StoreFullError } from "../usrloc/mod.ts";
import { Departed } from "./departed.ts";
import type { Domains } from "./domains.ts";
import { FlowBindings } from "./flow_bindings.ts";
import { checkRequire } from "./requirements.ts";

/** How registrations are treated; times in seconds. */
export interface RegistrarOptions {
  /** For contacts that ask for no time. */
  readonly defaultExpires: number;
  readonly minExpires: number;
  /** What becomes of a contact that asks for less than `minExpires`: it gets that, or is refused with 423. */
  readonly shortExpires: "raise" | "refuse";
  readonly maxExpires: number;
  /** Contacts of one AoR. */
  readonly maxContacts: number;
  /** Chars of a contact URI. */
  readonly maxContactSize: number;
  /** What becomes of bindings whose connection has closed and whose contact leads nowhere else. */
  readonly onFlowClose: "remove" | "keep";
  /** Whether only contacts that said they take a method get requests of it. */
  readonly methodFiltering: boolean;
}

/** What the registrar needs. */
export interface RegistrarParts {
  readonly store: LocationStore;
  readonly domains: Domains;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly options: RegistrarOptions;
  /** An open connection, by its id. */
  flowOf(id: number): Flow | undefined;
}

/** Where a request for an AoR may go. */
export type Located =
  | { readonly kind: "found"; readonly targets: readonly Target[] }
  /** Nobody is registered there. */
  | { readonly kind: "not-found" }
  /** Somebody is, but with contacts that no request can be sent to. */
  | { readonly kind: "unavailable" }
  /** Somebody is, but nobody who takes this method; `allow` lists those somebody takes. */
  | { readonly kind: "method-not-allowed"; readonly allow: string };

/** How long a copy of a REGISTER may turn up after it: as long as a transaction would have waited (64 T1). */
const COPIES_UNTIL = 32_000;

/** A contact cannot ask for less than this and be told that it is too little (RFC 3261 §10.3 step 7). */
const MAX_REFUSED_EXPIRES = 3_600;

/** What one contact of a REGISTER asks for. */
interface Wish {
  readonly address: NameAddr;
  /** Seconds, already within the limits; 0 takes the binding away. */
  readonly expires: number;
  readonly q: number;
}

/** The registrar of RFC 3261 §10, and the look-up of §16.5 in what it keeps. */
export class Registrar {
  readonly #parts: RegistrarParts;
  readonly #flows = new FlowBindings((aor, flow) => this.#flowLost(aor, flow));
  readonly #departed = new Departed();
  #date = "";
  #dateSecond = 0;

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
  }

  /**
   * Carries a REGISTER out, all of it or nothing; returns the header fields of its 200, or throws a SipError.
   */
  save(received: Received): HeaderList | Promise<HeaderList> {
    const { metrics } = this.#parts;
    try {
      const saved = this.#save(received);
      if (!(saved instanceof Promise)) {
        metrics.registrationsAccepted++;
        return saved;
      }
      return saved.then((headers) => {
        metrics.registrationsAccepted++;
        return headers;
      }, (error) => this.#rejected(error));
    } catch (error) {
      this.#rejected(error);
    }
  }

  /** Where a request of this method for `uri` may go. */
  lookup(uri: Uri, method: string): Located | Promise<Located> {
    const { store, domains, clock, options } = this.#parts;
    const aor = domains.aorOf(uri);
    if (aor === undefined) return { kind: "not-found" };
    return after(store.lookup(aor), (bindings): Located => {
      if (bindings.length === 0) {
        return { kind: this.#departed.has(aor, clock.now()) ? "unavailable" : "not-found" };
      }
      const bit = options.methodFiltering ? methodBit(method) : ALL_METHODS;
      const targets: Target[] = [];
      let isAllowed = false;
      for (const binding of bindings) {
        if ((binding.methods & bit) === 0) continue;
        isAllowed = true;
        const target = this.#targetOf(binding, uri.scheme === "sips");
        if (target !== undefined) targets.push(target);
      }
      if (targets.length > 0) return { kind: "found", targets };
      return isAllowed
        ? { kind: "unavailable" }
        : { kind: "method-not-allowed", allow: methodsText(bindings) };
    });
  }

  /**
   * Takes away the binding a target was made of: its flow has failed for good (RFC 5626 §5.3). One that has
   * another flow by now is another.
   */
  drop(uri: Uri, { uri: contact, via }: Target): void {
    const aor = this.#parts.domains.aorOf(uri);
    const isSecure = uri.scheme === "sips";
    const flowId = via?.id ?? 0;
    if (aor === undefined) return;
    this.#lose(aor, (binding) => {
      const isIt = binding.flowId === flowId && calledAs(binding.contact, isSecure) === contact;
      return isIt ? undefined : binding;
    });
  }

  /** A connection has closed: what was registered over it is worth no more than its contact without it. */
  #flowLost(aor: Aor, flow: Flow): void {
    const isKept = this.#parts.options.onFlowClose === "keep";
    this.#lose(aor, (binding) => {
      if (binding.flowId !== flow.id) return binding;
      return isKept || leadsElsewhere(binding.contact, flow) ? { ...binding, flowId: 0 } : undefined;
    });
  }

  /** Makes of each binding what `change` says, undefined taking it away. */
  #lose(aor: Aor, change: (binding: Binding) => Binding | undefined): void {
    const { store, metrics } = this.#parts;
    let before: readonly Binding[] = [];
    const update = store.update(aor, (live) => {
      before = live;
      return live.map(change).filter((binding) => binding !== undefined);
    });
    const lost = after(update, (left) => {
      metrics.bindingsDropped += before.length - left.length;
      if (left.length === 0 && before.length > 0) this.#departed.add(aor, before);
    });
    // Whoever calls next finds the flow as dead as it is.
    if (lost instanceof Promise) lost.catch(() => metrics.internalErrors++);
  }

  /** Where a binding leads: over its connection while that lives, else to its contact. Undefined if nowhere. */
  #targetOf({ contact, path, q, flowId }: Binding, isSecure: boolean): Target | undefined {
    if (!isCallable(contact, isSecure)) return undefined;
    const via = flowId === 0 ? undefined : this.#parts.flowOf(flowId);
    if (via === undefined && NOWHERE.test(contact)) return undefined;
    if (isSecure && via !== undefined && !isSecured(via)) return undefined;
    return { uri: calledAs(contact, isSecure), path, q, via, alternates: [] };
  }

  #rejected(error: unknown): never {
    const { metrics } = this.#parts;
    metrics.registrationsRejected++;
    if (!(error instanceof StoreFullError)) throw error;
    metrics.bindingsShed++;
    throw new SipError(503, "Too Many Registrations", [["Retry-After", "60"]]);
  }

  #save(received: Received): HeaderList | Promise<HeaderList> {
    const { request } = received;
    const { store, clock } = this.#parts;
    checkRequire(received);
    const aor = this.#aorOf(request);
    const { contacts } = request;
    const now = clock.now();
    const answer = (bindings: readonly Binding[]) => this.#headers(bindings, now);
    if (contacts === "*") {
      checkStar(request);
      return after(store.update(aor, (live) => removeAll(live, request)), (bindings) => {
        this.#departed.delete(aor);
        return answer(bindings);
      });
    }
    if (contacts.length === 0) return after(store.lookup(aor), answer);
    const wishes = this.#wishes(request, contacts);
    const flow = connectionOf(received);
    const flowId = flow?.id ?? 0;
    return after(
      store.update(aor, (live) => this.#apply(live, request, aor, wishes, now, flowId)),
      (bindings) => {
        if (flow !== undefined && bindings.length > 0) this.#flows.note(aor, flow);
        this.#departed.delete(aor);
        return answer(bindings);
      },
    );
  }

  #aorOf(request: SipRequest): Aor {
    const uri = request.toUri;
    if (!uri.isSip) throw new MalformedError("To is no SIP address");
    const aor = this.#parts.domains.aorOf(uri);
    if (aor === undefined) throw new SipError(404, reasonOf(404));
    return aor;
  }

  #wishes(request: SipRequest, contacts: readonly NameAddr[]): readonly Wish[] {
    const { maxContactSize } = this.#parts.options;
    const header = parseExpires(request.get("Expires"));
    return contacts.map((address) => {
      if (address.uriText.length > maxContactSize) throw new MalformedError("Contact too long");
      const q = address.params.get("q");
      const own = address.params.unquoted("expires");
      // One that is no number stands for the default, whatever the header says (RFC 3261 §20.10).
      const asked = own === undefined ? header : parseExpires(own);
      return { address, expires: this.#granted(asked), q: q === undefined ? 1 : parseQ(q) };
    });
  }

  /** The seconds a contact gets for what it asked (RFC 3261 §10.3 step 7). */
  #granted(asked: number | undefined): number {
    const { defaultExpires, minExpires, maxExpires, shortExpires } = this.#parts.options;
    if (asked === 0) return 0;
    const wanted = asked ?? defaultExpires;
    if (wanted < minExpires) {
      if (shortExpires === "refuse" && wanted < MAX_REFUSED_EXPIRES) {
        throw new SipError(423, reasonOf(423), [["Min-Expires", String(minExpires)]]);
      }
      return minExpires;
    }
    return Math.min(wanted, maxExpires);
  }

  #apply(
    live: readonly Binding[],
    request: SipRequest,
    aor: Aor,
    wishes: readonly Wish[],
    now: number,
    flowId: number,
  ): readonly Binding[] {
    const next = live.slice();
    let isChanged = false;
    for (const wish of wishes) {
      const at = indexOfContact(next, wish.address);
      const known = at < 0 ? undefined : next[at];
      // A binding that this very request has made is not older than it.
      if (known !== undefined && live.includes(known) && isCopy(known, request, now)) continue;
      isChanged = true;
      if (wish.expires === 0) {
        if (known !== undefined) next.splice(at, 1);
        continue;
      }
      const binding = this.#binding(request, wish, known, now, flowId);
      if (known !== undefined) {
        next[at] = binding;
      } else {
        this.#checkContact(wish.address, aor);
        next.push(binding);
      }
    }
    if (next.length > this.#parts.options.maxContacts && next.length > live.length) {
      throw new SipError(503, "Too Many Registered Contacts");
    }
    return isChanged ? next : live;
  }

  /**
   * A contact must be a URI, and none that means the very AoR it is for: that would be a loop. One with headers
   * is another (RFC 3261 §19.1.4, RFC 4475 §3.3.14), and one with a maddr leads elsewhere.
   */
  #checkContact({ uri }: NameAddr, aor: Aor): void {
    const { domains } = this.#parts;
    if (domains.isLocal(uri) && uri.headers === "" && domains.aorOf(uri) === aor) {
      throw new SipError(403, "Contact Is The Address Of Record");
    }
  }

  /** What is the same as in the known one is taken from there, so that a store can tell at once that it is. */
  #binding(
    request: SipRequest,
    wish: Wish,
    known: Binding | undefined,
    now: number,
    flowId: number,
  ): Binding {
    const { address, q, expires } = wish;
    const { callId } = request;
    const params = address.params.without("expires");
    return {
      contact: known?.contact === address.uriText ? known.contact : address.uriText,
      params: known?.params === params ? known.params : params,
      q,
      callId: known?.callId === callId ? known.callId : callId,
      cseq: request.cseq.number,
      updatedAt: now,
      expiresAt: now + expires * 1_000,
      path: known?.path ?? NO_PATH,
      methods: this.#parts.options.methodFiltering ? methodsOf(request, address) : ALL_METHODS,
      flowId,
    };
  }

  /** All bindings there now, each with the seconds it has left (RFC 3261 §10.3 step 8). */
  #headers(bindings: readonly Binding[], now: number): HeaderList {
    const headers: [string, string][] = bindings.map(({ contact, params, expiresAt }) => [
      "Contact",
      `<${contact}>${params};expires=${Math.ceil((expiresAt - now) / 1_000)}`,
    ]);
    headers.push(["Date", this.#dateAt(now)]);
    return headers;
  }

  /** A Date header, made once a second. */
  #dateAt(now: number): string {
    const second = Math.floor(now / 1_000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(now).toUTCString();
    }
    return this.#date;
  }
}

const NO_PATH: readonly string[] = [];

/** A star stands alone, and only together with an Expires of 0 (RFC 3261 §10.3 step 6). */
function checkStar(request: SipRequest): void {
  if (parseExpires(request.get("Expires")) !== 0) throw new MalformedError("Contact * without Expires: 0");
}

/** The place of the binding for this contact by URI equality (RFC 3261 §10.3 step 7); -1 if there is none. */
function indexOfContact(bindings: readonly Binding[], address: NameAddr): number {
  for (let i = 0; i < bindings.length; i++) if (bindings[i].contact === address.uriText) return i;
  if (bindings.length === 0) return -1;
  return bindings.findIndex(({ contact }) => sameUri(parseUri(contact), address.uri));
}

/**
 * Whether the binding was last touched by this very request, of which this is then a copy: it has had its
 * effect. Throws if the binding has seen a later one of the same Call-ID, or this one long ago.
 */
function isCopy(binding: Binding, request: SipRequest, now: number): boolean {
  if (binding.callId !== request.callId || request.cseq.number > binding.cseq) return false;
  if (request.cseq.number === binding.cseq && now < binding.updatedAt + COPIES_UNTIL) return true;
  throw outOfOrder();
}

/**
 * None of the bindings; throws if one has seen a request of the same Call-ID that is not earlier (RFC 3261
 * §10.3 step 6). A copy of this one is no such case: it would find none of what this one has taken away.
 */
function removeAll(live: readonly Binding[], { callId, cseq }: SipRequest): readonly Binding[] {
  if (live.some((binding) => binding.callId === callId && cseq.number <= binding.cseq)) throw outOfOrder();
  return [];
}

function outOfOrder(): SipError {
  return new SipError(400, "Invalid CSeq Number");
}

/** What the contact takes: its methods parameter, else the request's Allow, else anything. */
function methodsOf(request: SipRequest, { params }: NameAddr): number {
  const own = params.unquoted("methods");
  const listed = own === undefined ? request.all("Allow") : own.split(",").map((method) => method.trim());
  if (listed.length === 0) return ALL_METHODS;
  return listed.reduce((bits, method) => bits | methodBit(method), 0);
}

/** The methods at least one of the contacts takes, as an Allow header lists them. */
function methodsText(bindings: readonly Binding[]): string {
  const bits = bindings.reduce((bits, { methods }) => bits | methods, 0);
  return METHODS.filter((method) => (methodBit(method) & bits) !== 0).join(", ");
}

const SIP_OR_SIPS = /^sips?:/i;
const SIPS = /^sips:/i;

/** Whether a request can be sent there; one that is to be secure all the way needs that to be (RFC 5630 §5.3). */
function isCallable(contact: string, isSecure: boolean): boolean {
  if (isSecure) return SIPS.test(contact);
  return contact.startsWith("sip:") || SIP_OR_SIPS.test(contact);
}

/** A secure contact is called over TLS as well when that was not asked for, but not in the name of it (RFC 5630 §5.3). */
function calledAs(contact: string, isSecure: boolean): string {
  if (isSecure || !SIPS.test(contact)) return contact;
  const uri = `sip:${contact.slice("sips:".length)}`;
  return /;transport=/i.test(uri) ? uri : `${uri};transport=tls`;
}

function isSecured({ protocol }: Flow): boolean {
  return protocol === "tls" || protocol === "wss";
}

/** A name nobody has: the contacts of web browsers, which only their connection leads to (RFC 7118 §5.2.2). */
const NOWHERE = /@[^>;?]*\.invalid(?:[:;?]|$)/i;

/** The connection a REGISTER came over straight from its user agent; undefined over UDP, and through proxies. */
function connectionOf({ request, flow }: Received): Flow | undefined {
  return flow.protocol !== "udp" && request.isFirstHop ? flow : undefined;
}

/**
 * Whether a contact still leads to its user agent when the connection has closed that it was registered over: it
 * names the very host, and a port that is not the one the connection came from.
 */
function leadsElsewhere(contact: string, { remote, isAccepted }: Flow): boolean {
  const uri = parseUri(contact);
  const protocol = protocolOf(uri);
  if (protocol === undefined || protocol === "ws" || protocol === "wss") return false;
  return uri.host === remote.address && (!isAccepted || (uri.port ?? defaultPort(protocol)) !== remote.port);
}
