/** What a stack's two servers keep in their logs for a migration's way there or back. */
import type { Target } from "../../operator/target";
import { runningTasks } from "../../operator/one-off";
import { Psql } from "../psql";
import { type Engine, StackServers } from "./stack";
import { STREAM } from "./stream";

/** A container keeps no more; a managed server goes on until its disk is full. */
const MUCH_BYTES = 2 * 2 ** 30;

export interface Kept {
  readonly server: Engine;
  readonly bytes: number;
}

const RETAINED = `
SELECT coalesce(sum(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint
FROM pg_replication_slots WHERE slot_name LIKE '${STREAM.replaceAll("_", "\\_")}\\_%';`;

/** @returns nothing for a stack that has one server: that of a container is bounded. */
export async function keptChanges(target: Target): Promise<readonly Kept[]> {
  const poolers = await runningTasks(target, "pgbouncer");
  if (poolers.length === 0 || !(await StackServers.hasBoth(poolers))) return [];
  const servers = await StackServers.find(target);
  const [database = ""] = servers.databases;
  const all = await Promise.all(
    (["container", "managed"] as const).map(async (server) => {
      const psql = new Psql(servers.session(server, database));
      try {
        return { server, bytes: Number(await psql.value(RETAINED)) };
      } finally {
        await psql.end();
      }
    }),
  );
  return all.filter(({ bytes }) => bytes > 0);
}

export const isMuch = ({ bytes }: Kept) => bytes > MUCH_BYTES;

/** One line for an operator. */
export function describeKept(stack: string, { server, bytes }: Kept): string {
  const [from, to] = server === "managed" ? ["container", "managed"] : ["managed", "container"];
  const limit =
    server === "managed"
      ? "it has no limit but the disk"
      : "no more than 2 GiB are kept, then the way is lost";
  return `The ${server} server keeps ${(bytes / 2 ** 20).toFixed(0)} MiB of changes for a migration's way there or back, and ${limit}. To give that up: npm run migrate -- postgres --from ${stack}:${from} --to ${stack}:${to} --end`;
}
