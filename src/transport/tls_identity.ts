import {
  type ConnectionOptions,
  type SecureContext,
  type TlsOptions as ServerOptions,
  type TLSSocket,
} from "node:tls";
import type { Clock } from "../lib/clock.ts";
import { isIpAddress } from "../lib/ip_address.ts";
import {
  type CertificateFiles,
  type ContextOptions,
  type OwnCertificate,
  readCertificate,
  readCertificates,
} from "./certificate_files.ts";
import { watchFiles } from "./file_watch.ts";
import { FlowError } from "./flow.ts";
import { identityFault, sipIdentities } from "./peer_identity.ts";

/** Who we are in TLS, and whom we believe. */
export interface TlsOptions {
  /** At least one for a listener; the first is shown to those who ask for none of them by name. */
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: "1.2" | "1.3";
  /**
   * PEM file of the authorities that peers we connect to, and clients with certificates, are checked against;
   * without it, those the runtime trusts, and then no client is ever taken for verified.
   */
  readonly ca?: string;
  /** Whether those who connect are asked for a certificate of theirs, and turned away without a good one. */
  readonly clientCertificates: "none" | "request" | "require";
}

/** Clients' certificates that are remembered as good; beyond that the oldest are forgotten. */
const MAX_PROVED = 10_000;

/** All that was read, and is used together. */
interface Credentials {
  /** In PEM; undefined stands for those of the runtime. */
  readonly ca: string[] | undefined;
  readonly certificates: readonly OwnCertificate[];
  readonly byName: ReadonlyMap<string, OwnCertificate>;
  /** Fingerprints of clients' certificates that were checked against these authorities and are good. */
  readonly proved: Set<string>;
}

/**
 * Our certificates and the authorities we trust, for listeners and for connections we open. They can be read
 * anew at any time: handshakes from then on use the new ones, open connections stay as they are.
 */
export class TlsIdentity {
  /** Every file it is read from. */
  readonly files: readonly string[];

  readonly #options: TlsOptions;
  readonly #onReload = new Set<() => void>();
  #current: Credentials;
  #reloading: Promise<void> = Promise.resolve();

  private constructor(options: TlsOptions, credentials: Credentials) {
    this.#options = options;
    this.#current = credentials;
    const own = options.certificates.flatMap(({ certificate, key, chain }) => [certificate, key, chain]);
    this.files = [...own, options.ca].filter((path) => path !== undefined);
  }

  /** Reads all files; rejects with FlowError that names the file and what is wrong with it. */
  static async load(options: TlsOptions): Promise<TlsIdentity> {
    return new TlsIdentity(options, await readAll(options));
  }

