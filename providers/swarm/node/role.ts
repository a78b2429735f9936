import type { Context } from "../protocol/resource";
import { WaitTimeout, type Attempt } from "../wait";
import type { Member, MemberChange } from "../swarm/engine";
import { persist, Refusal } from "../swarm/failures";
import { quorumOf, reasonAgainstAdding, reasonAgainstRemoving } from "../swarm/quorum";
import type { Reach } from "../swarm/swarm";

/** A manager that is restarting is back by then. */
const QUORUM_SECONDS = 30;
/** The others have missed a dead manager by then. */
const MISSED_SECONDS = 30;

/** The member as the managers see it now; `undefined` when they do not know it. */
export async function lookAtMember(
  reach: Reach,
  nodeId: string,
  context: Context,
): Promise<Member | undefined> {
  const members = await (await reach.manager(context)).members();
  return members.find(({ id }) => id === nodeId);
}

/**
 * Changes a member's entry: `change` says how, from what it is now; an empty change is none.
 *
 * @returns whether there is such a member.
 */
export function changeMember(
  reach: Reach,
  nodeId: string,
  what: string,
  context: Context,
  change: (member: Member) => MemberChange,
): Promise<boolean> {
  return persist(what, 60, context, async (): Promise<Attempt<boolean>> => {
    const manager = await reach.manager(context);
    const member = (await manager.members()).find(({ id }) => id === nodeId);
    if (!member) return { done: false };
    const wanted = change(member);
    if (Object.keys(wanted).length > 0) await manager.updateMember(member, wanted);
    return { done: true };
  });
}

/** Waits a little for a quorum that can bear one more manager. @throws {Refusal} when there is none. */
export function awaitRoomForManager(reach: Reach, name: string, context: Context): Promise<void> {
  return allowed(reach, `${name} cannot become a manager`, undefined, context, (members) =>
    reasonAgainstAdding(quorumOf(members)),
  );
}

/** Makes a worker a manager. */
export async function promote(reach: Reach, nodeId: string, name: string, context: Context) {
  const before = await lookAtMember(reach, nodeId, context);
  if (before?.role !== "manager") await awaitRoomForManager(reach, name, context);
  await changeMember(reach, nodeId, `${name} to be promoted`, context, ({ role }) =>
    role === "manager" ? {} : { role: "manager" },
  );
  await persist(`${name} to be a manager`, 60, context, async (): Promise<Attempt<true>> => {
    const member = await lookAtMember(reach, nodeId, context);
    return member?.manager?.isReachable ? { done: true } : { pending: "no part of the quorum yet" };
  });
}

/**
 * Makes a manager a worker, once the other managers can do without it.
 *
 * @throws {Refusal} when they cannot.
 */
export async function demote(reach: Reach, nodeId: string, name: string, context: Context) {
  const member = await lookAtMember(reach, nodeId, context);
  if (!member || (member.role === "worker" && !member.manager)) return;
  if (member.role === "manager") await mayLeave(reach, member, context);
  await becomeWorker(reach, nodeId, name, context);
}

/**
 * Waits a little for the other managers to be able to do without this one.
 *
 * @throws {Refusal} when they are not.
 */
export async function mayLeave(
  reach: Reach,
  { id, hostname: name }: Member,
  context: Context,
): Promise<void> {
  await missDeadManagers(reach, id, context);
  await allowed(reach, `${name} cannot stop being a manager`, id, context, (members) => {
    const { manager } = members.find((member) => member.id === id) ?? {};
    return manager && reasonAgainstRemoving(quorumOf(members), manager.isReachable);
  });
}

/**
 * Waits until the managers have missed those among them that do not answer: for some seconds they count on one that just
 * died. One that they still hear of after that lives, though it does not answer here.
 *
 * @param except the one that is to leave.
 */
async function missDeadManagers(reach: Reach, except: string, context: Context): Promise<void> {
  const silentOnes = async () => {
    const members = await (await reach.manager(context)).members();
    const counted = members.filter(({ id, manager }) => id !== except && manager?.isReachable);
    const answers = await Promise.all(counted.map((member) => reach.machine(member, context)));
    return counted.filter((_, index) => !answers[index]).map(({ hostname }) => hostname);
  };
  try {
    await persist(
      "the other managers to answer",
      MISSED_SECONDS,
      context,
      async (): Promise<Attempt<true>> => {
        const silent = await silentOnes();
        return silent.length === 0
          ? { done: true }
          : { pending: `no answer of ${silent.join(", ")}` };
      },
    );
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
  }
}

/**
 * Waits a little for a step that the quorum bears. Other managers that are dead by then are made workers first: they
 * would stand in the way of whoever is to take their place.
 *
 * @param nodeId of the one that the step is about.
 */
async function allowed(
  reach: Reach,
  what: string,
  nodeId: string | undefined,
  context: Context,
  reasonAgainst: (members: readonly Member[]) => string | undefined,
): Promise<void> {
  for (;;) {
    let reason: string | undefined;
    try {
      await persist("a safe quorum", QUORUM_SECONDS, context, async (): Promise<Attempt<true>> => {
        const members = await (await reach.manager(context)).members();
        reason = reasonAgainst(members);
        return reason === undefined ? { done: true } : { pending: reason };
      });
      return;
    } catch (error) {
      if (!(error instanceof WaitTimeout) || reason === undefined) throw error;
      if (await dropDeadManager(reach, nodeId, context)) continue;
      throw new Refusal(`${what}: ${reason}`, { cause: error });
    }
  }
}

/** @returns whether there was one that could be dropped. */
async function dropDeadManager(
  reach: Reach,
  except: string | undefined,
  context: Context,
): Promise<boolean> {
  const members = await (await reach.manager(context)).members();
  if (reasonAgainstRemoving(quorumOf(members), false) !== undefined) return false;
  for (const member of members) {
    const { id, hostname: name, isReady, manager } = member;
    if (id === except || isReady || !manager || manager.isReachable) continue;
    if (await reach.machine(member, context)) continue;
    context.log.warn(
      `${name} is down and does not answer: it stops being a manager, so that the others can change. ` +
        "Should it come back, the next up with --refresh makes it one again",
    );
    await becomeWorker(reach, id, name, context);
    return true;
  }
  return false;
}

async function becomeWorker(reach: Reach, nodeId: string, name: string, context: Context) {
  await changeMember(reach, nodeId, `${name} to be demoted`, context, ({ role }) =>
    role === "worker" ? {} : { role: "worker" },
  );
  await persist(`${name} to be a worker`, 60, context, async (): Promise<Attempt<true>> => {
    const seen = await lookAtMember(reach, nodeId, context);
    return seen?.manager ? { pending: "still part of the quorum" } : { done: true };
  });
}
