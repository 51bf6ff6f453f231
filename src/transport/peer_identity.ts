import { canonicalIp } from "../lib/ip_address.ts";
import { parseUri } from "../sip/mod.ts";
import { type CertificateNames, certificateNames } from "./certificate_names.ts";

/** A certificate in DER, as the runtime hands over that of a peer. */
export interface RawCertificate {
  readonly raw: Uint8Array;
}

/**
 * The SIP domains a certificate is for, in lower case (RFC 5922 §7.1): its sip URIs without a user; if there
 * are none, its DNS names; if it has no subjectAltName at all, its common name.
 */
export function sipIdentities(certificate: RawCertificate): readonly string[] {
  const names = certificateNames(certificate.raw);
  return names === undefined ? [] : domainsOf(names);
}

/**
 * Why a certificate does not prove that its owner is `host`, in words; undefined if it does. Whole names are
 * compared, whatever their case, and a wildcard stands for nothing (RFC 5922 §7.2). Where `host` is an IP
 * address, the certificate may name that instead.
 */
export function identityFault(certificate: RawCertificate, host: string): string | undefined {
  const names = certificateNames(certificate.raw);
  if (names === undefined) return "its certificate cannot be read";
  const ip = canonicalIp(host);
  if (ip !== undefined && names.ips.includes(ip)) return undefined;
  const domains = domainsOf(names);
  if (domains.includes(ip ?? host.toLowerCase())) return undefined;
  const proved = [...domains, ...names.ips];
  const owners = proved.length === 0 ? "nobody" : proved.join(", ");
  return `its certificate is for ${owners}, not for ${host}`;
}

function domainsOf({ hasAltName, uris, dns, commonName }: CertificateNames): string[] {
  const domains = uris.map(sipDomain).filter((domain) => domain !== undefined);
  if (domains.length > 0) return domains;
  if (dns.length > 0) return dns.map((name) => name.toLowerCase());
  return hasAltName || commonName === undefined ? [] : [commonName.toLowerCase()];
}

/** The host of a sip URI; undefined for anything else, and for that of a user. */
function sipDomain(text: string): string | undefined {
  try {
    const { scheme, user, host } = parseUri(text);
    return scheme === "sip" && user === undefined ? host : undefined;
  } catch {
    // Nothing that is no URI names a domain.
    return undefined;
  }
}
