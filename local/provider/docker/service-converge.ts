import type Docker from "dockerode";
import { integer, items, members, text, type Values } from "../framework/values";
import type { DockerClient } from "./client";
import { nanoseconds } from "./duration";
import { poll } from "./poll";

/** A service that did not reach its desired state in time, with what its tasks said. */
export class DidNotConverge extends Error {}

/**
 * Waits until every task of a service runs the current spec.
 *
 * @param config `convergeConfig`; its `delay` is not needed, as nothing is polled blindly
 * @throws {DidNotConverge} when the time is over
 * @throws {Error} when the update was paused or rolled back
 */
export async function converge(client: DockerClient, id: string, config: Values): Promise<void> {
  const engine = await client.engine();
  const timeout = nanoseconds(text(config.timeout)) / 1e6;
  const done = await poll(timeout, client.signal, async () => {
    const service = (await engine.getService(id).inspect()) as Values;
    const status = members(service.UpdateStatus);
    switch (status.State) {
      case "completed":
        return true;
      case "paused":
      case "rollback_paused":
      case "rollback_completed":
        throw new Error(
          `service ${text(members(service.Spec).Name)}: ${STATUS_WORDS[status.State]}: ` +
            `${text(status.Message)}${await lastErrors(engine, id)}`,
        );
      case "updating":
      case "rollback_started":
        return undefined;
      default:
        return (await runsEverywhere(engine, id, service)) ? true : undefined;
    }
  });
  if (!done) {
    throw new DidNotConverge(
      `service with ID (${id}) did not converge after ${text(config.timeout)}` +
        (await lastErrors(engine, id)),
    );
  }
}

const STATUS_WORDS = {
  paused: "service update paused",
  rollback_paused: "service rollback paused",
  rollback_completed: "service rollback completed",
} as const;

const tasksOf = async (engine: Docker, id: string, desired?: string): Promise<Values[]> =>
  (await engine.listTasks({
    filters: JSON.stringify({
      service: [id],
      ...(desired ? { "desired-state": [desired] } : {}),
    }),
  })) as Values[];

/** Swarm clears the update status with each new spec; until it starts, the tasks' own spec tells. */
async function runsEverywhere(engine: Docker, id: string, service: Values): Promise<boolean> {
  const spec = members(service.Spec);
  const mode = members(spec.Mode);
  const running = (await tasksOf(engine, id, "running")).filter(
    (task) => members(task.Status).State === "running",
  );
  const current = running.filter((task) => sameTemplate(task.Spec, spec.TaskTemplate));
  const wanted = mode.Replicated
    ? integer(members(mode.Replicated).Replicas)
    : await livingNodes(engine);
  return current.length === running.length && current.length === wanted;
}

/** For global services: the official provider counts nodes that are not down. */
async function livingNodes(engine: Docker): Promise<number> {
  const nodes = (await engine.listNodes()) as Values[];
  return nodes.filter((node) => members(node.Status).State !== "down").length;
}

/** Networks and runtime are left out: the engine resolves them differently in tasks and services. */
function sameTemplate(task: unknown, template: unknown): boolean {
  const essence = (value: unknown): string => {
    const { Networks: _, Runtime: __, ...rest } = members(value);
    return JSON.stringify(rest);
  };
  return essence(task) === essence(template);
}

/** The newest distinct errors of a service's tasks, for an error message. */
async function lastErrors(engine: Docker, id: string): Promise<string> {
  const tasks = items(await tasksOf(engine, id))
    .map(members)
    .sort((a, b) => (text(a.UpdatedAt) < text(b.UpdatedAt) ? 1 : -1));
  const errors = tasks
    .map((task) => members(task.Status))
    .filter(({ Err }) => text(Err) !== "")
    .map(({ State, Err }) => `${text(State)}: ${text(Err)}`);
  const distinct = [...new Set(errors)].slice(0, 3);
  return distinct.length > 0 ? `; its tasks say: ${distinct.join("; ")}` : "";
}
