/**
 * The few calls of the C library that carry datagrams by the batch. With a grant for this one file
 * (`--allow-ffi=PATH`) Deno refuses its own pointer functions, so addresses and errno come from the library.
 */

/** Where the C library is on the systems we know; the grant names the same paths. */
export const LIBC_PATHS = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
] as const;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "usize"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  /** memcpy returns its first argument: of nothing copied, the address of a buffer. */
  addressOf: { name: "memcpy", parameters: ["buffer", "u64", "usize"], result: "u64" },
  peek: { name: "memcpy", parameters: ["buffer", "u64", "usize"], result: "void" },
  errnoLocation: { name: "__errno_location", parameters: [], result: "u64" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** Errors by their numbers on Linux, for messages. */
const ERRORS: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  11: "try again",
  13: "permission denied",
  22: "invalid argument",
  24: "too many open files",
  90: "message too long",
  97: "address family not supported",
  98: "address already in use",
  99: "address not available on this machine",
  101: "network unreachable",
  111: "connection refused",
  113: "no route to host",
};

/** Nothing to read, or no room to write. */
export const EAGAIN = 11;

/** The C library of this machine. */
export class Libc {
  readonly call: Library["symbols"];
  readonly #library: Library;
  readonly #errno = new Uint8Array(new ArrayBuffer(128));

  private constructor(library: Library) {
    this.#library = library;
    this.call = library.symbols;
  }

  /** Opens it; throws an error that says why it cannot be had here. */
  static open(): Libc {
    if (Deno.build.os !== "linux") throw new Error(`not on ${Deno.build.os}`);
    let reason = "no C library where we know one";
    for (const path of LIBC_PATHS) {
      try {
        return new Libc(Deno.dlopen(path, SYMBOLS));
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) reason = "no permission for FFI";
      }
    }
    throw new Error(reason);
  }

  /** Gives it back; nothing of it may be called any more. */
  close(): void {
    this.#library.close();
  }

  /** Why the call just made returned -1. */
  errno(): number {
    this.call.peek(this.#errno, this.call.errnoLocation(), 4n);
    return this.#errno[0] | (this.#errno[1] << 8);
  }

  /** The memory address of `bytes`; good for as long as they are reachable. */
  addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
    return this.call.addressOf(bytes, 0n, 0n);
  }
}

/** What an errno means, in words. */
export function errorText(errno: number): string {
  return ERRORS[errno] ?? `error ${errno}`;
}

/**
 * Zeroed memory for structures the kernel reads; never so small that the engine keeps it where it moves
 * things about.
 */
export function pinned(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(Math.max(length, 128)));
}
