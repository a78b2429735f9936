import type { Context } from "../protocol/resource";
import type { Service, ServiceChange, SwarmEngine } from "../swarm/engine";
import { isMissing, persist } from "../swarm/failures";
import type { Reach } from "../swarm/swarm";
import type { Attempt } from "../wait";
import { isOver, lookAtServices, type Situation } from "./situation";

/**
 * On a service that has more tasks while a node leaves: the node, the replicas it had, and how many tasks were well of
 * those. It is set and removed together with the replicas, so that it is true whenever a run is killed, and a deploy
 * that sets the replicas anew takes it away.
 */
const RAISED_LABEL = "archipelago.raised";

/** A service with this label `true` must not run twice, not even for a moment: it stops here and starts elsewhere. */
const SINGLETON_LABEL = "archipelago.singleton";

/** A service that was raised for a node. */
export interface Raised {
  readonly service: Service;
  readonly original: number;
  /** How many well tasks it must have elsewhere. */
  readonly needed: number;
}

export function raisedFor(nodeId: string, services: readonly Service[]): Raised[] {
  return services.flatMap((service) => {
    const note = noteOf(service);
    return note?.nodeId === nodeId ? [{ service, ...note }] : [];
  });
}

/**
 * Gives each service that has tasks on the node as many more elsewhere. What an earlier run has raised stays, unless more
 * of its tasks are well by now: then as many are needed.
 */
export async function raise(reach: Reach, nodeId: string, context: Context): Promise<void> {
  const decide = (service: Service, situation: Situation) => raised(service, situation, nodeId);
  const before = await lookAtServices(reach, context);
  for (const { id, name } of before.services.filter((service) => decide(service, before))) {
    await change(reach, id, `replicas of ${name}`, context, decide);
  }
}

/** @returns undefined for a service that needs no more tasks elsewhere than it has. */
function raised(service: Service, situation: Situation, nodeId: string): ServiceChange | undefined {
  const here = runningOn(situation, service, nodeId);
  const note = noteOf(service);
  const isRaised = note?.nodeId === nodeId;
  if (!canMove(service) || (here === 0 && !isRaised)) return undefined;
  const original = note?.original ?? service.replicas;
  const needed = Math.min(original, runningOn(situation, service));
  if (isRaised && needed <= note.needed) return undefined;
  return {
    replicas: isRaised ? Math.max(service.replicas, original + here) : service.replicas + here,
    labels: { ...service.labels, [RAISED_LABEL]: `${nodeId} ${original} ${needed}` },
  };
}

/** Gives the services that were raised for the node their replicas back. */
export async function restore(reach: Reach, nodeId: string, context: Context): Promise<void> {
  const { services } = await lookAtServices(reach, context);
  for (const { service: raised } of raisedFor(nodeId, services)) {
    await change(reach, raised.id, `replicas of ${raised.name}`, context, (service) => {
      const note = noteOf(service);
      if (note?.nodeId !== nodeId) return undefined;
      const { [RAISED_LABEL]: _note, ...labels } = service.labels;
      return { replicas: note.original, labels };
    });
  }
}

/** Global services have one task a node, and what is bound to a node or must not run twice has nowhere to go. */
function canMove({ mode, isBound, labels }: Service): boolean {
  return mode === "replicated" && !isBound && labels[SINGLETON_LABEL] !== "true";
}

function noteOf({ labels }: Service) {
  const match = /^(\S+) (\d+) (\d+)$/.exec(labels[RAISED_LABEL] ?? "");
  return match?.[1] === undefined
    ? undefined
    : { nodeId: match[1], original: Number(match[2]), needed: Number(match[3]) };
}

function runningOn({ tasks }: Situation, service: Service, nodeId?: string): number {
  return tasks.filter(
    (task) =>
      task.serviceId === service.id &&
      task.isWanted &&
      !isOver(task) &&
      task.state === "running" &&
      (nodeId === undefined || task.nodeId === nodeId),
  ).length;
}

function change(
  reach: Reach,
  serviceId: string,
  what: string,
  context: Context,
  decide: (service: Service, situation: Situation) => ServiceChange | undefined,
): Promise<true> {
  return persist(what, 60, context, async (): Promise<Attempt<true>> => {
    const situation = await lookAtServices(reach, context);
    const service = situation.services.find(({ id }) => id === serviceId);
    const wanted = service && decide(service, situation);
    // Somebody may have removed it meanwhile.
    if (service && wanted) await update(await reach.manager(context), service, wanted);
    return { done: true };
  });
}

async function update(
  manager: SwarmEngine,
  service: Service,
  wanted: ServiceChange,
): Promise<void> {
  try {
    await manager.updateService(service, wanted);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
