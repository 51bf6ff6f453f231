import type { Received } from "../proxy/mod.ts";
import type { NameAddr, Uri } from "../sip/mod.ts";
import type { Domains } from "./domains.ts";

/** Marks both values where one request has two Record-Routes of ours, one for each side. */
const DOUBLE = "r2";

/** Record-Route and Route (RFC 3261 §16.4, §16.6, §16.12): keeps dialogs on this server, and finds its way in them. */
export class RecordRoute {
  readonly #domains: Domains;

  constructor(domains: Domains) {
    this.#domains = domains;
  }

  /**
   * Has later requests of the dialog come by here (RFC 3261 §16.6 step 4). Where the request leaves by another
   * listener than it came in by, each side gets the one it can reach.
   */
  record(received: Received): void {
    const from = received.flow.transport;
    received.onForward((draft, out) => {
      if (out === from) {
        draft.prepend("Record-Route", `<sip:${out.sentBy};lr>`);
      } else {
        draft.prepend("Record-Route", `<sip:${from.sentBy};lr;${DOUBLE}=on>`);
        draft.prepend("Record-Route", `<sip:${out.sentBy};lr;${DOUBLE}=on>`);
      }
    });
  }

  /**
   * Takes what names us out of the Route, and undoes what a strict router did to it (RFC 3261 §16.4). Whether
   * there was anything of ours in it.
   */
  follow({ request, draft }: Received): boolean {
    let { routes } = request;
    if (routes.length === 0) return false;
    const wasStrict = this.#isOurRoute(draft.uri);
    if (wasStrict) {
      // A strict router put our Record-Route into the Request-URI, and the target at the end of the Route.
      draft.uri = routes.at(-1)!.uri;
      routes = routes.slice(0, -1);
    }
    const ours = this.#countOurs(routes);
    if (ours === 0 && !wasStrict) return false;
    const rest = routes.slice(ours);
    // Read for what it throws: whatever comes next must be an address.
    if (rest.length > 0) void rest[0].uri;
    draft.setAll("Route", rest.map(String));
    return true;
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

  /** Whether it is a URI such as we put into Record-Route: our address, no user, loose. */
  #isOurRoute(uri: Uri): boolean {
    return uri.user === undefined && uri.params.has("lr") && this.#domains.isOurAddress(uri);
  }
}
