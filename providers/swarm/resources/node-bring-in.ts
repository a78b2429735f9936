import { swarmEngine } from "../docker/swarm-engine";
import { writeAuthorizedKeys } from "../node/authorized-keys";
import { bringImages } from "../node/images";
import type { Machine } from "../node/machine";
import type { Standing } from "../node/settle";
import { takePlace } from "../node/take-place";
import { ensureVolume } from "../node/volume";
import type { Context } from "../protocol/resource";
import type { Connection } from "../ssh/pool";
import { withLock } from "../swarm/lock";
import { swarmOf } from "../swarm/process";
import { writeProof } from "../swarm/proof";
import { connectionOf, type Swarm } from "../swarm/swarm";
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
  const { swarm, nodes } = swarmOf({
    clusterId: inputs.cluster,
    clusterKey: inputs.clusterKey,
    tag: inputs.tag,
    bastion: inputs.bastion,
  });
  nodes.remember(remembered.managers);
  swarm.joinsAhead += 1;
  let isAhead = true;
  const isIn = () => {
    if (!isAhead) return;
    isAhead = false;
    swarm.joinsAhead -= 1;
  };
  try {
    const machine = await reach();
    await prepare(machine, inputs, context);
    if (inputs.role === "manager") nodes.remember([machine.address]);
    const engine = swarmEngine(machine.docker);
    await bringImages(swarm, inputs.name, engine, context);
    const standing = standingOf(inputs, remembered, machine.address);
    const nodeId = await withLock(swarm, `${inputs.name} joins`, context, (held) =>
      takePlace(swarm, engine, standing, held, isIn),
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

async function managersOf({ reach }: Swarm, context: Context): Promise<Connection[]> {
  const members = await (await reach.manager(context)).members();
  return members
    .filter(({ role }) => role === "manager")
    .sort((a, b) => a.hostname.localeCompare(b.hostname))
    .flatMap((member) => connectionOf(member) ?? []);
}
