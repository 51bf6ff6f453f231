import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Flow } from "../transport/mod.ts";

/** Chars of a token that are its signature: 96 bits, six a char. */
const SIGNATURE = 16;

const encoder = new TextEncoder();

/** What a token names. */
export type Named =
  | { readonly kind: "flow"; readonly flow: Flow }
  /** It was ours, and its flow has ended. */
  | { readonly kind: "gone" }
  /** It is none of ours. */
  | { readonly kind: "forged" };

/**
 * Names for the connections of this process that others can carry and cannot make (RFC 5626 §5.2). The id of a
 * connection is never used again, so a token never means another one; the key ends with the process, as they do.
 */
export class FlowTokens {
  readonly #key = randomBytes(32);
  readonly #flowOf: (id: number) => Flow | undefined;
  /** Each is worked out once, and lives as long as its flow. */
  readonly #tokens = new WeakMap<Flow, string>();

  /** `flowOf` finds an open connection by its id. */
  constructor(flowOf: (id: number) => Flow | undefined) {
    this.#flowOf = flowOf;
  }

  /** The token of a flow, in chars that need no escape in the user part of a URI. */
  of(flow: Flow): string {
    let token = this.#tokens.get(flow);
    if (token === undefined) {
      const id = flow.id.toString(36);
      token = this.#sign(id) + id;
      this.#tokens.set(flow, token);
    }
    return token;
  }

  /** What a token names that came back. */
  read(token: string): Named {
    const id = token.slice(SIGNATURE);
    const flow = this.#flowOf(parseInt(id, 36));
    const isOpen = flow !== undefined && !flow.isGone;
    // The usual case costs no cryptography: what leads to a flow must be the very token it was given.
    if (!sameText(token, isOpen ? this.of(flow) : this.#sign(id) + id)) return { kind: "forged" };
    return isOpen ? { kind: "flow", flow } : { kind: "gone" };
  }

  #sign(id: string): string {
    return createHmac("sha256", this.#key).update(id).digest("base64url").slice(0, SIGNATURE);
  }
}

/** Takes the same time wherever they differ. */
function sameText(a: string, b: string): boolean {
  const [x, y] = [encoder.encode(a), encoder.encode(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
