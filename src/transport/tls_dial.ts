import { connect as connectTcp, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { Timer } from "../lib/timer_wheel.ts";
import type { SocketAddress } from "./flow.ts";

/** What the runtime says of a certificate that is signed by nobody we trust, and of one that has expired alike. */
const UNTRUSTED: readonly string[] = ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"];
const NOT_TRUSTED = "its certificate is signed by no authority we trust, or it has expired";

/** A connection over TLS that is being opened; armed, it is given up when its time is over. */
export class TlsDial extends Timer {
  /** The socket under that of TLS. */
  readonly carrier: Socket;
  readonly socket: TLSSocket;
  /** Resolves when the peer has proved its name. */
  readonly done: Promise<void>;
  /** Ends the attempt now; both sockets close. */
  readonly fail: (reason: string) => void;

  /** `options`: whom we believe, and who it must be. */
  constructor(options: ConnectionOptions, { address: host, port }: SocketAddress) {
    super();
    const carrier = this.carrier = connectTcp({ host, port });
    const socket = this.socket = connect({ ...options, socket: carrier });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.fail = (reason) => {
      reject(new Error(reason));
      socket.destroy();
      carrier.destroy();
    };
    carrier.setNoDelay(true);
    carrier.setKeepAlive(true);
    carrier.on("error", reject);
    socket.on("secureConnect", () => {
      if (socket.authorized) resolve();
      else this.fail(NOT_TRUSTED);
    });
    socket.on("error", (error: Error & { code?: string }) => {
      reject(UNTRUSTED.includes(error.code ?? "") ? new Error(NOT_TRUSTED, { cause: error }) : error);
    });
    socket.on("close", () => reject(new Error("the peer closed the connection")));
  }

  override onTimer(): void {
    this.fail("it took too long");
  }
}
