import type Docker from "dockerode";
import { statusCodeOf } from "../docker/engine";
import type { Context } from "../protocol/resource";
import type { Connection } from "../ssh/pool";
import { messageOf, waitUntil, type Attempt } from "../wait";
import { evacuate } from "./evacuate";
import { inspectNode, livingManager, swarmInfoOf } from "./membership";

/**
 * Takes the engine out of its swarm. The last node takes the swarm, and every service in it, with it.
 *
 * Its tasks run elsewhere first (see `evacuate`). A manager that is not the last is demoted, so that the quorum shrinks
 * with it.
 */
export async function leaveSwarm(
  engine: Docker,
  nodeId: string,
  peers: readonly Connection[],
  context: Context,
): Promise<void> {
  const info = await swarmInfoOf(engine);
  if (info.LocalNodeState === "inactive" || info.LocalNodeState === "") {
    // A run before this one may have been killed between leaving and being forgotten.
    if (peers.length > 0)
      await removeNode((await livingManager(peers, context)).engine, nodeId, context);
    return;
  }
  const alone = info.ControlAvailable && info.Managers === 1;
  if (alone && (info.Nodes ?? 1) > 1) {
    context.log.warn(
      `${context.name} is the last manager: the swarm of ${info.Nodes} nodes ends with it`,
    );
  }
  if (alone || info.LocalNodeState !== "active") {
    await engine.swarmLeave({ force: true });
    return;
  }
  if (peers.length === 0) {
    // The node that started the swarm goes last; members that died before it must not hold it back.
    context.log.warn(`${context.name} leaves by force: it knows no other manager of its swarm`);
    await engine.swarmLeave({ force: true });
    return;
  }
  const manager = await livingManager(peers, context);
  await evacuate(manager.engine, info.NodeID, context);
  if (info.ControlAvailable) await demote(manager.engine, engine, info.NodeID, context);
  await engine.swarmLeave({ force: false });
  await removeNode(manager.engine, info.NodeID, context);
}

/** Strikes a node that does not answer any more off the swarm's list; what stands against it is reported. */
export async function forgetDeadNode(
  nodeId: string,
  peers: readonly Connection[],
  context: Context,
): Promise<void> {
  if (peers.length === 0) return;
  try {
    const manager = await livingManager(peers, context);
    await setWorker(manager.engine, nodeId);
    await manager.engine.getNode(nodeId).remove({ force: true });
  } catch (error) {
    if (statusCodeOf(error) === 404) return;
    context.log.warn(`${context.name} stays in the swarm's list of nodes: ${messageOf(error)}`);
  }
}

async function setWorker(manager: Docker, nodeId: string): Promise<void> {
  const { Spec, Version } = await inspectNode(manager, nodeId);
  if (Spec.Role === "worker") return;
  await manager.getNode(nodeId).update({ ...Spec, Role: "worker", version: Version.Index });
}

async function demote(
  manager: Docker,
  engine: Docker,
  nodeId: string,
  context: Context,
): Promise<void> {
  await setWorker(manager, nodeId);
  await waitUntil(
    { what: `${context.name} to be a worker`, timeoutSeconds: 60, context },
    async (): Promise<Attempt<true>> =>
      (await swarmInfoOf(engine)).ControlAvailable
        ? { pending: "still a manager" }
        : { done: true },
  );
}

/** A manager takes some seconds to see that a node has left, and refuses to remove it before. */
async function removeNode(manager: Docker, nodeId: string, context: Context): Promise<void> {
  await waitUntil(
    { what: `the swarm to forget ${context.name}`, timeoutSeconds: 60, context },
    async (): Promise<Attempt<true>> => {
      try {
        await manager.getNode(nodeId).remove();
        return { done: true };
      } catch (error) {
        if (statusCodeOf(error) === 404) return { done: true };
        return { pending: messageOf(error) };
      }
    },
  );
}
