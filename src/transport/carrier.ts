import type { SocketAddress } from "./flow.ts";

/** Who takes what comes by a carrier. */
export interface CarrierSink {
  /** Takes bytes as they were read, which it may overwrite; keeps nothing of them. */
  read(bytes: Uint8Array): void;
  /** Resolves when more may be read; undefined if that is so now. */
  caughtUp(): Promise<void> | undefined;
  /** The peer sends no more, and may still listen; nothing else is told after that. */
  ended(): void;
  /** It is closed, by us or by a reset; nothing else is told after that. */
  gone(): void;
}

/** One who wants to know when a carrier holds nothing open any more. */
export interface CarrierOwner {
  /** Called once. */
  carrierClosed(carrier: Carrier): void;
}

/** A connection as a pair of streams of bytes, whatever lies under it. */
export interface Carrier {
  readonly remote: SocketAddress;
  /** Begins to read, for `sink`; to be called once, in the turn in which it was made. */
  start(sink: CarrierSink): void;
  /** What is read from now on is for `sink`; what is being read just now still counts as taken. */
  passTo(sink: CarrierSink): void;
  /** Writes all of it, after what was given before; rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** The peer is told that nothing more comes, when all is written; reading goes on. */
  endWriting(): void;
  /** Ends it at once; may be called again. */
  close(): void;
}

/** Messages that are handed to the runtime at once have no more bytes together, unless one alone does. */
const PIECE = 65_536;

/** Where the piece that begins with `texts[first]` ends. */
export function pieceEnd(texts: readonly string[], first: number): number {
  let end = first;
  let length = 0;
  do length += texts[end++].length; while (end < texts.length && length + texts[end].length <= PIECE);
  return end;
}
