import type { Context } from "../protocol/resource";
import type { NodeTask, Service } from "../swarm/engine";
import type { Reach } from "../swarm/swarm";

/** A task without a health check counts once it has run this long: one that dies at its start is not serving. */
const SETTLE_MS = 3000;

/** https://docs.docker.com/engine/swarm/how-swarm-mode-works/swarm-task-states/ */
const OVER = new Set(["complete", "shutdown", "failed", "rejected", "orphaned", "remove"]);

/** What runs in a swarm. */
export interface Situation {
  readonly services: readonly Service[];
  readonly tasks: readonly NodeTask[];
}

export async function lookAtServices(reach: Reach, context: Context): Promise<Situation> {
  const manager = await reach.manager(context);
  const [services, tasks] = await Promise.all([manager.services(), manager.tasks()]);
  return { services, tasks };
}

export function isOver({ state }: NodeTask): boolean {
  return OVER.has(state);
}

/** Runs and is meant to. Swarm calls a task with a health check running only once that has passed. */
export function isWell({ isWanted, state, forMs }: NodeTask, { hasHealthCheck }: Service): boolean {
  return isWanted && state === "running" && (hasHealthCheck || forMs >= SETTLE_MS);
}

/** No node can take it. */
export function isPlaceless({ isWanted, nodeId, state, error }: NodeTask): boolean {
  return isWanted && nodeId === "" && state === "pending" && error !== "";
}
