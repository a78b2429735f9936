/** Services of a stack that stop for a moment, as swarm has them. */
import { setTimeout as delay } from "node:timers/promises";
import type { SwarmEngine } from "../../../providers/swarm/swarm/engine";
import { Fault } from "../../../local/fault";

const STOP_TIMEOUT_SECONDS = 120;
const START_TIMEOUT_SECONDS = 120;

/**
 * Does something while no task of these services runs, and starts them again, whatever came of it.
 *
 * @param replicas of each service, as the stack has it. Killed in the middle, `up` or another call brings the tasks back.
 */
export async function whileStopped<T>(
  engine: SwarmEngine,
  replicas: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await stopServices(engine, Object.keys(replicas));
    return await work();
  } finally {
    await startServices(engine, replicas);
  }
}

/** @throws {Fault} when a service is not there, or does not stop in time. */
export async function stopServices(engine: SwarmEngine, names: readonly string[]): Promise<void> {
  for (const name of names) await scale(engine, name, 0);
  await Promise.all(names.map((name) => hasStopped(engine, name)));
}

/** @param replicas of each service. */
export async function startServices(
  engine: SwarmEngine,
  replicas: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [name, count] of Object.entries(replicas)) await scale(engine, name, count);
}

/**
 * Waits until services that were started have all their tasks running, which those with a health check are once they are well.
 *
 * @param replicas of each service.
 * @throws {Fault} naming those that do not run in time.
 */
export async function haveStarted(
  engine: SwarmEngine,
  replicas: Readonly<Record<string, number>>,
  timeoutSeconds = START_TIMEOUT_SECONDS,
): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const [services, tasks] = await Promise.all([engine.services(), engine.tasks()]);
    const late = Object.entries(replicas).filter(([name, count]) => {
      const id = services.find((one) => one.name === name)?.id;
      const running = tasks.filter((one) => one.serviceId === id && one.state === "running");
      return running.length < count;
    });
    if (late.length === 0) return;
    if (Date.now() > deadline) {
      const names = late.map(([name]) => name).join(", ");
      throw new Fault(`Started again, and not running after ${timeoutSeconds} s: ${names}.`);
    }
    await delay(500);
  }
}

async function serviceOf(engine: SwarmEngine, name: string) {
  const service = (await engine.services()).find((one) => one.name === name);
  if (service) return service;
  throw new Fault(`The stack has no service ${name}: run up.`);
}

async function scale(engine: SwarmEngine, name: string, replicas: number): Promise<void> {
  const service = await serviceOf(engine, name);
  if (service.replicas === replicas) return;
  await engine.updateService(service, { labels: service.labels, replicas });
}

const ENDED = ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"];

async function hasStopped(engine: SwarmEngine, name: string): Promise<void> {
  const { id } = await serviceOf(engine, name);
  const deadline = Date.now() + STOP_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const left = (await engine.tasks()).filter(
      ({ serviceId, state }) => serviceId === id && !ENDED.includes(state),
    );
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new Fault(`${name} did not stop within ${STOP_TIMEOUT_SECONDS} s.`);
    }
    await delay(500);
  }
}
