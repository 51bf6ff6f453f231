import { configSchema } from "../../src/config/mod.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { Domains, type Located, Registrar, type RegistrarOptions } from "../../src/modules/mod.ts";
import type { Target } from "../../src/proxy/mod.ts";
import { type HeaderList, parseUri, type Protocol, SipError } from "../../src/sip/mod.ts";
import { type Flow, FlowIds, Transports } from "../../src/transport/mod.ts";
import { type LocationStore, MemoryStore } from "../../src/usrloc/mod.ts";
import { assert, assertThrows } from "./assert.ts";
import { type RecordingFlow, RecordingTransport } from "./flows.ts";
import { request } from "./messages.ts";
import { Seen } from "./received.ts";
import { VirtualClock } from "./virtual_clock.ts";

export const BOB = "sip:bob@example.com";

/** What is different from the usual in one registrar. */
export interface HomeWith {
  readonly options?: Partial<RegistrarOptions>;
  readonly maxBindings?: number;
  readonly store?: LocationStore;
}

/** What is different from the usual in one REGISTER. */
export interface RegisterParts {
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: HeaderList;
  /** What it comes over. */
  readonly flow?: Flow;
  /** Vias, top first. */
  readonly vias?: readonly string[];
}

/** A registrar for example.com, on a clock turned by hand. */
export class Home {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics();
  readonly registrar: Registrar;
  readonly #transports = new Transports();
  readonly #ids = new FlowIds();
  #cseq = 0;

  constructor({ options, maxBindings = 100, store }: HomeWith = {}) {
    const { clock, metrics } = this;
    const transports = this.#transports;
    transports.add(new RecordingTransport("udp", "192.0.2.1"));
    this.registrar = new Registrar({
      store: store ?? new MemoryStore({ clock, seed: 1, maxBindings }),
      domains: new Domains(["example.com"], transports),
      clock,
      metrics,
      options: { ...configSchema.parse({}).registrar, ...options },
      flowOf: (id) => transports.byId.get(id),
    });
  }

  /** Somebody connects; `isAccepted`: to us, and not we to them. */
  connection(protocol: Protocol, address: string, port: number, isAccepted = true): RecordingFlow {
    const listener = new RecordingTransport(protocol, "192.0.2.1", this.clock, this.#ids);
    const flow = isAccepted ? listener.accept({ address, port }) : listener.connect({ address, port });
    this.#transports.byId.set(flow.id, flow);
    return flow;
  }

  /** A connection ends. */
  close(flow: RecordingFlow): void {
    this.#transports.byId.delete(flow.id);
    flow.close();
  }

  /** Registers; each time with the next CSeq of one Call-ID unless told otherwise. */
  save(contacts: readonly string[], parts: RegisterParts = {}): HeaderList {
    return this.later(contacts, parts) as HeaderList;
  }

  /** The same for a store that takes its time. */
  later(contacts: readonly string[], parts: RegisterParts = {}): HeaderList | Promise<HeaderList> {
    const { to = BOB, callId = "phone", cseq = ++this.#cseq, headers = [], flow, vias } = parts;
    const register = request("REGISTER", {
      uri: "sip:example.com",
      to: `<${to}>`,
      callId,
      cseq: `${cseq} REGISTER`,
      headers: [...contacts.map((contact) => ["Contact", contact] as const), ...headers],
      vias,
    });
    return this.registrar.save(new Seen(register, flow));
  }

  /** The contacts a REGISTER is told. */
  contacts(contacts: readonly string[], parts?: RegisterParts): string[] {
    return contactsIn(this.save(contacts, parts));
  }

  /** The contacts there are now. */
  get bindings(): string[] {
    return this.contacts([]);
  }

  /** The status a REGISTER is refused with. */
  refusal(contacts: readonly string[], parts?: RegisterParts): SipError {
    return assertThrows(() => this.save(contacts, parts), SipError);
  }

  lookup(uri = BOB, method = "INVITE"): Located {
    return this.registrar.lookup(parseUri(uri), method) as Located;
  }

  /** Where a request would be sent. */
  found(uri?: string, method?: string): readonly Target[] {
    const located = this.lookup(uri, method);
    assert(located.kind === "found", located.kind);
    return located.targets;
  }

  /** The URIs a request would be sent to. */
  targets(uri?: string, method?: string): string[] {
    return this.found(uri, method).map(({ uri }) => uri);
  }

  /** The connections a request would be sent over; undefined: where its URI leads. */
  ways(uri?: string): (Flow | undefined)[] {
    return this.found(uri).map(({ via }) => via);
  }

  /** A branch has failed for good. */
  drop(target: Target): void {
    this.registrar.drop(parseUri(BOB), target);
  }
}

/** The contacts in header fields. */
export function contactsIn(headers: HeaderList): string[] {
  return headers.filter(([name]) => name === "Contact").map(([, value]) => value);
}
