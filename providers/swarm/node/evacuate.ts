import type { Context } from "../protocol/resource";
import type { Availability, Member, NodeTask, Service, SwarmEngine } from "../swarm/engine";
import { persist, Refusal } from "../swarm/failures";
import { MEMBER_LABELS, type Reach } from "../swarm/swarm";
import { messageOf, pause, WaitTimeout, type Attempt } from "../wait";
import { raise, raisedFor, restore, type Raised } from "./replicas";
import { changeMember } from "./role";
import { isOver, isPlaceless, isWell, lookAtServices, type Situation } from "./situation";

/** A rollout that is under way ends first, so that what it may roll back to stays what it was. */
const ROLLOUT_SECONDS = 120;
/** A job runs once: it is not cut off. */
const JOB_SECONDS = 600;
/** Images are pulled and health checks passed in that time. */
const ELSEWHERE_SECONDS = 300;
/** Swarm looks again for a place whenever something changes; what has none after this long will get none. */
const PLACE_SECONDS = 20;
/** Swarm kills a task after its stop grace period: the edge's is the longest, a minute. */
const STOP_SECONDS = 120;
const AGAIN_SECONDS = 60;

/** On a service: a command, as a JSON array, for each of its tasks on a node that leaves, and how long it takes to be noticed. */
const DRAIN_LABEL = "archipelago.drain";
const DRAIN_SECONDS_LABEL = "archipelago.drain-seconds";

/**
 * Empties a node without a service ever having fewer healthy tasks than it asks for, or had: swarm's own drain stops the old
 * tasks before it starts new ones (moby#34139). Each step is recorded in the swarm, so that whoever comes next goes on.
 *
 * @throws {Refusal} when the tasks have no place elsewhere, or do not get well there: the node then stays as it was.
 */
export async function evacuate(
  reach: Reach,
  { id, hostname: name }: Member,
  machine: SwarmEngine | undefined,
  context: Context,
): Promise<void> {
  const look = () => lookAtServices(reach, context);
  const enter = (step: string, availability: Availability) =>
    changeMember(reach, id, `${name} to ${step}`, context, (member) => ({
      availability,
      labels: { ...member.labels, [MEMBER_LABELS.leaving]: step },
    }));

  if (!(await isDrained(reach, id, context))) {
    await untilRolledOut(look, id, context);
    await enter("pause", "pause");
    await raise(reach, id, context);
    try {
      await untilElsewhere(look, id, name, context);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await stay(reach, id, name, context);
      throw error;
    }
    await untilJobsEnd(look, id, name, context);
    if (machine) await failHealth(machine, await look(), id, context);
    await enter("drain", "drain");
  }
  await untilEmpty(look, id, name, context);
  await untilFull(look, id, context);
  await restore(reach, id, context);
}

async function isDrained(reach: Reach, id: string, context: Context): Promise<boolean> {
  const members = await (await reach.manager(context)).members();
  const member = members.find((each) => each.id === id);
  return member?.labels[MEMBER_LABELS.leaving] === "drain" && member.availability === "drain";
}

/** Takes back what was begun. */
async function stay(reach: Reach, id: string, name: string, context: Context): Promise<void> {
  await restore(reach, id, context);
  await changeMember(reach, id, `${name} to stay`, context, ({ labels }) => {
    const { [MEMBER_LABELS.leaving]: _step, ...rest } = labels;
    return { availability: "active", labels: rest };
  });
}

type Look = () => Promise<Situation>;

async function untilRolledOut(look: Look, id: string, context: Context): Promise<void> {
  await goOnAfter(ROLLOUT_SECONDS, "rollouts to end", context, async () => {
    const { services, tasks } = await look();
    const updating = services.filter(
      (service) =>
        service.isUpdating && tasks.some((task) => isOf(service, task) && task.nodeId === id),
    );
    return updating.map(({ name }) => `${name} is rolled out`);
  });
}

/** Waits until each service that was raised has as many well tasks on other nodes as it had altogether. */
async function untilElsewhere(look: Look, id: string, name: string, context: Context) {
  let placelessSince: number | undefined;
  let reasons: string[] = [];
  try {
    await persist(
      `the tasks of ${name} to run elsewhere`,
      ELSEWHERE_SECONDS,
      context,
      async (): Promise<Attempt<true>> => {
        const situation = await look();
        const lacking = raisedFor(id, situation.services).filter(
          ({ service, needed }) => wellElsewhere(situation, service, id) < needed,
        );
        if (lacking.length === 0) return { done: true };
        reasons = lacking.map((raised) => describeLack(situation, raised, id));
        const hasNoPlace = lacking.some(({ service }) =>
          situation.tasks.some((task) => isOf(service, task) && isPlaceless(task)),
        );
        const now = context.clock.now();
        placelessSince = hasNoPlace ? (placelessSince ?? now) : undefined;
        if (placelessSince !== undefined && now - placelessSince >= PLACE_SECONDS * 1000) {
          throw new Refusal(reasons.join("; "));
        }
        return { pending: reasons.join("; ") };
      },
    );
  } catch (error) {
    if (!(error instanceof WaitTimeout || error instanceof Refusal)) throw error;
    throw new Refusal(
      `${name} cannot leave, and stays as it was: ${reasons.join("; ")}. Make room on other nodes, or mend the service, then run again`,
      { cause: error },
    );
  }
}

