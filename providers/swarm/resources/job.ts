import type Docker from "dockerode";
import { createHash } from "node:crypto";
import { z } from "zod";
import { dockerEngine, statusCodeOf } from "../docker/engine";
import { ensureJobService, jobServiceSpec, removeOtherRecords } from "../docker/job-service";
import { lastTaskLogLines } from "../docker/logs";
import {
  describeState,
  describeTask,
  hasFailed,
  nodeNames,
  tasksOf,
  type Task,
} from "../docker/tasks";
import type { Context, Resource } from "../protocol/resource";
import { canonicalJson, changedKeys } from "../protocol/values";
import { connectPatiently, type Connection } from "../ssh/pool";
import { messageOf, WaitTimeout, waitUntil, type Attempt } from "../wait";
import * as shape from "./inputs";

const file = {
  fileName: shape.nonEmptyText,
  fileMode: shape.wholeNumber(0, 0o777).optional(),
};
const secretFile = z.strictObject({
  secretId: shape.nonEmptyText,
  secretName: shape.nonEmptyText,
  ...file,
});
const configFile = z.strictObject({
  configId: shape.nonEmptyText,
  configName: shape.nonEmptyText,
  ...file,
});

export const jobInputs = z.strictObject({
  connection: shape.connection,
  name: shape.text(
    "a service name of lower-case letters, digits and hyphens, at most 40",
    (value) => /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(value),
  ),
  image: shape.nonEmptyText,
  command: z.array(z.string()).min(1, "must name at least a program"),
  networks: z.array(shape.nonEmptyText).optional(),
  secrets: z.array(secretFile).optional(),
  configs: z.array(configFile).optional(),
  env: z.record(z.string(), z.string()).optional(),
  constraints: z.array(shape.nonEmptyText).optional(),
  mounts: z
    .array(
      z.strictObject({
        source: shape.absolutePath,
        target: shape.absolutePath,
        readOnly: z.boolean().optional(),
      }),
    )
    .optional(),
  user: shape.nonEmptyText.optional(),
  registryAuth: z
    .strictObject({
      address: shape.nonEmptyText,
      username: z.string(),
      password: z.string(),
    })
    .optional(),
  timeoutSeconds: shape.wholeNumber(1, 86400, " seconds").optional(),
});
export type JobInputs = z.infer<typeof jobInputs>;

/** How the work is reached, paid for and awaited says nothing about the work: it may change without running it again. */
const aboutTheRun = ["connection", "registryAuth", "timeoutSeconds"];

const TIMEOUT_SECONDS = 600;

/** See `Job` in `sdk`. */
export const Job: Resource = {
  check: (inputs) => shape.checkWith(jobInputs, inputs),
  diff: (before, after) => {
    const changed = changedKeys(before, after);
    return { changed, replaces: changed.filter((key) => !aboutTheRun.includes(key)) };
  },
  preview: (inputs) => inputs,

  create: async (rawInputs, context) => {
    const inputs = jobInputs.parse(rawInputs);
    const name = jobServiceName(inputs);
    const connection = await connectPatiently(inputs.connection, context, 60);
    const engine = dockerEngine(connection);
    const spec = jobServiceSpec(inputs, name);
    const serviceId = await ensureJobService(engine, spec, inputs.registryAuth, context);
    await awaitJob(engine, serviceId, inputs, context);
    await removeOtherRecords(engine, spec);
    return { id: name, state: rawInputs };
  },

  update: (_id, _state, _before, after) => Promise.resolve(after),

  delete: async (id, _state, inputs, context) => {
    const connection = inputs["connection"] as Connection;
    try {
      const ssh = await connectPatiently(connection, context, 12);
      await dockerEngine(ssh).getService(id).remove();
    } catch (error) {
      context.signal.throwIfAborted();
      if (statusCodeOf(error) === 404) return;
      // Only a record goes with it; a swarm that has ended, or a node that is gone, took it along.
      context.log.warn(`the record of job ${id} stays behind: ${messageOf(error)}`);
    }
  },
};

/** `<name>-<hash>`: the same work has the same name, so that a second run finds what the first one began. */
export function jobServiceName(inputs: JobInputs): string {
  const work = Object.fromEntries(
    Object.entries(inputs).filter(([key]) => !aboutTheRun.includes(key)),
  );
  const hash = createHash("sha256").update(canonicalJson(work)).digest("hex");
  return `${inputs.name}-${hash.slice(0, 16)}`;
}

async function awaitJob(
  engine: Docker,
  serviceId: string,
  inputs: JobInputs,
  context: Context,
): Promise<void> {
  const { name, timeoutSeconds = TIMEOUT_SECONDS } = inputs;
  let latest: Task | undefined;
  try {
    const ended = await waitUntil(
      { what: `job ${name} to end`, timeoutSeconds, context },
      async (): Promise<Attempt<Task>> => {
        latest = (await tasksOf(engine, serviceId))[0];
        if (!latest) return { pending: "no task yet" };
        if (latest.Status.State === "complete" || hasFailed(latest)) return { done: latest };
        return { pending: latest.Status.Err || latest.Status.State };
      },
    );
    if (!hasFailed(ended)) return;
    throw new Error(await describeFailure(engine, name, ended));
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    const state = latest ? await describeFailure(engine, name, latest) : `job ${name} has no task`;
    throw new Error(
      `${state}\nIt did not end within ${timeoutSeconds} s and was not stopped: the next "pulumi up" waits for it again. ` +
        "Allow it more with timeoutSeconds",
      { cause: error },
    );
  }
}

async function describeFailure(engine: Docker, name: string, task: Task): Promise<string> {
  const nodeName = (await nodeNames(engine)).get(task.NodeID);
  const lines = await lastTaskLogLines(engine, task.ID);
  const { Slot: _slot, ...withoutSlot } = task;
  return [
    `job ${name}: ${describeTask(withoutSlot, name, nodeName)} ${describeState(task)}`,
    ...lines,
  ].join("\n");
}
