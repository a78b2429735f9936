import type Docker from "dockerode";
import { z } from "zod";
import { canonicalJson } from "../protocol/values";
import { statusCodeOf } from "./engine";
import { hasFailed, tasksOf, type Task } from "./tasks";

/** After so many failures of the version that is rolled out, more waiting is hopeless. */
const HOPELESS_FAILURES = 3;

/** A task without a health check counts once it has run this long: one that dies at its start is not serving. */
const SETTLE_SECONDS = 3;

const serviceObject = z.object({
  ID: z.string(),
  Spec: z.looseObject({
    TaskTemplate: z.looseObject({
      ContainerSpec: z
        .looseObject({
          Healthcheck: z.looseObject({ Test: z.array(z.string()).nullish() }).nullish(),
        })
        .nullish(),
    }),
    Mode: z.looseObject({ Replicated: z.object({ Replicas: z.number() }).nullish() }),
  }),
  UpdateStatus: z
    .object({ State: z.string().default(""), Message: z.string().default("") })
    .nullish(),
  ServiceStatus: z.object({ DesiredTasks: z.number() }).nullish(),
});
export type Service = z.infer<typeof serviceObject>;

/** What a look at a service's tasks says. */
export type Progress =
  | { readonly kind: "healthy"; readonly tasks: number }
  | { readonly kind: "waiting"; readonly reason: string; readonly task?: Task }
  | { readonly kind: "hopeless"; readonly reason: string; readonly task?: Task };

/** The service and its tasks, newest first; `undefined` when there is none of that name. */
export async function lookAt(
  engine: Docker,
  name: string,
): Promise<{ service: Service; tasks: Task[] } | undefined> {
  const services = z
    .array(serviceObject.extend({ Spec: serviceObject.shape.Spec.extend({ Name: z.string() }) }))
    .parse(await engine.listServices({ filters: { name: [name] }, status: true }));
  // Docker's filter takes prefixes.
  const service = services.find(({ Spec }) => Spec.Name === name);
  if (!service) return undefined;
  try {
    return { service, tasks: await tasksOf(engine, service.ID) };
  } catch (error) {
    if (statusCodeOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Judges a service by its tasks.
 *
 * @param ignored IDs of tasks that had failed before the rollout was watched: their cause may be mended.
 * @param now milliseconds since 1970 by the swarm's clock.
 */
export function judge(
  { service, tasks }: { service: Service; tasks: readonly Task[] },
  ignored: ReadonlySet<string>,
  now: number,
): Progress {
  const current = tasks.filter((task) => hasSpecOf(task, service));
  const failed = current.filter((task) => hasFailed(task) && !ignored.has(task.ID));
  // After a roll-back the tasks that failed are no longer those that the service asks for.
  const newestFailure = tasks.find((task) => hasFailed(task) && !ignored.has(task.ID));
  const { State = "", Message = "" } = service.UpdateStatus ?? {};
  if (State === "paused" || State.startsWith("rollback")) {
    const what = State === "paused" ? "its update was paused" : "its update was rolled back";
    return {
      kind: "hopeless",
      reason: `${what}: ${Message}`,
      ...(newestFailure && { task: newestFailure }),
    };
  }
  if (failed.length >= HOPELESS_FAILURES) {
    return { kind: "hopeless", reason: `${failed.length} tasks failed`, task: failed[0]! };
  }

  const wanted = service.ServiceStatus?.DesiredTasks ?? service.Spec.Mode.Replicated?.Replicas ?? 1;
  const meant = tasks.filter(({ DesiredState }) => DesiredState === "running");
  const old = meant.filter((task) => !hasSpecOf(task, service));
  const running = meant.filter(
    (task) =>
      hasSpecOf(task, service) && task.Status.State === "running" && isSettled(task, service, now),
  );
  const watched =
    State === "updating" && running.length >= wanted ? ", swarm watches them still" : "";
  const count = `${running.length} of ${wanted} tasks run the new version${watched}`;
  if (running.length >= wanted && old.length === 0 && State !== "updating") {
    return { kind: "healthy", tasks: running.length };
  }
  const stuck = meant.find((task) => hasSpecOf(task, service) && task.Status.State !== "running");
  const task = newestFailure ?? stuck;
  return {
    kind: "waiting",
    reason: stuck?.Status.Err ? `${count}, ${stuck.Status.Err}` : count,
    ...(task && { task }),
  };
}

/**
 * Whether the task was made from what the service says now. Swarm itself compares the same two
 * (swarmkit `manager/orchestrator/task.go`, IsTaskDirty); the API gives the tasks no spec version.
 */
export function hasSpecOf(task: Task, service: Service): boolean {
  return (
    canonicalJson(comparable(task.Spec)) === canonicalJson(comparable(service.Spec.TaskTemplate))
  );
}

/**
 * Docker tells the runtime of a service, never that of its tasks; and swarm keeps a task whose place is still
 * allowed, whatever else changed in `Placement` (the platforms that the first deploy pinned, for one).
 */
function comparable(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { Runtime: _runtime, Placement: _placement, ...rest } = spec;
  return rest;
}

/** Swarm calls a task with a health check running only once it is healthy; without one, age has to do. */
function isSettled(task: Task, service: Service, now: number): boolean {
  const test = service.Spec.TaskTemplate.ContainerSpec?.Healthcheck?.Test ?? [];
  if (test.length > 0 && test[0] !== "NONE") return true;
  return now - Date.parse(task.Status.Timestamp) >= SETTLE_SECONDS * 1000;
}
