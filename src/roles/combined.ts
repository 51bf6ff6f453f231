import { after } from "../lib/after.ts";
import type { Metrics } from "../lib/metrics.ts";
import {
  CAPABILITIES,
  checkRequire,
  type Domains,
  type Followed,
  type Named,
  type RecordRoute,
  type Registrar,
} from "../modules/mod.ts";
import type { ForkOptions, Route, RouteContext } from "../proxy/mod.ts";
import { type HeaderList, isDialogForming, reasonOf, SipError } from "../sip/mod.ts";
import { admit } from "./steps.ts";

/** What the combined role works with. */
export interface CombinedParts {
  readonly domains: Domains;
  readonly registrar: Registrar;
  readonly rr: RecordRoute;
  readonly metrics: Metrics;
  readonly recordRoute: boolean;
  /** Whether requests for other domains are sent on. */
  readonly relayForeign: boolean;
}

/** Why somebody cannot be called securely who could be called otherwise (RFC 5630 §5.3, §6.3). */
const SIPS_NOT_ALLOWED: HeaderList = [["Warning", '380 sluice "SIPS Not Allowed"']];

/** Registrar and proxy for its domains in one process, user agents and the world on all sides. */
export function combinedRoute(combined: CombinedParts): Route {
  const { domains, registrar, rr, metrics } = combined;

  return (ctx) => {
    admit(ctx);
    const followed = rr.follow(ctx);
    if (ctx.request.inDialog) return withinDialog(ctx, followed);
    if (!isForUs(ctx)) return elsewhere(ctx);
    if (ctx.request.method === "REGISTER") return register(ctx);
    if (ctx.draft.uri.user === undefined) return toServer(ctx);
    return locate(ctx);
  };

  /** Nothing left in the Route, and a Request-URI of ours. */
  function isForUs({ draft }: RouteContext): boolean {
    return draft.all("Route").length === 0 && domains.isLocal(draft.uri);
  }

  function withinDialog(ctx: RouteContext, { isOurs, named }: Followed): void | Promise<void> {
    // No dialog ends at the server itself (RFC 3261 §12.2.2).
    if (isForUs(ctx)) return ctx.draft.uri.user === undefined ? ctx.reply(481) : locate(ctx);
    // It came about by way of us; where it leads its user agents have agreed on.
    if (named !== undefined) return overFlow(ctx, named);
    if (isOurs || combined.relayForeign) return ctx.relay();
    return ctx.reply(404);
  }

  /** To one who has connected to us, and by that connection (RFC 5626 §5.3.1). */
  function overFlow(ctx: RouteContext, named: Named): void {
    switch (named.kind) {
      case "flow":
        return ctx.relay({ via: named.flow });
      case "gone":
        return ctx.reply(430);
      case "forged":
        metrics.tokensForged++;
        return ctx.reply(403);
    }
  }

  function elsewhere(ctx: RouteContext): void {
    if (!combined.relayForeign) {
      metrics.relaysRefused++;
      throw new SipError(403, "Relaying Denied");
    }
    record(ctx);
    ctx.relay();
  }

  function register(ctx: RouteContext): void | Promise<void> {
    return after(registrar.save(ctx), (headers) => ctx.reply(200, headers));
  }

  /** A request for this server and none of its users. */
  function toServer(ctx: RouteContext): void {
    if (ctx.request.method === "CANCEL") return ctx.reply(481);
    if (ctx.request.method !== "OPTIONS") throw new SipError(484, reasonOf(484));
    checkRequire(ctx);
    ctx.reply(200, CAPABILITIES);
  }

  function locate(ctx: RouteContext): void | Promise<void> {
    return after(registrar.lookup(ctx.draft.uri, ctx.request.method), (located) => {
      switch (located.kind) {
        case "found":
          record(ctx);
          return ctx.fork(located.targets, toBindings(ctx));
        case "not-found":
          return ctx.reply(ctx.request.method === "CANCEL" ? 481 : 404);
        case "unavailable":
          return ctx.reply(480, ctx.draft.uri.scheme === "sips" ? SIPS_NOT_ALLOWED : undefined);
        case "method-not-allowed":
          return ctx.reply(405, [["Allow", located.allow]]);
      }
    });
  }

  /** A binding is worth what the flow under it is worth, and somebody without any is not available. */
  function toBindings({ draft }: RouteContext): ForkOptions {
    const { uri } = draft;
    return {
      onBranchFailure({ target, isGone }) {
        if (isGone) registrar.drop(uri, target);
      },
      onFailure: ({ status, response }) => status === 503 && response === undefined ? 480 : undefined,
    };
  }

  function record(ctx: RouteContext): void {
    if (combined.recordRoute && isDialogForming(ctx.request.method)) rr.record(ctx);
  }
}
