import { OverSsh } from "./over-ssh";
import { thisProcess } from "./owner";
import { Swarm, type SwarmIdentity } from "./swarm";

/** A swarm and the way to its nodes, as this process knows them. */
export interface LiveSwarm {
  readonly swarm: Swarm;
  readonly nodes: OverSsh;
}

const swarms = new Map<string, LiveSwarm>();

/**
 * The swarm of that identity: one for all resources of this process, so that they share connections and turns.
 *
 * @param isFormer it is what a resource that goes knew: its bastion may be gone, and another one have been met since.
 */
export function swarmOf(identity: SwarmIdentity, { isFormer = false } = {}): LiveSwarm {
  let live = swarms.get(identity.clusterId);
  if (!live) {
    const nodes = new OverSsh(identity);
    live = { nodes, swarm: new Swarm(identity.clusterId, thisProcess(), nodes) };
    swarms.set(identity.clusterId, live);
  }
  const { bastion } = live.nodes.identity;
  live.nodes.identity = isFormer && bastion ? { ...identity, bastion } : identity;
  return live;
}

/** Forgets every swarm, as a new process would. */
export function forgetSwarms(): void {
  swarms.clear();
}
