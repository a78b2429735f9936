import type { NetworkSpec } from "../machines/machines";
import { hostsOf } from "./databases/model";
import type { Store } from "./store";

/** What Droplets' name server answers: hosts of database clusters, and A records of the account's domains, CNAMEs among them followed. */
export function names(store: Store): NonNullable<NetworkSpec["names"]> {
  const addresses = new Map<string, string[]>();
  const aliases: { readonly name: string; readonly target: string }[] = [];
  for (const database of store.databases.filter(({ deleting }) => !deleting))
    for (const host of hostsOf(store, database)) addresses.set(host, [database.privateIp]);
  for (const { domain, name, type, data } of store.domainRecords.all()) {
    const full = name === "@" ? domain : `${name}.${domain}`;
    if (type === "A") addresses.set(full, [...(addresses.get(full) ?? []), data]);
    if (type === "CNAME") aliases.push({ name: full, target: data === "@" ? domain : data });
  }
  // As many rounds as there are links in the longest chain that a resolver follows.
  for (let round = 0; round < 8; round++)
    for (const { name, target } of aliases) {
      const found = addresses.get(target);
      if (found && !addresses.has(name)) addresses.set(name, found);
    }
  return Array.from(addresses, ([name, found]) => ({ name, addresses: found }));
}
