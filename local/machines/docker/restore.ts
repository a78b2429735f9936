import type { World } from "../machines";
import type { Droplets } from "./droplets";
import { engineMessage } from "./engine";
import type { Ground } from "./ground";

/**
 * Makes machines match a world after a restart.
 *
 * @throws {Error} naming everything that could not be brought back, after the rest was.
 */
export async function restoreWorld(
  ground: Ground,
  world: World,
  createVpc: (vpc: World["vpcs"][number]) => Promise<void>,
): Promise<void> {
  const { network, droplets, volumes, loadBalancers, databases, registry, spaces } = ground;
  const problems: string[] = [];
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    await action().catch((error: unknown) => problems.push(`${what}: ${engineMessage(error)}`));
  };
  for (const vpc of world.vpcs) await attempt(`VPC ${vpc.name}`, () => createVpc(vpc));
  await network.apply(world.network);
  const deviceless = new Set<number>();
  for (const { dropletId, ...volume } of world.volumes) {
    if (dropletId === undefined) continue;
    await attempt(`Volume ${volume.name}`, async () => {
      if (await volumes.recall(volume, dropletId)) deviceless.add(dropletId);
    });
  }
  await Promise.all([
    ...world.droplets.map((droplet) =>
      attempt(`Droplet ${droplet.name}`, async () => {
        if ((await droplets.power(droplet.id)) === "missing") {
          throw new Error("its container is gone");
        }
        await volumes.publish(droplet.id);
        await restorePower(droplets, droplet, deviceless.has(droplet.id));
      }),
    ),
    ...(world.loadBalancers ?? []).map((balancer) =>
      attempt(`Load Balancer ${balancer.name}`, () => loadBalancers.apply(balancer)),
    ),
    ...(world.databases ?? []).map((database) =>
      attempt(`database ${database.name}`, () => databases.restore(database)),
    ),
    attempt("container registry", () => registry.restore(world.registry)),
    attempt("Spaces", () => spaces.restore(world.spaces)),
  ]);
  // Bridges of containers that have just started obey the rules as well.
  await network.apply(world.network);
  if (problems.length > 0) throw new Error(problems.join("; "));
}

async function restorePower(
  droplets: Droplets,
  { id, power: wanted }: World["droplets"][number],
  deviceless: boolean,
): Promise<void> {
  const power = await droplets.power(id);
  if (wanted === "off") {
    if (power === "running") await droplets.kill(id);
  } else if (power === "off") {
    await droplets.start(id);
  } else if (deviceless) {
    // It booted without the Volume's device (the host was restarted): once more, with it.
    await droplets.reboot(id);
  }
}
