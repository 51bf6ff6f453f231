import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { certificateNames } from "./certificate_names.ts";
import { FlowError } from "./flow.ts";
import { sipIdentities } from "./peer_identity.ts";

/** One certificate of ours: files in PEM. */
export interface CertificateFiles {
  /** The certificate; its chain may follow it. */
  readonly certificate: string;
  readonly key: string;
  /** A file that has the chain, if the first has not. */
  readonly chain?: string;
}

/** What contexts made of certificates have in common. */
export interface ContextOptions {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Authorities that clients are checked against, in PEM. */
  readonly ca: string[] | undefined;
}

/** One certificate of ours, read and checked. */
export interface OwnCertificate {
  /** The file it is from. */
  readonly path: string;
  /** It and its chain, in PEM. */
  readonly cert: string;
  readonly key: string;
  /** Names of hosts and domains it is for, in lower case. */
  readonly names: readonly string[];
  /** ms since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  /** For handshakes in which it is shown. */
  readonly context: SecureContext;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads a certificate with its key and chain; rejects with FlowError that names the file and what is wrong. */
export async function readCertificate(
  files: CertificateFiles,
  options: ContextOptions,
): Promise<OwnCertificate> {
  const { certificate: path, chain } = files;
  // One after the other: an error leaves nothing under way.
  const own = await readCertificates(path);
  const key = await readText(files.key);
  const rest = chain === undefined ? [] : await readCertificates(chain);
  const certificate = new X509Certificate(own[0]);
  if (!fits(key, certificate, files.key)) {
    throw new FlowError(`Cannot use ${files.key}: it is not the key of the certificate in ${path}`);
  }
  const { ca, minVersion } = options;
  const cert = [...own, ...rest].join("\n");
  return {
    path,
    cert,
    key,
    names: namesOf(certificate),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    context: createSecureContext({ cert, key, ca, minVersion, maxVersion: "TLSv1.3" }),
  };
}

/** The certificates in a file, in PEM, at least one; rejects with FlowError. */
export async function readCertificates(path: string): Promise<string[]> {
  const blocks = (await readText(path)).match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new FlowError(`Cannot use ${path}: there is no certificate in PEM in it`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new FlowError(`Cannot use ${path}: a certificate in it is damaged`, { cause });
    }
  }
  return blocks;
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new FlowError(`Cannot read ${path}: ${reason}`, { cause });
  }
}

function fits(key: string, certificate: X509Certificate, path: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new FlowError(`Cannot use ${path}: there is no private key in PEM in it that can be read`, {
      cause,
    });
  }
}

/** What a peer may ask for by name and mean this certificate: a wildcard is good for that. */
function namesOf(certificate: X509Certificate): string[] {
  const dns = certificateNames(certificate.raw)?.dns ?? [];
  return [...new Set([...dns.map((name) => name.toLowerCase()), ...sipIdentities(certificate)])];
}
