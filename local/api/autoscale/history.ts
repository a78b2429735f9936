import { randomUUID } from "node:crypto";
import type { Context } from "../context";
import type { DropletRecord } from "../droplets/model";
import { desiredCount, type PoolEvent, poolOf, stayingOf } from "./model";

/** Notes in a pool's history what is about to happen; call inside a transaction. */
export function note(
  { store, now }: Context,
  id: string,
  { reason, current, desired }: Pick<PoolEvent, "reason" | "current" | "desired">,
): void {
  const pool = store.autoscalePools.get(id);
  if (!pool) return;
  const at = now().toISOString();
  const event: PoolEvent = {
    id: randomUUID(),
    reason,
    current,
    desired,
    status: "in_progress",
    createdAt: at,
    updatedAt: at,
  };
  store.autoscalePools.patch(id, { history: [event, ...pool.history] });
}

/** Has a pool make another Droplet for a member that somebody begins to destroy; call inside a transaction. */
export function replaceMember(context: Context, { id }: DropletRecord): void {
  const { store, lifecycle } = context;
  const pool = poolOf(store, id);
  if (!pool) return;
  const current = stayingOf(store, pool).length;
  const desired = desiredCount(pool.config, current);
  if (desired <= current) return;
  note(context, pool.id, { reason: "SCALE_UP", current, desired });
  lifecycle.begin("autoscale.converge", { poolId: pool.id });
}
