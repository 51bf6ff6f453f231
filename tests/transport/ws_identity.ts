import { TlsIdentity, type TlsOptions } from "../../src/transport/tls_identity.ts";
import { type CertificateName, filesOf, pemPath } from "../support/certificates.ts";

/** The test authority, in PEM. */
export const CA = Deno.readTextFileSync(pemPath("ca"));

/** Whoever has the certificate of that name, and believes the test authority. */
export function identity(
  name: CertificateName = "loopback",
  options: Partial<TlsOptions> = {},
): Promise<TlsIdentity> {
  return TlsIdentity.load({
    certificates: [filesOf(name)],
    minVersion: "1.2",
    ca: pemPath("ca"),
    clientCertificates: "none",
    ...options,
  });
}
