import { hashText, mixHash } from "../lib/hash.ts";
import type { Tokens } from "../lib/token.ts";
import { buildReply, type HeaderList, type SipRequest } from "../sip/mod.ts";

/** The responses this server makes itself, all with its name and its tag. */
export class LocalReplies {
  readonly #seed: number;
  readonly #prefix: string;
  /** The Server header row. */
  readonly #rows: string;

  /** `serverName` is the Server header; "" leaves it out. */
  constructor(tokens: Tokens, serverName: string) {
    this.#seed = tokens.uint32();
    this.#prefix = tokens.next(6);
    this.#rows = serverName === "" ? "" : `Server: ${serverName}\r\n`;
  }

  /** The text of a response to `request`; its To gets a tag if it has none. */
  build(request: SipRequest, status: number, headers?: HeaderList, reason?: string): string {
    return buildReply(request, status, { reason, toTag: this.#tagFor(request), headers, rows: this.#rows });
  }

  /**
   * All responses to one request and its copies have the same tag (RFC 3261 §8.2.6.2), also those we keep no
   * state for (§8.2.7): it is worked out from the branch, with a seed of this process.
   */
  #tagFor(request: SipRequest): string {
    const isSound = request.hasReadableVia && request.via.hasCookie;
    const identity = isSound ? request.via.branch! : request.get("Call-ID") ?? "";
    return this.#prefix + mixHash(hashText(identity, this.#seed));
  }

  /** Whether a tag is one of ours. */
  isOurTag(tag: string): boolean {
    return tag.startsWith(this.#prefix);
  }
}
