import type { Context } from "../protocol/resource";
import type { Member, SwarmEngine } from "../swarm/engine";
import type { Held } from "../swarm/lock";
import { isNamed, type Swarm } from "../swarm/swarm";
import { ensureMember } from "./join";
import { leave } from "./leave";
import { settle, type Standing } from "./settle";

/**
 * Joins the machine, then makes whatever else stands under its name leave. To be called under the lock.
 *
 * @param isIn told as soon as it is a member: other nodes need not wait for what follows.
 * @returns its swarm node ID.
 * @throws {Refusal} when it is in another swarm, or when the quorum or the tasks do not allow it.
 */
export async function takePlace(
  swarm: Swarm,
  machine: SwarmEngine,
  standing: Standing,
  held: Held,
  isIn: () => void,
): Promise<string> {
  const { context } = held;
  const { nodeId: already } = await machine.info();
  for (const other of await namesakes(swarm, standing.name, already, context)) {
    // A dead manager counts against the quorum, so that it goes before another one comes.
    if (!other.isReady && !(await swarm.reach.machine(other, context))) {
      await leave(swarm.reach, other, context);
    }
  }
  const nodeId = await ensureMember(swarm, machine, standing, held);
  await settle(swarm.reach, nodeId, standing, context);
  isIn();
  await rotateAfterLast(swarm, held);
  for (const other of await namesakes(swarm, standing.name, nodeId, context)) {
    await leave(swarm.reach, other, context);
  }
  return nodeId;
}

async function namesakes(
  { reach }: Swarm,
  name: string,
  nodeId: string,
  context: Context,
): Promise<Member[]> {
  const members = await (await reach.manager(context)).members();
  return members.filter((member) => isNamed(name, member) && member.id !== nodeId);
}

/** Tokens that were read are worth nothing once all nodes of this run are in. */
async function rotateAfterLast(swarm: Swarm, held: Held): Promise<void> {
  if (!swarm.tokensRead || swarm.joinsAhead > 0) return;
  await (await swarm.reach.manager(held.context)).rotateJoinTokens();
  swarm.tokensRead = false;
  await held.setTokensRead(false);
}
