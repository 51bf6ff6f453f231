const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const POOL_BYTES = 4096;

/** Random text for branches, tags and Call-IDs (RFC 3261 §19.3), from the system's secure generator. */
export class Tokens {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #used = POOL_BYTES;

  /** `length` letters and digits of five random bits each; at most 4096 of them. */
  next(length: number): string {
    if (this.#used + length > POOL_BYTES) {
      // One call for thousands of letters: the generator's cost is in the call.
      crypto.getRandomValues(this.#pool);
      this.#used = 0;
    }
    let text = "";
    for (let i = 0; i < length; i++) text += ALPHABET[this.#pool[this.#used++] & 31];
    return text;
  }

  /** A random unsigned number of 32 bits, for seeds. */
  uint32(): number {
    return crypto.getRandomValues(new Uint32Array(1))[0];
  }
}
