import { X509Certificate } from "node:crypto";
import { caPem, type Issued } from "../authority";
import { timestamp, type Context } from "../context";
import type { Store } from "../store";

export interface CertificateRecord {
  readonly id: string;
  /** Unique in the account; stays when a renewal changes the id. */
  readonly name: string;
  readonly type: "custom" | "lets_encrypt";
  readonly dnsNames: readonly string[];
  /** PEM; undefined while it is being issued. */
  readonly keyPem: string | undefined;
  readonly leafPem: string | undefined;
  readonly chainPem: string;
  readonly state: "pending" | "verified" | "error";
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Let's Encrypt's; https://letsencrypt.org/docs/faq/ */
export const letsEncryptDays = 90;

/** What HAProxy reads: key, certificate, chain. Undefined while the certificate is being issued. */
export const serverPem = ({ keyPem, leafPem, chainPem }: CertificateRecord) =>
  keyPem !== undefined && leafPem !== undefined ? `${keyPem}${leafPem}${chainPem}` : undefined;

/** What the local authority issued, as a part of a record. */
export const issuedParts = (store: Store, { keyPem, leafPem }: Issued) => ({
  keyPem,
  leafPem,
  chainPem: caPem(store) ?? "",
});

/** Load Balancers, regional and global, that serve a certificate. */
export const usersOf = ({ store }: Context, { id }: CertificateRecord) => [
  ...store.loadBalancers.filter(({ rules }) => rules.some((rule) => rule.certificateId === id)),
  ...store.globalLoadBalancers.filter(({ domains }) =>
    domains.some((domain) => domain.certificateId === id),
  ),
];

export function certificateView(certificate: CertificateRecord) {
  const leaf = certificate.leafPem ? new X509Certificate(certificate.leafPem) : undefined;
  return {
    id: certificate.id,
    name: certificate.name,
    not_after: leaf ? timestamp(new Date(leaf.validTo)) : "0001-01-01T00:00:00Z",
    sha1_fingerprint: leaf?.fingerprint.replaceAll(":", "").toLowerCase() ?? "",
    created_at: timestamp(new Date(certificate.createdAt)),
    dns_names: certificate.dnsNames,
    state: certificate.state,
    type: certificate.type,
  };
}
