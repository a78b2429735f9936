import { randomUUID, X509Certificate } from "node:crypto";
import type { Context } from "../context";
import type { Transition } from "../lifecycle";
import { type CertificateRecord, issuedParts, letsEncryptDays } from "./model";

/** DigitalOcean renews Let's Encrypt's certificates this long before they end. */
const renewalDays = 30;

export const certificateTransitions: Record<string, Transition> = {
  "certificate.issue": {
    seconds: 30,
    perform: async ({ store, authority }, { certificateId = "" }) => {
      const certificate = store.certificates.get(certificateId);
      if (!certificate) return;
      const issued = await authority.issue(certificate.dnsNames, letsEncryptDays);
      store.transaction(() => store.certificates.patch(certificateId, issuedParts(store, issued)));
    },
    finish: ({ store }, { certificateId = "" }) =>
      store.certificates.patch(certificateId, { state: "verified" }),
    fail: ({ store }, { certificateId = "" }) =>
      store.certificates.patch(certificateId, { state: "error" }),
  },
  "certificate.renew": {
    seconds: 30,
    perform: async ({ store, authority, now }, { certificateId = "" }) => {
      const before = store.certificates.get(certificateId);
      if (!before) return;
      const issued = await authority.issue(before.dnsNames, letsEncryptDays);
      store.transaction(() =>
        replace(store, {
          before,
          after: {
            ...before,
            ...issuedParts(store, issued),
            id: randomUUID(),
            createdAt: now().toISOString(),
          },
        }),
      );
    },
    // Load Balancers get it before the renewal is over.
    apply: () => undefined,
  },
};

/** A renewed certificate has a new id, and Load Balancers that served the old one serve it. */
function replace(
  store: Context["store"],
  { before, after }: { readonly before: CertificateRecord; readonly after: CertificateRecord },
): void {
  const renewed = <T extends { readonly certificateId: string | undefined }>(each: T): T =>
    each.certificateId === before.id ? { ...each, certificateId: after.id } : each;
  store.certificates.remove(before.id);
  store.certificates.put(after.id, after);
  for (const balancer of store.loadBalancers.all())
    store.loadBalancers.patch(balancer.id, { rules: balancer.rules.map(renewed) });
  for (const balancer of store.globalLoadBalancers.all())
    store.globalLoadBalancers.patch(balancer.id, { domains: balancer.domains.map(renewed) });
}

/** Begins the renewal of what ends soon; call inside a transaction, at a start. */
export function renewDue({ store, lifecycle, now }: Context): void {
  const limit = now().getTime() + renewalDays * 86_400_000;
  const renewing = new Set(store.jobs.all().map(({ params }) => params.certificateId));
  for (const { id, type, leafPem } of store.certificates.all())
    if (
      type === "lets_encrypt" &&
      leafPem !== undefined &&
      !renewing.has(id) &&
      Date.parse(new X509Certificate(leafPem).validTo) < limit
    )
      lifecycle.begin("certificate.renew", { certificateId: id });
}
