import { domainOf } from "../domains/model";
import type { Store } from "../store";

/**
 * Makes A records of the names that a Load Balancer's Let's Encrypt certificates are for, where the account's domain has
 * none yet. Call inside a transaction.
 *
 * @returns ids of the records made.
 */
export function pointNames(
  store: Store,
  names: readonly string[],
  address: string | undefined,
): number[] {
  if (address === undefined) return [];
  return names.flatMap((full) => {
    const domain = domainOf(store, full.replace(/^\*\./, ""));
    if (!domain) return [];
    const name = full === domain.name ? "@" : full.slice(0, -domain.name.length - 1);
    const taken = store.domainRecords.find(
      (record) =>
        record.domain === domain.name &&
        record.name === name &&
        ["A", "AAAA", "CNAME"].includes(record.type),
    );
    if (taken) return [];
    const id = store.nextId("domainRecord");
    const blank = { priority: null, port: null, weight: null, flags: null, tag: null };
    store.domainRecords.put(id, {
      ...blank,
      id,
      domain: domain.name,
      type: "A",
      name,
      data: address,
      ttl: domain.ttl,
    });
    return [id];
  });
}

/** Takes back what `pointNames` made; call inside a transaction. */
export function unpointNames(store: Store, recordIds: readonly number[]): void {
  for (const id of recordIds) store.domainRecords.remove(id);
}

/** The names that Let's Encrypt's certificates among these are for. */
export const letsEncryptNames = (
  store: Store,
  certificateIds: readonly (string | undefined)[],
): string[] => [
  ...new Set(
    certificateIds.flatMap((id) => {
      const certificate = id === undefined ? undefined : store.certificates.get(id);
      return certificate?.type === "lets_encrypt" ? certificate.dnsNames : [];
    }),
  ),
];
