import type { Received } from "../proxy/mod.ts";
import type { NameAddr, RequestDraft, Uri } from "../sip/mod.ts";
import type { Flow } from "../transport/mod.ts";
import type { Domains } from "./domains.ts";
import type { FlowTokens, Named } from "./flow_tokens.ts";

/** Marks both values where one request has two Record-Routes of ours, one for each side. */
const DOUBLE = "r2";

/** What the Route of a request had to say to us. */
export interface Followed {
  /** Whether there was anything of ours in it. */
  readonly isOurs: boolean;
  /** The connection it named on the far side, if it did and nothing else is left in the Route. */
  readonly named: Named | undefined;
}

const NOT_OURS: Followed = { isOurs: false, named: undefined };
const OURS: Followed = { isOurs: true, named: undefined };

/** Record-Route and Route (RFC 3261 §16.4, §16.6, §16.12): keeps dialogs on this server, and finds its way in them. */
export class RecordRoute {
  readonly #domains: Domains;
  readonly #tokens: FlowTokens;

  constructor(domains: Domains, tokens: FlowTokens) {
    this.#domains = domains;
    this.#tokens = tokens;
  }

  /**
   * Has later requests of the dialog come by here (RFC 3261 §16.6 step 4). Where the request leaves by another
   * listener than it came in by, each side gets the one it can reach. A side that has connected to us is named by
   * its connection: nothing else may lead to it (RFC 5626 §5.3).
   */
  record(received: Received): void {
    const from = received.flow;
    received.onForward((draft, out) => {
      if (out.transport === from.transport && !out.isAccepted && !from.isAccepted) {
        draft.prepend("Record-Route", this.#valueOf(out, draft, ""));
      } else {
        draft.prepend("Record-Route", this.#valueOf(from, draft, `;${DOUBLE}=on`));
        draft.prepend("Record-Route", this.#valueOf(out, draft, `;${DOUBLE}=on`));
      }
    });
  }

  /** Takes what names us out of the Route, and undoes what a strict router did to it (RFC 3261 §16.4). */
  follow({ request, draft }: Received): Followed {
    let { routes } = request;
    if (routes.length === 0) return NOT_OURS;
    const strict = this.#isOurRoute(draft.uri) ? draft.uri : undefined;
    if (strict !== undefined) {
      // A strict router put our Record-Route into the Request-URI, and the target at the end of the Route.
      draft.uri = routes.at(-1)!.uri;
      routes = routes.slice(0, -1);
    }
    const ours = this.#countOurs(routes);
    if (ours === 0 && strict === undefined) return NOT_OURS;
    const rest = routes.slice(ours);
    // Read for what it throws: whatever comes next must be an address.
    if (rest.length > 0) void rest[0].uri;
    draft.setAll("Route", rest.map(String));
    // Of two, the second is for the far side. With more in the Route, that is the way.
    const last = ours === 0 ? strict : routes[ours - 1].uri;
    if (rest.length > 0 || last?.user === undefined) return OURS;
    return { isOurs: true, named: this.#tokens.read(last.user) };
  }

  /** How a side reaches us again. */
  #valueOf(flow: Flow, draft: RequestDraft, extra: string): string {
    const { transport } = flow;
    const user = flow.isAccepted ? `${this.#tokens.of(flow)}@` : "";
    const isSecure = draft.uri.scheme === "sips";
    return `<${isSecure ? "sips" : "sip"}:${user}${transport.sentBy}${
      PARAMS[transport.protocol]
    };lr${extra}>`;
  }

  /** How many values on top are ours: none, one, or both halves of a double Record-Route. */
  #countOurs(routes: readonly NameAddr[]): number {
    if (!this.#isOurs(routes[0])) return 0;
    const isDouble = routes[0].uri.params.has(DOUBLE) && this.#isOurs(routes[1]) &&
      routes[1].uri.params.has(DOUBLE);
    return isDouble ? 2 : 1;
  }

  #isOurs(route: NameAddr | undefined): boolean {
    return route !== undefined && this.#domains.isLocal(route.uri);
  }

  /** Whether it is a URI such as we put into Record-Route: our address, no user but a token, loose. */
  #isOurRoute(uri: Uri): boolean {
    if (!uri.params.has("lr") || !this.#domains.isOurAddress(uri)) return false;
    return uri.user === undefined || this.#tokens.read(uri.user).kind !== "forged";
  }
}

/** What says in a URI how to get there; a secure WebSocket is told by the scheme (RFC 7118 §5.2.1). */
const PARAMS = {
  udp: "",
  tcp: ";transport=tcp",
  tls: ";transport=tls",
  ws: ";transport=ws",
  wss: ";transport=ws",
} as const;
