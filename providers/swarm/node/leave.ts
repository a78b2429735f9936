import type { Context } from "../protocol/resource";
import { WaitTimeout, type Attempt } from "../wait";
import type { Member } from "../swarm/engine";
import { isMissing, persist } from "../swarm/failures";
import { withLock } from "../swarm/lock";
import { isNamed, without, type Reach, type Swarm } from "../swarm/swarm";
import { evacuate } from "./evacuate";
import { restore } from "./replicas";
import { demote, lookAtMember, mayLeave } from "./role";

/** Swarm misses a node after three heartbeats of 5 s. */
const DOWN_SECONDS = 30;

/**
 * Takes a member out of its swarm, which goes on. To be called under the lock; a member that is gone is no error.
 *
 * @throws {Refusal} when the managers that stay would have no quorum.
 */
export async function leave(
  swarm: Reach,
  { id, hostname: name }: Member,
  context: Context,
): Promise<void> {
  const reach = without(swarm, id);
  const member = await lookAtMember(reach, id, context);
  if (!member) return restore(reach, id, context);
  const machine = await reach.machine(member, context);
  await mayLeave(reach, member, context);
  if (machine || (await hears(reach, member, context))) {
    await evacuate(reach, member, machine, context);
  } else {
    await restore(reach, id, context);
  }
  await demote(reach, id, name, context);
  if (machine) {
    const { state } = await machine.info();
    if (state !== "inactive") await machine.leave({ force: false });
  }
  await strikeOff(reach, id, name, context);
}

/**
 * Takes out whatever stands under a name, one after the other, each under the lock.
 *
 * @param nodeId of the one that the state knows: it is not asked about the swarm that it leaves.
 * @param patienceSeconds for another manager to answer.
 * @throws {WaitTimeout} when no other manager answers.
 */
export async function leaveAsNamed(
  swarm: Swarm,
  name: string,
  nodeId: string,
  patienceSeconds: number,
  context: Context,
): Promise<void> {
  const members = await persist("another manager", patienceSeconds, context, async () => ({
    done: await (await swarm.reach.manager(context, nodeId)).members(),
  }));
  for (const member of members.filter((each) => isNamed(name, each))) {
    await withLock(swarm, `${name} leaves`, context, (held) =>
      leave(swarm.reach, member, held.context),
    );
  }
}

/** Whether the managers still hear of a member that does not answer here. Says so, either way. */
async function hears(reach: Reach, { id, hostname: name }: Member, context: Context) {
  try {
    await persist(
      `an answer of ${name}`,
      DOWN_SECONDS,
      context,
      async (): Promise<Attempt<true>> => {
        const member = await lookAtMember(reach, id, context);
        return member?.isReady ? { pending: "the swarm still hears of it" } : { done: true };
      },
    );
    context.log.warn(`${name} is down and does not answer: it is taken out of the swarm as dead`);
    return false;
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    context.log.warn(
      `${name} does not answer here, though its swarm hears of it: it is taken out by the others alone`,
    );
    return true;
  }
}

/** The node has left or is dead, so that it need not be seen to be down. */
async function strikeOff(reach: Reach, id: string, name: string, context: Context): Promise<void> {
  await persist(`the swarm to forget ${name}`, 60, context, async (): Promise<Attempt<true>> => {
    try {
      await (await reach.manager(context)).removeMember(id, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return { done: true };
  });
}
