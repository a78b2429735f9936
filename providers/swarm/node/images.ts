import type { Context } from "../protocol/resource";
import { messageOf } from "../wait";
import type { SwarmEngine } from "../swarm/engine";
import type { Swarm } from "../swarm/swarm";

/** Docker looks nowhere but on the node itself for images of this name: they were built there. */
const ON_NODES_ONLY = "localhost/";

/**
 * Brings a machine the images that services of its swarm run by and that no registry has, from any node that has them: swarm would
 * give it tasks that it cannot start, and the node that it replaces would wait for them to be well. What no node has is left out.
 *
 * An image that cannot be brought is warned about: it may be built later.
 */
export async function bringImages(
  swarm: Swarm,
  name: string,
  machine: SwarmEngine,
  context: Context,
): Promise<void> {
  try {
    const manager = await swarm.reach.manager(context);
    const images = (await manager.services()).map(({ image }) => image);
    const builtOnNodes = new Set(images.filter((image) => image.startsWith(ON_NODES_ONLY)));
    for (const image of builtOnNodes) {
      if (await machine.hasImage(image)) continue;
      const source = await findImage(swarm, manager, image, context);
      if (!source) continue;
      context.log.status(`bringing ${image} to ${name}`);
      await machine.loadImage(await source.saveImage(image));
    }
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn(`${name} gets no images of other nodes: ${messageOf(error)}`);
  }
}

async function findImage(
  { reach }: Swarm,
  manager: SwarmEngine,
  image: string,
  context: Context,
): Promise<SwarmEngine | undefined> {
  for (const member of await manager.members()) {
    if (!member.isReady) continue;
    const node = await reach.machine(member, context);
    if (await node?.hasImage(image).catch(() => false)) return node;
  }
  return undefined;
}
