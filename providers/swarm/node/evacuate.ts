import type Docker from "dockerode";
import { z } from "zod";
import type { Context } from "../protocol/resource";
import { messageOf, WaitTimeout, waitUntil, type Attempt } from "../wait";
import { inspectNode } from "./membership";

/** On a node that is leaving: the replicas that each service had before, as JSON. Whoever goes on reads it. */
const LEAVING_LABEL = "archipelago.leaving";

/** How long new tasks may take to get well elsewhere. */
const ELSEWHERE_SECONDS = 120;
/** Swarm kills a task after its stop grace period: the edge's is the longest, a minute. */
const STOP_SECONDS = 90;

const taskSchema = z.object({
  ServiceID: z.string(),
  NodeID: z.string().default(""),
  DesiredState: z.string(),
  Status: z.object({ State: z.string() }),
});
const serviceSchema = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({
    Name: z.string(),
    Mode: z.looseObject({ Replicated: z.object({ Replicas: z.number() }).optional() }),
    TaskTemplate: z.looseObject({
      Placement: z.looseObject({ Constraints: z.array(z.string()).nullish() }).nullish(),
    }),
  }),
});
type Service = z.infer<typeof serviceSchema>;
type Replicas = Readonly<Record<string, number>>;

/**
 * Empties a node without a service ever having fewer healthy tasks than it asks for: swarm's own drain stops the
 * old tasks before it starts new ones (moby#34139).
 *
 * No new task comes to the node; each service gets as many more tasks as it has there, on other nodes; once those are
 * well the node is drained, and the services get their old number back. A run that was killed is continued: what was
 * raised is written on the node first.
 */
export async function evacuate(manager: Docker, nodeId: string, context: Context): Promise<void> {
  const before = await pause(manager, nodeId, context);
  for (const [service, replicas] of Object.entries(before)) {
    const there = await runningOn(manager, service, (node) => node === nodeId);
    await setReplicas(manager, service, replicas + there, context);
  }
  for (const [service, replicas] of Object.entries(before)) {
    await untilElsewhere(manager, { service, replicas, nodeId }, context);
  }
  await setAvailability(manager, nodeId, "drain", {}, context);
  await untilEmpty(manager, nodeId, context);
  for (const [service, replicas] of Object.entries(before)) {
    await setReplicas(manager, service, replicas, context);
  }
}

/** @returns the replicas of each service that has tasks on the node, by its name. */
async function pause(manager: Docker, nodeId: string, context: Context): Promise<Replicas> {
  const { Spec } = await inspectNode(manager, nodeId);
  const noted = Spec.Labels?.[LEAVING_LABEL];
  if (noted !== undefined) return z.record(z.string(), z.number()).parse(JSON.parse(noted));
  const tasks = await liveTasks(manager);
  const here = new Set(
    tasks.filter(({ NodeID }) => NodeID === nodeId).map((task) => task.ServiceID),
  );
  const services = (await listServices(manager)).filter(({ ID }) => here.has(ID));
  const before = Object.fromEntries(
    services.filter(canMove).map(({ Spec: spec }) => [spec.Name, replicasOf(spec)]),
  );
  const label = { [LEAVING_LABEL]: JSON.stringify(before) };
  await setAvailability(manager, nodeId, "pause", label, context);
  return before;
}

/** Global services have one task a node, and a task that is bound to its node has nowhere to go. */
function canMove({ Spec }: Service): boolean {
  const bound = Spec.TaskTemplate.Placement?.Constraints?.some((each) =>
    each.startsWith("node.id"),
  );
  return Spec.Mode.Replicated !== undefined && bound !== true;
}

const replicasOf = (spec: Service["Spec"]) => spec.Mode.Replicated?.Replicas ?? 0;

async function listServices(manager: Docker): Promise<Service[]> {
  return z.array(serviceSchema).parse(await manager.listServices());
}

async function liveTasks(manager: Docker) {
  const filters = { "desired-state": ["running"] };
  return z.array(taskSchema).parse(await manager.listTasks({ filters }));
}

async function runningOn(manager: Docker, service: string, on: (nodeId: string) => boolean) {
  const filters = { service: [service], "desired-state": ["running"] };
  const tasks = z.array(taskSchema).parse(await manager.listTasks({ filters }));
  // Swarm calls a task running once its health check has passed.
  return tasks.filter(({ NodeID, Status }) => on(NodeID) && Status.State === "running").length;
}

async function setReplicas(
  manager: Docker,
  name: string,
  replicas: number,
  context: Context,
): Promise<void> {
  await inSequence(`replicas of ${name}`, context, async () => {
    const service = (await listServices(manager)).find(({ Spec }) => Spec.Name === name);
    // It was removed meanwhile.
    if (!service || replicasOf(service.Spec) === replicas) return;
    await manager.getService(service.ID).update({
      ...service.Spec,
      Mode: { Replicated: { Replicas: replicas } },
      version: service.Version.Index,
    });
  });
}

async function setAvailability(
  manager: Docker,
  nodeId: string,
  availability: "pause" | "drain",
  labels: Readonly<Record<string, string>>,
  context: Context,
): Promise<void> {
  await inSequence(`availability of ${context.name}`, context, async () => {
    const { Spec, Version } = await inspectNode(manager, nodeId);
    await manager.getNode(nodeId).update({
      ...Spec,
      Availability: availability,
      Labels: { ...Spec.Labels, ...labels },
      version: Version.Index,
    });
  });
}

/** Swarm refuses an update that is based on an old version, so that one is read and tried again. */
async function inSequence(what: string, context: Context, update: () => Promise<void>) {
  await waitUntil({ what, timeoutSeconds: 60, context }, async (): Promise<Attempt<true>> => {
    try {
      await update();
      return { done: true };
    } catch (error) {
      if (!messageOf(error).includes("out of sequence")) throw error;
      return { pending: "another change came first" };
    }
  });
}

/** New tasks that do not get well must not keep a node for ever: swarm goes on trying, and the operator is told. */
async function untilElsewhere(
  manager: Docker,
  { service, replicas, nodeId }: { service: string; replicas: number; nodeId: string },
  context: Context,
): Promise<void> {
  const what = `${replicas} tasks of ${service} on other nodes than ${context.name}`;
  try {
    await waitUntil(
      { what, timeoutSeconds: ELSEWHERE_SECONDS, context },
      async (): Promise<Attempt<true>> => {
        const elsewhere = await runningOn(manager, service, (node) => node !== nodeId);
        return elsewhere >= replicas ? { done: true } : { pending: `${elsewhere} are well` };
      },
    );
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    context.log.warn(`${error.message}; ${context.name} leaves all the same`);
  }
}

async function untilEmpty(manager: Docker, nodeId: string, context: Context): Promise<void> {
  const what = `the last tasks on ${context.name} to stop`;
  await waitUntil(
    { what, timeoutSeconds: STOP_SECONDS, context },
    async (): Promise<Attempt<true>> => {
      const filters = { node: [nodeId] };
      const tasks = z.array(taskSchema).parse(await manager.listTasks({ filters }));
      const left = tasks.filter(({ Status }) => Status.State === "running").length;
      return left === 0 ? { done: true } : { pending: `${left} still run` };
    },
  );
}
