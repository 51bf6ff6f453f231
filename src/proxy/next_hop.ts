import { parseNameAddrs, parseUri, type RequestDraft, type Uri } from "../sip/mod.ts";

/**
 * Where a draft is to be sent: its first Route, else its Request-URI (RFC 3261 §16.6 step 7). A Request-URI
 * that wants it secure wants that of the Route as well. If that Route is a strict router's, the Request-URI
 * moves to the end of the Route and the router's URI in its place (step 6).
 */
export function nextHop(draft: RequestDraft): Uri {
  const routes = draft.all("Route");
  if (routes.length === 0) return draft.uri;
  const first = parseNameAddrs(routes[0], "Route")[0].uri;
  if (first.params.has("lr")) return draft.uri.scheme === "sips" ? secured(first) : first;
  draft.setAll("Route", [...routes.slice(1), `<${draft.uri}>`]);
  draft.uri = parseUri(first.toString());
  return draft.uri;
}

function secured(uri: Uri): Uri {
  return uri.scheme === "sip" ? parseUri(`sips${uri.toString().slice("sip".length)}`) : uri;
}
