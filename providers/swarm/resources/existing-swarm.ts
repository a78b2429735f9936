import { dockerEngine } from "../docker/engine";
import { swarmEngine } from "../docker/swarm-engine";
import type { Context } from "../protocol/resource";
import { formatPublicKey } from "../ssh/host-keys";
import type { Connection } from "../ssh/pool";
import { dropletWithId, taggedDroplets } from "../swarm/droplets";
import type { Member, SwarmEngine } from "../swarm/engine";
import { CLUSTER_LABEL, MEMBER_LABELS } from "../swarm/swarm";
import { connectTo, type ImportId } from "./import-id";

/** A swarm that Archipelago started, as one of its managers tells of it. */
export interface ExistingSwarm {
  readonly clusterId: string;
  readonly engine: SwarmEngine;
  readonly members: readonly Member[];
  /** The manager that was asked. */
  readonly asked: Member;
  readonly connection: Connection;
  /** The tag by which its Droplets are found. */
  readonly tag: string;
}

/**
 * Asks the manager for its swarm while `work` goes on; nothing is changed.
 *
 * @throws {Error} when it cannot be asked, is in no swarm, is a worker, or its swarm is not one of Archipelago's.
 */
export async function withExistingSwarm<T>(
  id: ImportId,
  context: Context,
  work: (swarm: ExistingSwarm) => Promise<T>,
): Promise<T> {
  const { connection, presented } = await connectTo(id);
  try {
    const engine = swarmEngine(dockerEngine(connection));
    const { host, port } = id;
    const nodeId = await managerId(engine, host);
    const clusterId = (await engine.swarmLabels())[CLUSTER_LABEL];
    if (clusterId === undefined) {
      throw new Error(
        `the swarm on ${host} was not started by Archipelago (it has no label ${CLUSTER_LABEL}), and cannot be imported`,
      );
    }
    const members = await engine.members();
    const asked = members.find((member) => member.id === nodeId);
    if (!asked) throw new Error(`${host} is not in the list of its own swarm: try another manager`);
    const address: Connection = { host, port, user: "root", hostKey: formatPublicKey(presented) };
    const tag = await commonTag(members, asked, context);
    return await work({ clusterId, engine, members, asked, connection: address, tag });
  } finally {
    connection.close();
  }
}

/** @throws {Error} when it is none, or one that has nothing to say. */
async function managerId(engine: SwarmEngine, host: string): Promise<string> {
  const { state, nodeId, isManager, error, remoteManagers } = await engine.info();
  if (state !== "active") throw new Error(`${host} is not a member of a swarm: it is ${state}`);
  if (!isManager) {
    const managers = remoteManagers.map((address) => address.replace(/:\d+$/, ""));
    throw new Error(
      `${host} is a worker: import by way of a manager, one of those with the private addresses ${managers.join(", ")}`,
    );
  }
  if (error) throw new Error(`the swarm on ${host} is not well: ${error}`);
  return nodeId;
}

/**
 * The tag that all Droplets of the swarm carry and as few others as there are.
 *
 * @throws {Error} when there is none, or DigitalOcean does not say.
 */
async function commonTag(
  members: readonly Member[],
  asked: Member,
  { signal }: Context,
): Promise<string> {
  const wanted = members.flatMap((member) => member.labels[MEMBER_LABELS.droplet] ?? []);
  const { tags } = await dropletWithId(dropletIdOf(asked), signal);
  const found = await Promise.all(
    tags.map(async (tag) => {
      const ids = (await taggedDroplets(tag, signal)).map(({ id }) => id);
      return {
        tag,
        others: ids.length - wanted.length,
        all: wanted.every((id) => ids.includes(id)),
      };
    }),
  );
  const [best] = found
    .filter(({ all }) => all)
    .sort((a, b) => a.others - b.others || a.tag.length - b.tag.length);
  if (best) return best.tag;
  throw new Error(
    `no tag is on all Droplets of the swarm (${wanted.join(", ")}): give them one, which no other Droplet has`,
  );
}

/** @throws {Error} for a member that another than Archipelago had join. */
export function dropletIdOf({ labels, hostname }: Member): string {
  const id = labels[MEMBER_LABELS.droplet];
  if (id !== undefined) return id;
  throw new Error(
    `${hostname} did not join by Archipelago (it has no label ${MEMBER_LABELS.droplet}), and cannot be imported`,
  );
}
