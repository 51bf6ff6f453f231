import type { CertificateFiles } from "../../src/transport/certificate_files.ts";

/** The certificates of the tests; `tests/data/certificates/make.sh` says what each is. */
export type CertificateName =
  | "example"
  | "renewed"
  | "second"
  | "loopback"
  | "wildcard"
  | "uri"
  | "client"
  | "stranger"
  | "common-name"
  | "expired"
  | "chained"
  | "chained-full";

const FOLDER = new URL("../data/certificates/", import.meta.url);

/** The file of a certificate, or of an authority. */
export function pemPath(name: CertificateName | "ca" | "stranger-ca" | "intermediate"): string {
  return new URL(`${name}.pem`, FOLDER).pathname;
}

/** The file of a certificate's key. */
export function keyPath(name: CertificateName): string {
  return new URL(`${name.replace("-full", "")}-key.pem`, FOLDER).pathname;
}

/** A certificate and its key, as a server is told of them. */
export function filesOf(name: CertificateName): CertificateFiles {
  return { certificate: pemPath(name), key: keyPath(name) };
}

/** A certificate and its key, as a client shows them. */
export function pairOf(name: CertificateName): { readonly cert: string; readonly key: string } {
  return { cert: Deno.readTextFileSync(pemPath(name)), key: Deno.readTextFileSync(keyPath(name)) };
}

/** The authority nearly all of them are signed by, in PEM. */
export function authority(): string {
  return Deno.readTextFileSync(pemPath("ca"));
}
