import { dockerEngine } from "../docker/engine";
import { swarmEngine } from "../docker/swarm-engine";
import { leaveAsNamed } from "../node/leave";
import { GONE_SECONDS } from "../node/machine";
import { releaseVolume } from "../node/volume";
import type { Context } from "../protocol/resource";
import { connectBastion } from "../ssh/bastion";
import type { SshConnection } from "../ssh/connection";
import { connectPatiently, disconnect, type Connection } from "../ssh/pool";
import { Refusal } from "../swarm/failures";
import { swarmOf, type LiveSwarm } from "../swarm/process";
import type { Swarm } from "../swarm/swarm";
import { messageOf, WaitTimeout } from "../wait";
import type { NodeState, StoredInputs } from "./node-inputs";

/** Managers are without a leader for some seconds when theirs has gone. */
const ELECTION_SECONDS = 30;

/** Takes a node out of its swarm for good; the last one ends the swarm. */
export async function takeOut(state: NodeState, inputs: StoredInputs, context: Context) {
  const { name, host, port = 22 } = inputs;
  const identity = {
    clusterId: inputs.cluster,
    clusterKey: inputs.clusterKey,
    tag: inputs.tag,
    bastion: inputs.bastion,
  };
  const live = swarmOf(identity, { isFormer: true });
  const { bastion } = live.nodes.identity;
  const address: Connection = { host, port, user: "root", hostKey: state.hostKey, bastion };
  const claimedBy = live.swarm.settled.get(state.nodeId);
  if (claimedBy !== undefined && claimedBy !== context.urn) {
    context.log.info(`${name} stays in the swarm: it is ${claimedBy.split("::").at(-1)} now`);
    return;
  }
  // Behind a bastion that is down every node would be taken as gone, and none of them is.
  if (bastion) await connectBastion(bastion, GONE_SECONDS);
  const connection = await answering(address, name, context);
  live.nodes.remember(state.managers);
  if (!(connection && (await endsSwarm(connection, state, inputs, live, context)))) {
    await leaveOthers(live.swarm, state.nodeId, name, connection !== undefined, context);
  }
  if (connection && inputs.volume) await releaseVolume(connection, inputs.volume, context);
  disconnect(address);
}

async function answering(
  address: Connection,
  name: string,
  context: Context,
): Promise<SshConnection | undefined> {
  try {
    return await connectPatiently(address, context, GONE_SECONDS);
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn(`${name} does not answer and is taken as gone: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * Ends the swarm when nobody else is in it.
 *
 * @returns whether there is nothing more to leave.
 * @throws {Refusal} when other nodes would be left without a manager.
 */
async function endsSwarm(
  connection: SshConnection,
  { nodeId }: NodeState,
  { name, cluster }: StoredInputs,
  { nodes }: LiveSwarm,
  context: Context,
): Promise<boolean> {
  const engine = swarmEngine(dockerEngine(connection));
  const info = await engine.info();
  // It left before, and may since have come into another swarm.
  if (info.state === "inactive") return !(await nodes.find(context).catch(() => undefined));
  if (info.nodeId !== nodeId) return false;
  if (!info.isManager || info.error) return false;
  const members = await engine.members();
  const others = members.filter(({ id }) => id !== nodeId);
  if (others.some(({ manager }) => manager)) return false;
  const ready = others.filter((member) => member.isReady);
  if (ready.length > 0) {
    throw new Refusal(
      `${name} cannot leave swarm ${cluster}: it is the last manager, and ${ready.length} other nodes are in it. ` +
        "Add a manager first, or destroy the whole stack",
    );
  }
  await engine.leave({ force: true });
  return true;
}

async function leaveOthers(
  swarm: Swarm,
  nodeId: string,
  name: string,
  answers: boolean,
  context: Context,
): Promise<void> {
  try {
    const patienceSeconds = answers ? ELECTION_SECONDS : GONE_SECONDS;
    await leaveAsNamed(swarm, name, nodeId, patienceSeconds, context);
  } catch (error) {
    context.signal.throwIfAborted();
    // With the machine gone, and the managers too, there is nothing to take it out of.
    if (answers || !(error instanceof WaitTimeout)) throw error;
    context.log.warn(`${name} is not struck off its swarm's list: ${messageOf(error)}`);
  }
}