function describeLack(situation: Situation, { service, needed }: Raised, id: string): string {
  const well = wellElsewhere(situation, service, id);
  const why = situation.tasks.find(
    (task) => isOf(service, task) && task.nodeId !== id && task.error !== "",
  )?.error;
  return `${well} of ${needed} tasks of ${service.name} are well on other nodes${why ? ` (${why})` : ""}`;
}

function wellElsewhere({ tasks }: Situation, service: Service, id: string): number {
  return tasks.filter((task) => isOf(service, task) && task.nodeId !== id && isWell(task, service))
    .length;
}

async function untilJobsEnd(look: Look, id: string, name: string, context: Context): Promise<void> {
  await goOnAfter(JOB_SECONDS, `the jobs on ${name} to end`, context, async () => {
    const { services, tasks } = await look();
    const jobs = services.filter(
      (service) =>
        service.mode === "job" &&
        tasks.some((task) => isOf(service, task) && task.nodeId === id && !isOver(task)),
    );
    return jobs.map((job) => `${job.name} still runs`);
  });
}

/** Has the edge fail its health check while it still serves, and waits until whoever sends it visitors has noticed. */
async function failHealth(
  machine: SwarmEngine,
  { services, tasks }: Situation,
  id: string,
  context: Context,
): Promise<void> {
  let seconds = 0;
  for (const service of services) {
    const command = drainCommand(service, context);
    if (!command) continue;
    const here = tasks.filter(
      (task) => isOf(service, task) && task.nodeId === id && task.state === "running",
    );
    for (const { containerId } of here) {
      try {
        const exitCode = await machine.exec(containerId, command);
        if (exitCode !== 0) throw new Error(`${command[0]} ends with exit code ${exitCode}`);
        seconds = Math.max(seconds, Number(service.labels[DRAIN_SECONDS_LABEL] ?? 0) || 0);
      } catch (error) {
        context.log.warn(`${service.name} stops without its drain command: ${messageOf(error)}`);
      }
    }
  }
  if (seconds > 0) {
    context.log.status(`waiting ${seconds} s for visitors to be sent elsewhere`);
    await pause(seconds, context);
  }
}

function drainCommand({ name, labels }: Service, context: Context): string[] | undefined {
  const text = labels[DRAIN_LABEL];
  if (text === undefined) return undefined;
  try {
    const command: unknown = JSON.parse(text);
    if (Array.isArray(command) && command.length > 0) return command.map(String);
  } catch {
    // Told below, as other faults are.
  }
  context.log.warn(
    `label ${DRAIN_LABEL} of service ${name} must be a JSON array of a command, got ${text}`,
  );
  return undefined;
}

async function untilEmpty(look: Look, id: string, name: string, context: Context): Promise<void> {
  await goOnAfter(STOP_SECONDS, `the last tasks on ${name} to stop`, context, async () => {
    const { services, tasks } = await look();
    const left = tasks.filter((task) => task.nodeId === id && !isOver(task));
    return left.map(
      ({ serviceId }) => services.find(({ id: of }) => of === serviceId)?.name ?? "a task",
    );
  });
}

/**
 * Waits until the tasks that swarm has moved run as well: it may choose any of the tasks when the replicas go down
 * again, also one that serves while another still starts. Those that have no place are chosen first.
 */
async function untilFull(look: Look, id: string, context: Context): Promise<void> {
  await goOnAfter(AGAIN_SECONDS, "moved tasks to run", context, async () => {
    const situation = await look();
    return raisedFor(id, situation.services).flatMap(({ service }) => {
      const wanted = situation.tasks.filter((task) => isOf(service, task) && task.isWanted);
      const starting = wanted.filter((task) => !isWell(task, service) && !isPlaceless(task));
      return starting.length > 0 ? [`${starting.length} of ${service.name} still start`] : [];
    });
  });
}

/** Waits until nothing is left to wait for; after `seconds` goes on all the same, and says so. */
async function goOnAfter(
  seconds: number,
  what: string,
  context: Context,
  left: () => Promise<string[]>,
): Promise<void> {
  try {
    await persist(what, seconds, context, async (): Promise<Attempt<true>> => {
      const reasons = await left();
      return reasons.length === 0 ? { done: true } : { pending: reasons.join(", ") };
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    context.log.warn(`${error.message}; it is not waited for any longer`);
  }
}

function isOf(service: Service, task: NodeTask): boolean {
  return task.serviceId === service.id;
}
