import type Docker from "dockerode";
import { z } from "zod";

/** A task as `GET /tasks` gives it, as far as it is used here. */
const taskObject = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  ServiceID: z.string(),
  NodeID: z.string().default(""),
  Slot: z.number().optional(),
  Spec: z.record(z.string(), z.unknown()),
  DesiredState: z.string(),
  Status: z.object({
    Timestamp: z.string(),
    State: z.string(),
    Message: z.string().default(""),
    Err: z.string().default(""),
    ContainerStatus: z.object({ ExitCode: z.number().default(0) }).nullish(),
  }),
});
export type Task = z.infer<typeof taskObject>;

/** Every task of the service that swarm still remembers, newest first. */
export async function tasksOf(engine: Docker, serviceId: string): Promise<Task[]> {
  const tasks = z
    .array(taskObject)
    .parse(await engine.listTasks({ filters: { service: [serviceId] } }));
  return tasks.sort((a, b) => b.Status.Timestamp.localeCompare(a.Status.Timestamp));
}

export function hasFailed({ Status }: Task): boolean {
  return Status.State === "failed" || Status.State === "rejected" || Status.State === "orphaned";
}

/** `web.1 on web-1`, or `edge on web-1` for a global service. */
export function describeTask(
  task: Task,
  serviceName: string,
  nodeName: string | undefined,
): string {
  const name = task.Slot ? `${serviceName}.${task.Slot}` : serviceName;
  return nodeName ? `task ${name} on ${nodeName}` : `task ${name}`;
}

/** `is rejected: "No such image: web:2"`. */
export function describeState({ Status }: Task): string {
  const code = Status.ContainerStatus?.ExitCode;
  const reason = Status.Err || (code ? `exit code ${code}` : Status.Message);
  return `${Status.State === "failed" ? "has failed" : `is ${Status.State}`}: "${reason}"`;
}

/** Node ID → host name. */
export async function nodeNames(engine: Docker): Promise<ReadonlyMap<string, string>> {
  const nodes = z
    .array(z.object({ ID: z.string(), Description: z.object({ Hostname: z.string() }) }))
    .parse(await engine.listNodes());
  return new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname]));
}
