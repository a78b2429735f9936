import type Docker from "dockerode";
import { connectEngine, orMissing } from "./engine";
import { Host } from "./host";
import { checkInstance, INSTANCE_LABEL, ROLE_LABEL } from "./names";

/** Whether the engine has anything of an instance. */
export async function hasMachines(
  instance: string,
  docker: Docker = connectEngine(),
): Promise<boolean> {
  const filters = { label: [`${INSTANCE_LABEL}=${instance}`] };
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  return containers.length + networks.length + Volumes.length > 0;
}

/**
 * Removes every container, network, volume, packet rule, route and loop device of an instance, and nothing
 * else. Images stay. Fine when there is nothing.
 */
export async function resetMachines(
  instance: string,
  docker: Docker = connectEngine(),
): Promise<void> {
  checkInstance(instance);
  const filters = { label: [`${INSTANCE_LABEL}=${instance}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const helper = containers.find(({ Labels }) => Labels[ROLE_LABEL] === "helper");
  const others = containers.filter((container) => container !== helper);
  await Promise.all(others.map(({ Id }) => remove(docker, Id)));
  if (helper) {
    // Only now are the devices free: machines that mounted them are gone.
    const host = await Host.open(docker, instance, helper.Image);
    await host.freeLoops();
    await host.removeRules();
    await remove(docker, helper.Id);
  }
  for (const { Id } of await docker.listNetworks({ filters })) {
    await orMissing(docker.getNetwork(Id).remove());
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes) {
    await orMissing(docker.getVolume(Name).remove());
  }
}

async function remove(docker: Docker, id: string): Promise<void> {
  await orMissing(docker.getContainer(id).remove({ force: true, v: true }));
}
