import { randomUUID } from "node:crypto";
import { beginAction } from "../actions/model";
import type { Context } from "../context";
import { createDroplets } from "../droplets/create";
import { beginDestroy } from "../droplets/destroy";
import { type DropletRecord, isPending } from "../droplets/model";
import { assign } from "../projects/model";
import {
  type AutoscalePoolRecord,
  desiredCount,
  type LivingMember,
  membersOf,
  stayingOf,
} from "./model";

/**
 * Makes the Droplets that a pool lacks, from its present template; call inside a transaction.
 *
 * @throws {ApiError} 422 as for any Droplet: an unknown image, an account that is full.
 */
export function fill(context: Context, id: string): void {
  const { store } = context;
  const pool = store.autoscalePools.get(id);
  if (!pool) return;
  const staying = stayingOf(store, pool);
  const current = staying.filter(({ generation }) => generation === pool.generation);
  const lacking = desiredCount(pool.config, staying.length) - current.length;
  if (lacking <= 0) return;
  const { name, project_id: projectId, ...template } = pool.template;
  const made = Array.from({ length: lacking }, (_, index) => {
    // Named so by DigitalOcean where the template has no name: pool, a UUID, a number of three digits.
    const number = String(pool.made + index + 1).padStart(3, "0");
    const input = {
      ...template,
      ssh_keys: [...template.ssh_keys],
      tags: [...template.tags],
      name: name ?? `${pool.name}-${randomUUID()}-${number}`,
    };
    const [created] = createDroplets(context, input);
    if (!created) throw new Error("no Droplet was made");
    const { id: dropletId } = created.droplet;
    if (projectId !== undefined) assign(context, `do:droplet:${dropletId}`, projectId);
    return { dropletId, generation: pool.generation, leaving: false };
  });
  store.autoscalePools.patch(id, {
    made: pool.made + made.length,
    members: [...pool.members, ...made],
  });
}

/** Members that are too many, or of an older template; the oldest go first, which DigitalOcean does not promise. */
export function surplus(context: Context, pool: AutoscalePoolRecord): LivingMember[] {
  const staying = stayingOf(context.store, pool);
  const old = staying.filter(({ generation }) => generation !== pool.generation);
  const current = staying.filter(({ generation }) => generation === pool.generation);
  const tooMany = current.length - desiredCount(pool.config, staying.length);
  return [...old, ...current.slice(0, Math.max(tooMany, 0))];
}

/** Tells members that they go: a shutdown, of which they may make something. Call inside a transaction. */
export function shutDown(context: Context, id: string): void {
  const { store } = context;
  const pool = store.autoscalePools.get(id);
  if (!pool) return;
  const going = surplus(context, pool).map(({ droplet }) => droplet);
  const ids = going.map((droplet) => droplet.id);
  store.autoscalePools.patch(id, {
    members: pool.members.map((member) => ({
      ...member,
      leaving: member.leaving || ids.includes(member.dropletId),
    })),
  });
  for (const droplet of going) {
    if (droplet.status === "active" && !isPending(store, droplet)) {
      beginAction(context, "droplet.shutdown", { dropletId: droplet.id }, actionOn(droplet));
    }
  }
}

const actionOn = ({ id, region }: DropletRecord) => ({
  type: "shutdown",
  resourceId: id,
  resourceType: "droplet",
  region,
  dropletId: id,
});

/** Destroys members; call inside a transaction. */
export function destroyMembers(
  context: Context,
  id: string,
  which: (member: LivingMember) => boolean,
): void {
  const { store } = context;
  const pool = store.autoscalePools.get(id);
  if (!pool) return;
  for (const member of membersOf(store, pool).filter(which)) {
    const { droplet } = member;
    if (!droplet.deleting && !isPending(store, droplet)) beginDestroy(context, droplet);
  }
}