  /** Reads all files anew, all or nothing; rejects with FlowError, and then what was read before stays. */
  reload(): Promise<void> {
    // One after the other, or an early one that is slow would undo a later one.
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  /** Has `fn`, which must not throw, called after every reload, until the returned function is called. */
  onReload(fn: () => void): () => void {
    this.#onReload.add(fn);
    return () => this.#onReload.delete(fn);
  }

  /**
   * Looks at the files every `period` ms, and reloads when some have changed and stayed so for one look; tells
   * `onChanged` how that went. Goes on until the returned function is called.
   */
  watch(clock: Clock, period: number, onChanged: (error?: Error) => void): () => void {
    return watchFiles(clock, period, this.files, () => {
      this.reload().then(() => onChanged(), onChanged);
    });
  }

  /** What is odd about our certificates at `now`, in ms since the epoch: sentences for the log. */
  warnings(now: number): readonly string[] {
    return this.#current.certificates.flatMap(({ path, validFrom, validTo }) => {
      if (now > validTo) {
        return [`The certificate in ${path} has expired on ${new Date(validTo).toISOString()}`];
      }
      if (now >= validFrom) return [];
      return [`The certificate in ${path} is not valid before ${new Date(validFrom).toISOString()}`];
    });
  }

  /**
   * For a server of node:tls or node:https, or a socket made into TLS: by name among the certificates current
   * in each handshake. The certificate for those who name none is the one current now: see `onReload`. Throws
   * FlowError if there is no certificate.
   */
  get serverOptions(): ServerOptions {
    const { clientCertificates } = this.#options;
    const { cert, key } = this.#default();
    return {
      cert,
      key,
      ...this.#contextOptions,
      maxVersion: "TLSv1.3",
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "require",
      // Where there is nothing to choose from, not being asked saves 12 KiB a connection.
      ...(this.#options.certificates.length === 1 ? {} : {
        SNICallback: (name: string, done: (error: null, context: SecureContext) => void) =>
          done(null, this.contextFor(name)),
      }),
    };
  }

  /** What is shown to one who asks for `name`, or for none. Throws FlowError if there is no certificate. */
  contextFor(name?: string): SecureContext {
    const { byName } = this.#current;
    if (name === undefined) return this.#default().context;
    const wanted = name.toLowerCase();
    const found = byName.get(wanted) ?? byName.get(`*${wanted.slice(wanted.indexOf("."))}`);
    return (found ?? this.#default()).context;
  }

  /** For a connection to one that must prove to be `host`, a name or an IP address (RFC 5922 §7.3). */
  clientOptions(host: string): ConnectionOptions {
    const own = this.#current.certificates[0];
    return {
      ...this.#contextOptions,
      maxVersion: "TLSv1.3",
      ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
      // An IP address is no name to ask for (RFC 6066 §3).
      ...(isIpAddress(host) ? {} : { servername: host }),
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) => {
        const fault = identityFault(certificate, host);
        return fault === undefined ? undefined : new FlowError(fault);
      },
    };
  }

  /**
   * The SIP domains a client that is through its handshake has proved to be of, none if it has not; undefined if
   * it may not stay, because it had to prove something. To be asked about every client: the runtime's own word
   * is not enough.
   */
  namesOfClient(socket: TLSSocket): readonly string[] | undefined {
    const { clientCertificates } = this.#options;
    if (clientCertificates === "none") return [];
    const certificate = socket.getPeerCertificate();
    if (certificate?.raw !== undefined && this.#isProved(socket, certificate.fingerprint256)) {
      return sipIdentities(certificate);
    }
    return clientCertificates === "require" ? undefined : [];
  }

  #isProved(socket: TLSSocket, fingerprint: string): boolean {
    const { proved } = this.#current;
    // When a session is resumed, the runtime calls the client authorized whose certificate was not when it began.
    if (socket.isSessionReused()) return proved.has(fingerprint);
    if (!socket.authorized) return false;
    proved.delete(fingerprint);
    proved.add(fingerprint);
    if (proved.size > MAX_PROVED) { for (const oldest of proved.values().take(1)) proved.delete(oldest); }
    return true;
  }

  get #contextOptions(): ContextOptions {
    return contextOptions(this.#options, this.#current.ca);
  }

  #default(): OwnCertificate {
    const [first] = this.#current.certificates;
    if (first === undefined) throw new FlowError("There is no certificate to show to those who connect");
    return first;
  }

  async #reload(): Promise<void> {
    this.#current = await readAll(this.#options);
    for (const fn of this.#onReload) fn();
  }
}

function contextOptions(options: TlsOptions, ca: string[] | undefined): ContextOptions {
  return { minVersion: `TLSv${options.minVersion}`, ca };
}

async function readAll(options: TlsOptions): Promise<Credentials> {
  const ca = options.ca === undefined ? undefined : await readCertificates(options.ca);
  const certificates: OwnCertificate[] = [];
  for (const files of options.certificates) {
    certificates.push(await readCertificate(files, contextOptions(options, ca)));
  }
  // Of two for one name the first wins.
  const byName = new Map(
    certificates.toReversed().flatMap((own) => own.names.map((name) => [name, own] as const)),
  );
  return { ca, certificates, byName, proved: new Set() };
}
