import { ResponseDraft, type SipResponse } from "../sip/mod.ts";

/** How one branch ended that did not succeed: by what it was told, or by a status that stands for silence. */
export interface Failure {
  readonly status: number;
  readonly response: SipResponse | undefined;
}

/** Failures a caller can do something about come before others of their class (RFC 3261 §16.7 step 6). */
const TELLING = [401, 407, 415, 420, 484];

/** The later classes come later, except that a global failure comes first. */
const CLASS_RANKS: Readonly<Record<number, number>> = { 6: 0, 3: 1, 4: 2, 5: 3 };

/** Lower is better. */
function rank({ status, response }: Failure): number {
  const telling = TELLING.indexOf(status);
  const inClass = telling >= 0 ? telling : 10 + status % 100;
  // What somebody said tells more than what we made up for somebody who said nothing.
  const silence = response === undefined ? 500 : 0;
  return CLASS_RANKS[Math.floor(status / 100)] * 1_000 + silence + inClass;
}

/** The failure to be told when no branch succeeded (RFC 3261 §16.7 step 6). */
export function bestOf(failures: readonly Failure[]): Failure | undefined {
  let best: Failure | undefined;
  for (const failure of failures) if (best === undefined || rank(failure) < rank(best)) best = failure;
  return best;
}

const CHALLENGES = ["WWW-Authenticate", "Proxy-Authenticate"] as const;

/**
 * The draft of the response that tells a failure. If it asks for credentials, it brings the challenges of all
 * branches that asked, so that one more request can satisfy everybody (RFC 3261 §16.7 step 7).
 */
export function draftOf(best: SipResponse, failures: readonly Failure[]): ResponseDraft {
  const draft = new ResponseDraft(best).removeTopVia();
  if (best.status !== 401 && best.status !== 407) return draft;
  const challengers = failures
    .map(({ response }) => response)
    .filter((response) => response?.status === 401 || response?.status === 407);
  if (challengers.length < 2) return draft;
  for (const name of CHALLENGES) {
    const others = challengers.flatMap((other) => other === best ? [] : other!.all(name));
    if (others.length > 0) draft.setAll(name, [...best.all(name), ...others]);
  }
  return draft;
}
