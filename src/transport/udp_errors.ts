import { type Libc, pinned } from "./libc.ts";
import { SOCKADDR_ROW } from "./sockaddr.ts";
import { BATCH, HEADER, HEADER_WORDS, HeaderRows, NAME_LENGTH_WORD } from "./udp_rows.ts";

const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;

/** Bytes for the control message of one error, which needs 60 at most. */
const CONTROL = 128;
const CONTROL_LENGTH_WORD = 10;
/** Where `struct sock_extended_err` keeps what in a control message, as Linux lays it out. */
const ORIGIN = 20;
const TYPE = 21;
const CODE = 22;
const ORIGIN_ICMP = 2;
const ORIGIN_ICMP6 = 3;

/** What has become of a datagram that was sent. */
export type SendError =
  /** Whoever has the address says that nobody listens at the port. */
  | "refused"
  /** It did not get there, this time. */
  | "unreachable"
  /** Nothing that says anything about the peer. */
  | "ignored";

/** Of ICMP type 3 (destination unreachable), by code; the rest are "unreachable". */
const ICMP_CODES: Readonly<Record<number, SendError>> = {
  2: "refused", // protocol
  3: "refused", // port
  4: "ignored", // too long for a link, which the kernel sees to
};

/** What an error that came back means (RFC 3261 §18.4); `origin`, `type` and `code` as in sock_extended_err. */
export function sendErrorOf(origin: number, type: number, code: number): SendError {
  if (origin === ORIGIN_ICMP) {
    if (type === 3) return ICMP_CODES[code] ?? "unreachable";
    // A parameter problem counts, time exceeded does not.
    return type === 12 ? "unreachable" : "ignored";
  }
  if (origin === ORIGIN_ICMP6) {
    if (type === 1) return code === 4 ? "refused" : "unreachable";
    return type === 4 ? "unreachable" : "ignored";
  }
  return "ignored";
}

/** Memory for errors that came back for what a socket sent; sockets take turns with it. */
export class ErrorArea {
  readonly rows: HeaderRows;
  readonly #libc: Libc;
  readonly #control = pinned(BATCH * CONTROL);
  readonly #headers: BigUint64Array<ArrayBuffer>;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.rows = new HeaderRows(libc);
    this.#headers = new BigUint64Array(this.rows.headers.buffer);
    const base = libc.addressOf(this.#control);
    for (let i = 0; i < BATCH; i++) this.#headers[i * HEADER / 8 + 4] = base + BigInt(i * CONTROL);
  }

  /** Takes the errors that wait at a socket, 64 at most, and tells of each, by the row its address is in. */
  read(fd: number, tell: (error: SendError, row: number) => void): number {
    const { headers, headerWords } = this.rows;
    for (let i = 0; i < BATCH; i++) {
      headerWords[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_ROW;
      headerWords[i * HEADER_WORDS + CONTROL_LENGTH_WORD] = CONTROL;
    }
    this.#control.fill(0);
    const count = this.#libc.call.recvmmsg(fd, headers, BATCH, MSG_DONTWAIT | MSG_ERRQUEUE, 0n);
    for (let i = 0; i < count; i++) {
      const at = i * CONTROL;
      const control = this.#control;
      tell(sendErrorOf(control[at + ORIGIN], control[at + TYPE], control[at + CODE]), i);
    }
    return Math.max(0, count);
  }
}
