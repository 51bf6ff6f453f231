import type { Clock } from "../lib/clock.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Answer, Question, RecordType, RecordTypes } from "./dns_records.ts";

/** How long answers are used again, in seconds, and how many there may be. */
export interface DnsCacheOptions {
  /** What was found is kept no shorter and no longer than this, whatever its TTL. */
  readonly minTtl: number;
  readonly maxTtl: number;
  /** That there is nothing is kept no shorter and no longer than this, whatever the zone's SOA says (RFC 2308 §5). */
  readonly minNegativeTtl: number;
  readonly maxNegativeTtl: number;
  /** How long past its time an answer still serves while no name server says anything (RFC 8767); 0: not at all. */
  readonly staleTtl: number;
  /** Answers remembered at a time; the oldest is forgotten first. */
  readonly cacheSize: number;
  /** Questions that may be under way at a time; others are not asked. */
  readonly maxQueries: number;
}

/** What the cache needs. */
export interface DnsCacheParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Asks the name servers; undefined if none of them could say. Never rejects. */
  readonly ask: (question: Question) => Promise<Answer | undefined>;
}

/** The records of a question, none if there are none; undefined if nobody could say. */
export type Found<T extends RecordType> = readonly RecordTypes[T][] | undefined;

/** Seconds for which nobody is asked again what nobody could answer. */
const FAILURE_TTL = 5;

interface Entry {
  readonly records: Found<RecordType>;
  /** On the monotonic clock, in ms. */
  readonly expiresAt: number;
  /** Until when it serves if nobody can say anything newer. */
  readonly staleUntil: number;
}

/** Remembers what name servers said for as long as they allow, and asks each question only once at a time. */
export class DnsCache {
  readonly #parts: DnsCacheParts;
  readonly #options: DnsCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<Found<RecordType>>>();

  constructor(parts: DnsCacheParts, options: DnsCacheOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** At once if it is known. */
  find<T extends RecordType>(question: Question<T>): Found<T> | Promise<Found<T>> {
    const key = `${question.type} ${question.name}`;
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAt > this.#now) return known.records as Found<T>;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay as Promise<Found<T>>;
    if (this.#underWay.size >= this.#options.maxQueries) {
      this.#parts.metrics.dnsShed++;
      return this.#stale(known)?.records as Found<T>;
    }
    const found = this.#ask(key, question, known);
    this.#underWay.set(key, found);
    return found as Promise<Found<T>>;
  }

  async #ask(key: string, question: Question, known: Entry | undefined): Promise<Found<RecordType>> {
    const answer = await this.#parts.ask(question);
    this.#underWay.delete(key);
    const entry = answer === undefined ? this.#unanswered(known) : this.#answered(answer);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#options.cacheSize) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    return entry.records;
  }

  #answered({ records, ttl = 0 }: Answer): Entry {
    const { minTtl, maxTtl, minNegativeTtl, maxNegativeTtl, staleTtl } = this.#options;
    const isFound = records.length > 0;
    const seconds = isFound
      ? Math.min(Math.max(ttl, minTtl), maxTtl)
      : Math.min(Math.max(ttl, minNegativeTtl), maxNegativeTtl);
    const expiresAt = this.#now + seconds * 1_000;
    return { records, expiresAt, staleUntil: isFound ? expiresAt + staleTtl * 1_000 : expiresAt };
  }

  #unanswered(known: Entry | undefined): Entry {
    const expiresAt = this.#now + FAILURE_TTL * 1_000;
    const stale = this.#stale(known);
    return stale === undefined
      ? { records: undefined, expiresAt, staleUntil: expiresAt }
      : { ...stale, expiresAt };
  }

  #stale(known: Entry | undefined): Entry | undefined {
    return known !== undefined && known.staleUntil > this.#now ? known : undefined;
  }

  get #now(): number {
    return this.#parts.clock.monotonic();
  }
}
