/**
 * An estimate of the calls that are up: counted by the answers to INVITE and BYE that pass. A call whose BYE
 * never came by stays counted; it is only used to know whether it is worth waiting before the server stops.
 */
export class Calls {
  #open = 0;

  get open(): number {
    return this.#open;
  }

  answered(): void {
    this.#open++;
  }

  ended(): void {
    if (this.#open > 0) this.#open--;
  }
}
