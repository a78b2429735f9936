import type { Resource } from "../protocol/resource";
import { secret, type Properties } from "../protocol/values";
import { dropletWithId } from "../swarm/droplets";
import type { Member } from "../swarm/engine";
import { makeSigningKey } from "../swarm/proof";
import { connectionOf, isNamed, MEMBER_LABELS } from "../swarm/swarm";
import { dropletIdOf, type ExistingSwarm, withExistingSwarm } from "./existing-swarm";
import { parseImportId } from "./import-id";

/** Labels of ours that are no input. */
const OWN = "archipelago.";

/**
 * A member of a swarm that exists, as `Node` would have left it. What only the program knows is put right by the next
 * update, in place: the cluster's key, for which one stands in that opens nothing, the boot host key, login keys and Volume.
 */
export const importNode: NonNullable<Resource["import"]> = (id, context) => {
  const where = parseImportId(id, "a node");
  return withExistingSwarm(where, context, async (swarm) => {
    const member = memberCalled(where.node ?? "", swarm);
    const connection = connectionOf(member);
    if (!connection) {
      throw new Error(
        `${member.hostname} did not join by Archipelago (it has no label ${MEMBER_LABELS.ssh}), and cannot be imported`,
      );
    }
    const dropletId = dropletIdOf(member);
    const { size } = await dropletWithId(dropletId, context.signal);
    const { host, port, hostKey } = connection;
    const inputs = {
      cluster: swarm.clusterId,
      clusterKey: secret(makeSigningKey()),
      tag: swarm.tag,
      name: nameOf(member),
      dropletId,
      dropletSize: size,
      host,
      ...(port !== 22 && { port }),
      privateIp: member.address,
      bootHostKey: hostKey,
      ...standing(member),
    };
    const managers = swarm.members
      .filter(({ role }) => role === "manager")
      .flatMap((manager) => connectionOf(manager) ?? []);
    const made = {
      nodeId: member.id,
      hostKey,
      address: member.address,
      connection: { ...connection },
    };
    return {
      id: `${swarm.clusterId}/${inputs.name}`,
      inputs,
      state: { ...inputs, ...made, managers },
    };
  });
};

/** @throws {Error} with the nodes that there are. */
function memberCalled(called: string, { members, clusterId }: ExistingSwarm): Member {
  const found = members.find((member) => member.id === called || isNamed(called, member));
  if (found) return found;
  const names = members.map(nameOf).sort().join(", ");
  throw new Error(`swarm ${clusterId} has no node ${called}: it has ${names}`);
}

const nameOf = ({ labels, hostname }: Member) => labels[MEMBER_LABELS.name] ?? hostname;

function standing({ role, labels, availability }: Member): Properties {
  const theirs = Object.entries(labels).filter(([key]) => !key.startsWith(OWN));
  return {
    role,
    ...(theirs.length > 0 && { labels: Object.fromEntries(theirs) }),
    ...(availability !== "active" && { availability }),
  };
}
