/** The app's own services in a stack's swarm, and where it went. */
import type { Service, SwarmEngine } from "../../providers/swarm/swarm/engine";
import type { Outputs } from "../outputs";

/** On the services of a stack whose app was switched away: the name of the other stack. */
const WENT = "archipelago.switched-to";

/** Everything of the app that may write: its services, and what runs those with a schedule. */
async function servicesOf({ services }: Outputs, engine: SwarmEngine): Promise<Service[]> {
  return (await engine.services()).filter(
    ({ name, mode }) =>
      mode === "replicated" && (services[name] !== undefined || name === "scheduler"),
  );
}

/** @returns number of tasks by service; of those that a switch stopped, what the stack file says. */
export async function appServices(
  outputs: Outputs,
  engine: SwarmEngine,
): Promise<Readonly<Record<string, number>>> {
  const services = await servicesOf(outputs, engine);
  return Object.fromEntries(
    services.map(({ name, replicas }) => [
      name,
      replicas || (outputs.services[name]?.replicas ?? 1),
    ]),
  );
}

/** Writes down where the app went; undefined = it is here. */
export async function mark(
  engine: SwarmEngine,
  outputs: Outputs,
  went: string | undefined,
): Promise<void> {
  for (const service of await servicesOf(outputs, engine)) {
    const { [WENT]: before, ...others } = service.labels;
    if (before === went) continue;
    const labels = went === undefined ? others : { ...others, [WENT]: went };
    await engine.updateService(service, { labels, replicas: service.replicas });
  }
}

/** @returns undefined when the app is here. */
export async function wentTo(engine: SwarmEngine): Promise<string | undefined> {
  const services = await engine.services();
  return services.map(({ labels }) => labels[WENT]).find((stack) => stack !== undefined);
}
