import { swarmEngine } from "../docker/swarm-engine";
import { writeAuthorizedKeys } from "../node/authorized-keys";
import { ensureMember } from "../node/join";
import { leave } from "../node/leave";
import type { Machine } from "../node/machine";
import { settle, type Standing } from "../node/settle";
import { ensureVolume } from "../node/volume";
import type { Context } from "../protocol/resource";
import type { Connection } from "../ssh/pool";
import type { Member, SwarmEngine } from "../swarm/engine";
import { withLock, type Held } from "../swarm/lock";
import { swarmOf, type LiveSwarm } from "../swarm/process";
import { writeProof } from "../swarm/proof";
import { connectionOf, isNamed, type Swarm } from "../swarm/swarm";
import type { NodeInputs } from "./node-inputs";

/** A node once it is a member. */
export interface BroughtIn {
  readonly nodeId: string;
  readonly address: Connection;
  readonly managers: readonly Connection[];
}

/** What the state remembers of the node. */
export interface Remembered {
  readonly labels: Readonly<Record<string, string>>;
  readonly managers: readonly Connection[];
}

/**
 * Brings a node to what its inputs say. Each step looks first, so that a second run only finishes what the first began:
 * whatever machine stood under this name before leaves once the new one is in.
 *
 * @param reach waits for its machine.
 */
export async function bringIn(
  inputs: NodeInputs,
  remembered: Remembered,
  context: Context,
  reach: () => Promise<Machine>,
): Promise<BroughtIn> {
  const live = swarmOf({
    clusterId: inputs.cluster,
    clusterKey: inputs.clusterKey,
    tag: inputs.tag,
  });
  const { swarm, nodes } = live;
  nodes.remember(remembered.managers);
  swarm.joinsAhead += 1;
  if (inputs.role === "manager") swarm.managersAhead += 1;
  let isAhead = true;
  const isIn = () => {
    if (!isAhead) return;
    isAhead = false;
    swarm.joinsAhead -= 1;
    if (inputs.role === "manager") swarm.managersAhead -= 1;
  };
  try {
    const machine = await reach();
    await prepare(machine, inputs, context);
    if (inputs.role === "manager") nodes.remember([machine.address]);
    const standing = standingOf(inputs, remembered, machine.address);
    const nodeId = await withLock(swarm, `${inputs.name} joins`, context, (held) =>
      takePlace(live, swarmEngine(machine.docker), standing, held, isIn),
    );
    swarm.settled.set(nodeId, context.urn);
    return { nodeId, address: machine.address, managers: await managersOf(swarm, context) };
  } finally {
    isIn();
  }
}

/** Keys, Volume and proof of membership. */
async function prepare({ connection, address }: Machine, inputs: NodeInputs, context: Context) {
  const { authorizedKeys, volume, cluster, clusterKey } = inputs;
  if (authorizedKeys) {
    await writeAuthorizedKeys(connection, address.hostKey, authorizedKeys, context);
  }
  if (volume) await ensureVolume(connection, volume, context);
  await writeProof(connection, { clusterId: cluster, clusterKey }, address.hostKey);
}

function standingOf(inputs: NodeInputs, { labels }: Remembered, connection: Connection): Standing {
  return {
    name: inputs.name,
    dropletId: inputs.dropletId,
    role: inputs.role,
    privateIp: inputs.privateIp,
    connection,
    labels: inputs.labels ?? {},
    labelsBefore: labels,
    availability: inputs.availability ?? "active",
  };
}

/** Joins the machine, then makes the one that it replaces leave. */
async function takePlace(
  { swarm }: LiveSwarm,
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

async function managersOf({ reach }: Swarm, context: Context): Promise<Connection[]> {
  const members = await (await reach.manager(context)).members();
  return members
    .filter(({ role }) => role === "manager")
    .sort((a, b) => a.hostname.localeCompare(b.hostname))
    .flatMap((member) => connectionOf(member) ?? []);
}
