import type { Context } from "../protocol/resource";
import type { Connection } from "../ssh/pool";
import { waitUntil, type Attempt } from "../wait";
import {
  CLUSTER_PORT,
  type Member,
  type Role,
  type SwarmEngine,
  type SwarmInfo,
} from "../swarm/engine";
import { persist, Refusal } from "../swarm/failures";
import type { Held } from "../swarm/lock";
import { CLUSTER_LABEL, MEMBER_LABELS, type Swarm } from "../swarm/swarm";
import { awaitRoomForManager } from "./role";

/** What a node is to be in its swarm. */
export interface MemberSpec {
  readonly name: string;
  readonly dropletId: string;
  readonly role: Role;
  readonly privateIp: string;
  readonly connection: Connection;
}

/**
 * Makes the machine a member; a member stays as it is. To be called under the lock.
 *
 * @returns its swarm node ID.
 * @throws {Refusal} when it is in another swarm, or when one more manager would endanger the quorum.
 */
export async function ensureMember(
  swarm: Swarm,
  machine: SwarmEngine,
  spec: MemberSpec,
  { context, ...held }: Held,
): Promise<string> {
  const info = await presentState(swarm, machine, spec, context);
  if (info.state === "inactive") await join(swarm, machine, spec, { context, ...held });
  const { nodeId } = await waitUntilActive(machine, spec.name, context);
  await persist(
    `${spec.name} to be ready in the swarm`,
    120,
    context,
    async (): Promise<Attempt<true>> => {
      const members = await (await swarm.reach.manager(context)).members();
      const member = members.find(({ id }) => id === nodeId);
      if (!member) return { pending: "the managers have not heard of it" };
      return member.isReady ? { done: true } : { pending: member.state };
    },
  );
  return nodeId;
}

/** The machine's membership once it is either well or none: what an attempt cut off left behind is cleared. */
async function presentState(
  swarm: Swarm,
  machine: SwarmEngine,
  { name }: MemberSpec,
  context: Context,
): Promise<SwarmInfo> {
  const info = await settledInfo(machine, name, context);
  if (info.state === "inactive") return info;
  if (info.state === "locked") {
    throw new Refusal(
      `the swarm on ${name} is locked: unlock it with "docker swarm unlock" on the node, then run again`,
    );
  }
  if (info.state === "active" || info.state === "pending") {
    // Throws without a quorum, which this machine may be the missing part of.
    const members = await (await swarm.reach.manager(context)).members();
    if (members.some(({ id }) => id === info.nodeId)) return info;
    if (info.state === "active") await refuseForeignSwarm(swarm, machine, info, members, name);
  }
  context.log.info(
    `${name} is no member any more, though it thinks so${info.error && ` (${info.error})`}: it joins anew`,
  );
  await machine.leave({ force: true });
  return machine.info();
}

/** `pending` is passed through while a node starts, and stayed in when its managers have forgotten it. */
async function settledInfo(
  machine: SwarmEngine,
  name: string,
  context: Context,
): Promise<SwarmInfo> {
  const deadline = context.clock.now() + 20_000;
  return waitUntil(
    { what: `the swarm on ${name}`, timeoutSeconds: 40, context },
    async (): Promise<Attempt<SwarmInfo>> => {
      const info = await machine.info();
      return info.state === "pending" && context.clock.now() < deadline
        ? { pending: info.error || "starting" }
        : { done: info };
    },
  );
}

async function refuseForeignSwarm(
  { clusterId }: Swarm,
  machine: SwarmEngine,
  info: SwarmInfo,
  members: readonly Member[],
  name: string,
): Promise<void> {
  const ours = new Set(members.map(({ address }) => address));
  const owner = info.isManager && !info.error ? (await machine.swarmLabels())[CLUSTER_LABEL] : "?";
  const isOurs =
    owner === clusterId ||
    info.remoteManagers.some((address) => ours.has(address.replace(/:\d+$/, "")));
  if (isOurs) return;
  const whose =
    owner === "?"
      ? "another swarm"
      : `the swarm of cluster ${owner ?? "(not made by Archipelago)"}`;
  throw new Refusal(
    `${name} is already in ${whose}, not in ${clusterId}: ` +
      'replace the Droplet, or run "docker swarm leave --force" on it if nothing there is needed',
  );
}

async function join(
  swarm: Swarm,
  machine: SwarmEngine,
  spec: MemberSpec,
  held: Held,
): Promise<void> {
  const { context } = held;
  if (spec.role === "manager") await awaitRoomForManager(swarm.reach, spec.name, context);
  // Whoever read tokens before this process did may have been killed before it could rotate them.
  if (held.tokensRead && !swarm.tokensRead)
    await (await swarm.reach.manager(context)).rotateJoinTokens();
  await held.setTokensRead(true);
  swarm.tokensRead = true;
  await persist(`${spec.name} to join`, 120, context, async (): Promise<Attempt<true>> => {
    const { state, nodeId } = await machine.info();
    if (state === "active") return { done: true };
    const manager = await swarm.reach.manager(context);
    const members = await manager.members();
    // Docker stops waiting after 20 s and goes on. A second manager may count by then: torn out, it would take the quorum along.
    if (state === "pending" && members.some(({ id }) => id === nodeId))
      return { pending: "Docker goes on with it in the background" };
    // What an attempt before this one left behind.
    if (state !== "inactive") await machine.leave({ force: true });
    await machine.join({
      privateIp: spec.privateIp,
      managers: members
        .filter((member) => member.manager?.isReachable)
        .map(({ address }) => `${address}:${CLUSTER_PORT}`),
      // Read now and kept nowhere.
      token: await manager.joinToken(spec.role),
    });
    return { done: true };
  });
}

/** Whether the node still is what swarm calls an active member, bounded: a restarted manager needs some seconds. */
export async function waitUntilActive(
  machine: SwarmEngine,
  name: string,
  context: Context,
): Promise<SwarmInfo> {
  return waitUntil(
    { what: `swarm membership of ${name}`, timeoutSeconds: 120, context },
    async (): Promise<Attempt<SwarmInfo>> => {
      const info = await machine.info();
      return info.state === "active" && info.nodeId !== ""
        ? { done: info }
        : { pending: `${info.state} ${info.error}`.trim() };
    },
  );
}

/** The labels by which a member is found and recognised again. */
export function identifyingLabels({
  name,
  dropletId,
  connection,
}: MemberSpec): Record<string, string> {
  return {
    [MEMBER_LABELS.name]: name,
    [MEMBER_LABELS.droplet]: dropletId,
    [MEMBER_LABELS.ssh]: `${connection.host}:${connection.port ?? 22}`,
    [MEMBER_LABELS.hostKey]: connection.hostKey,
  };
}
