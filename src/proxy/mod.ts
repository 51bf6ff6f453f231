/** The proxy core (RFC 3261 §16): one request's way, its branches and their answers. */
export { Calls } from "./calls.ts";
export type {
  BestFailure,
  FailedBranch,
  ForkOptions,
  Received,
  RelayOptions,
  Route,
  RouteContext,
  Target,
} from "./context.ts";
export { Proxy, type ProxyParts } from "./proxy.ts";
