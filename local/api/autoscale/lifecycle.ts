import type { Context } from "../context";
import type { JobParams, Transition } from "../lifecycle";
import { destroyMembers, fill, shutDown, surplus } from "./members";
import { type AutoscalePoolRecord, cooldownSeconds, membersOf } from "./model";

/**
 * Brings a pool to what its configuration says: new Droplets first; when they run, and those of an older template have
 * been given the cooldown, the others are shut down, and destroyed a minute later. Safe to repeat.
 */
async function converge(context: Context, { poolId = "" }: JobParams): Promise<void> {
  const { store, lifecycle } = context;
  /** Undefined when there is nothing to do any more, or the process ends. */
  const pool = () => {
    const found = store.autoscalePools.get(poolId);
    return lifecycle.isClosed || found?.status === "deleting" ? undefined : found;
  };
  // What went wrong with a Droplet is noted with that Droplet.
  const step = (work: () => void) => lifecycle.commit(work).settled.catch(() => undefined);
  const quiet = async () => {
    const ids = (store.autoscalePools.get(poolId)?.members ?? []).map((each) => each.dropletId);
    await lifecycle.idle(({ dropletId }) => dropletId !== undefined && ids.includes(dropletId));
  };

  if (!pool()) return;
  await step(() => fill(context, poolId));
  await quiet();
  const filled = pool();
  const going = filled ? surplus(context, filled) : [];
  if (filled && going.some(({ generation }) => generation !== filled.generation)) {
    const seconds = cooldownSeconds(filled.config);
    await step(() => lifecycle.begin("autoscale.wait", { poolId, seconds }));
  }
  if (pool() && going.length > 0) {
    await step(() => shutDown(context, poolId));
    if (pool()) await step(() => lifecycle.begin("autoscale.wait", { poolId, seconds: 60 }));
  }
  if (pool()) await step(() => destroyMembers(context, poolId, ({ leaving }) => leaving));
}

/** Ends the events that are open, and forgets members that are gone; inside a transaction. */
function conclude(
  { store, now }: Context,
  { poolId = "" }: JobParams,
  status: "success" | "error",
): void {
  const pool = store.autoscalePools.get(poolId);
  if (!pool || pool.status === "deleting") return;
  const living = membersOf(store, pool);
  const updatedAt = now().toISOString();
  const left: Partial<AutoscalePoolRecord> = {
    status: status === "success" ? "active" : "error",
    members: pool.members.filter(({ dropletId }) =>
      living.some((member) => member.dropletId === dropletId),
    ),
    history: pool.history.map((event) =>
      event.status === "in_progress"
        ? { ...event, status, current: living.length, updatedAt }
        : event,
    ),
  };
  store.autoscalePools.patch(poolId, left);
}

/** How pools change, and end. */
export const autoscaleTransitions: Record<string, Transition> = {
  "autoscale.converge": {
    seconds: 0,
    perform: converge,
    finish: (context, params) => conclude(context, params, "success"),
    fail: (context, params) => conclude(context, params, "error"),
  },
  "autoscale.wait": { seconds: 60, lasts: ({ seconds = 60 }) => seconds },
  "autoscale.delete": {
    seconds: 5,
    finish: ({ store }, { poolId = "" }) => store.autoscalePools.remove(poolId),
  },
  "autoscale.delete_dangerous": {
    seconds: 5,
    perform: async (context, { poolId = "" }) => {
      const { lifecycle, store } = context;
      const members = () => {
        const pool = store.autoscalePools.get(poolId);
        return pool ? membersOf(store, pool) : [];
      };
      // A Droplet that is being made can be destroyed only afterwards.
      const ids = members().map(({ dropletId }) => dropletId);
      await lifecycle.idle(({ dropletId }) => dropletId !== undefined && ids.includes(dropletId));
      if (lifecycle.isClosed) return;
      await lifecycle.commit(() => destroyMembers(context, poolId, () => true)).settled;
    },
    finish: ({ store }, { poolId = "" }) => store.autoscalePools.remove(poolId),
    fail: ({ store }, { poolId = "" }) => store.autoscalePools.patch(poolId, { status: "error" }),
  },
};
