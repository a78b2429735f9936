import type Docker from "dockerode";
import type { NetworkSpec } from "../machines";
import { execOrThrow } from "./engine";
import { leadsTo } from "./network";

/** Where the name server in the support image looks. */
export const NAMES_FILE = "/etc/archipelago/names.json";

/** What the name server knows beyond the API's view. */
export interface NameOptions {
  /** Whether other names are asked of this machine's own name server. */
  readonly forward: boolean;
  /** Names that win over the API's, with their addresses. */
  readonly own: Readonly<Record<string, readonly string[]>>;
}

/**
 * The name server's whole table, JSON. Public addresses that lead to something appear as its private one: inside
 * a Droplet 127.x is the Droplet itself.
 */
export function nameTable(network: NetworkSpec, options: NameOptions): string {
  const privateIps = leadsTo(network);
  const names = new Map<string, readonly string[]>();
  for (const { name, addresses } of network.names ?? []) {
    names.set(plain(name), [...new Set(addresses.map((ip) => privateIps.get(ip) ?? ip))]);
  }
  for (const [name, addresses] of Object.entries(options.own)) names.set(plain(name), addresses);
  return JSON.stringify({ forward: options.forward, names: Object.fromEntries(names) });
}

/** Gives the running name server a table; the next query is answered from it. */
export async function publishNames(container: Docker.Container, table: string): Promise<void> {
  const script = `cat > "$1.next" && mv "$1.next" "$1"`;
  const command = ["sh", "-euc", script, "sh", NAMES_FILE];
  await execOrThrow(container, "publish the names", command, table);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
