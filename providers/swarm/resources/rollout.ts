import type Docker from "dockerode";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ask } from "../../http";
import { dockerEngine } from "../docker/engine";
import { lastTaskLogLines } from "../docker/logs";
import { judge, lookAt, type Progress } from "../docker/rollout";
import { describeState, describeTask, hasFailed, nodeNames } from "../docker/tasks";
import { Unwell, type Context, type Resource } from "../protocol/resource";
import { changedKeys, UNKNOWN, type Properties } from "../protocol/values";
import { connectPatiently } from "../ssh/pool";
import { messageOf, WaitTimeout, waitUntil, type Attempt } from "../wait";
import * as shape from "./inputs";

const TIMEOUT_SECONDS = 300;

const inputsSchema = z.strictObject({
  connection: shape.connection,
  services: z
    .array(z.strictObject({ name: shape.nonEmptyText, version: z.unknown().optional() }))
    .min(1, "must name at least one service"),
  url: shape
    .text("an http or https URL", (value) => /^https?:\/\//.test(value) && URL.canParse(value))
    .optional(),
  timeoutSeconds: shape.wholeNumber(1, 3600, " seconds").optional(),
  triggers: z.unknown().optional(),
});

/** See `Rollout` in `sdk`. */
export const Rollout: Resource = {
  check: (inputs) => shape.checkWith(inputsSchema, inputs),
  diff: (before, after) => ({ changed: changedKeys(before, after), replaces: [] }),
  preview: (inputs) => ({ ...inputs, tasks: UNKNOWN }),
  create: async (inputs, context) => {
    const id = randomBytes(8).toString("hex");
    return { id, state: await roll(id, inputs, context) };
  },
  update: (id, _state, _before, after, context) => roll(id, after, context),
  delete: () => Promise.resolve(),
};

/**
 * @throws {Unwell} when a service is: whatever is deployed next is looked at again, the version of before, which the state
 * would otherwise take as seen, included.
 */
async function roll(id: string, inputs: Properties, context: Context): Promise<Properties> {
  try {
    return { ...inputs, tasks: await awaitServices(inputs, context) };
  } catch (error) {
    context.signal.throwIfAborted();
    throw new Unwell(messageOf(error), { id, state: { ...inputs, tasks: 0 } });
  }
}

async function awaitServices(rawInputs: Properties, context: Context): Promise<number> {
  const inputs = inputsSchema.parse(rawInputs);
  const deadline = Date.now() + (inputs.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000;
  const engine = dockerEngine(await connectPatiently(inputs.connection, context, 60));
  const tasks = await Promise.all(
    inputs.services.map(({ name }) => awaitService(engine, name, deadline, context)),
  );
  if (inputs.url) await awaitUrl(inputs.url, deadline, context);
  return tasks.reduce((sum, count) => sum + count, 0);
}

/** @returns how many tasks run. @throws {Error} naming the service, its newest failing task and that one's last lines. */
async function awaitService(
  engine: Docker,
  name: string,
  deadline: number,
  context: Context,
): Promise<number> {
  const timeoutSeconds = secondsUntil(deadline);
  const clockOffset = (await systemTime(engine)) - Date.now();
  let ignored: ReadonlySet<string> | undefined;
  let progress: Progress | undefined;
  try {
    const ended = await waitUntil(
      { what: `service ${name}`, timeoutSeconds, context },
      async (): Promise<Attempt<Progress>> => {
        const seen = await lookAt(engine, name);
        if (!seen) {
          throw new Error(`service ${name} does not exist: the swarm has no service of that name`);
        }
        ignored ??= new Set(seen.tasks.filter(hasFailed).map(({ ID }) => ID));
        progress = judge(seen, ignored, Date.now() + clockOffset);
        return progress.kind === "waiting" ? { pending: progress.reason } : { done: progress };
      },
    );
    if (ended.kind === "healthy") return ended.tasks;
    progress = ended;
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
  }
  throw new Error(await describeFailure(engine, name, progress, timeoutSeconds));
}

async function describeFailure(
  engine: Docker,
  name: string,
  progress: Progress | undefined,
  timeoutSeconds: number,
): Promise<string> {
  if (!progress || progress.kind === "healthy") return `service ${name} has no task`;
  const why =
    progress.kind === "hopeless"
      ? progress.reason
      : `not rolled out within ${timeoutSeconds} s: ${progress.reason}`;
  const { task } = progress;
  if (!task) return `service ${name}: ${why}`;
  const nodeName = (await nodeNames(engine)).get(task.NodeID);
  const lines = await lastTaskLogLines(engine, task.ID);
  return [
    `service ${name}: ${describeTask(task, name, nodeName)} ${describeState(task)} (${why})`,
    ...lines,
  ].join("\n");
}

/** Waits until `url` answers this machine with less than 500: through Firewall, edge and app. */
async function awaitUrl(url: string, deadline: number, context: Context): Promise<void> {
  await waitUntil<true>(
    { what: `an answer from ${url}`, timeoutSeconds: secondsUntil(deadline), context },
    async (): Promise<Attempt<true>> => {
      try {
        const signal = AbortSignal.any([AbortSignal.timeout(5000), context.signal]);
        const { status } = await ask(url, { signal });
        return status < 500 ? { done: true } : { pending: `it answers ${status}` };
      } catch (error) {
        return { pending: messageOf(error) };
      }
    },
  );
}

/** The engine's clock, in milliseconds since 1970: tasks are timed by it, and this machine's may differ. */
async function systemTime(engine: Docker): Promise<number> {
  const { SystemTime } = z.object({ SystemTime: z.string() }).parse(await engine.info());
  return Date.parse(SystemTime);
}

function secondsUntil(deadline: number): number {
  return Math.max(1, Math.round((deadline - Date.now()) / 1000));
}
