import { dockerEngine } from "../docker/engine";
import { swarmEngine } from "../docker/swarm-engine";
import { hasAuthorizedKeys, readAuthorizedKeys } from "../node/authorized-keys";
import { GONE_SECONDS } from "../node/machine";
import type { Context, Resource } from "../protocol/resource";
import { canonicalJson, type Properties } from "../protocol/values";
import { HostKeyMismatch, type SshConnection } from "../ssh/connection";
import { formatPublicKey } from "../ssh/host-keys";
import { connect, type Connection } from "../ssh/pool";
import type { Member } from "../swarm/engine";
import { isSurelyGone } from "../swarm/gone";
import { swarmOf } from "../swarm/process";
import { messageOf, withinSeconds } from "../wait";
import { nodeState, storedInputs, type StoredInputs } from "./node-inputs";

/** What a refresh says of a node: `undefined` when it is no member any more. */
export const readNode: NonNullable<Resource["read"]> = async (
  _id,
  rawState,
  rawInputs,
  context,
) => {
  const state = nodeState.parse(rawState);
  const inputs = storedInputs.parse(rawInputs);
  const { name, host, port = 22, bastion, cluster, clusterKey, tag } = inputs;
  const address: Connection = { host, port, user: "root", hostKey: state.hostKey, bastion };
  const identity = { clusterId: cluster, clusterKey, tag, bastion };
  const { nodes } = swarmOf(identity);
  nodes.remember([...state.managers, address]);

  const machine = connect(address, GONE_SECONDS);
  const isRebuilt = await machine.then(
    () => false,
    (error: unknown) =>
      error instanceof HostKeyMismatch &&
      formatPublicKey(error.presented) === bareKey(inputs.bootHostKey),
  );
  if (isRebuilt) {
    context.log.warn(`${name} shows its one-time host key again: it was rebuilt`);
    return undefined;
  }
  try {
    const manager = await nodes.manager(context);
    const member = (await manager.members()).find(({ id }) => id === state.nodeId);
    if (!member) return undefined;
    const drift = {
      ...memberDrift(member, inputs),
      ...(await keyDrift(machine, inputs, context)),
    };
    return { state: { ...rawState, ...drift }, inputs: { ...rawInputs, ...drift } };
  } catch (error) {
    if ((await hasLeft(machine)) || (await isSurelyGone(identity, undefined, context)))
      return undefined;
    // Whether it is gone is for its Droplet to say; an error here would stop the refresh that tells.
    context.log.warn(`${name} cannot be asked, its last known state is kept: ${messageOf(error)}`);
    return { state: rawState, inputs: rawInputs };
  }
};

/** The inputs that differ in the managers' view, with their real values; `status` when the node is not ready. */
export function memberDrift(member: Member, given: StoredInputs): Properties {
  const wanted = given.labels ?? {};
  const labels = Object.fromEntries(Object.entries(member.labels).filter(([key]) => key in wanted));
  return {
    ...(member.role !== given.role && { role: member.role }),
    ...(canonicalJson(labels) !== canonicalJson(wanted) && { labels }),
    ...(member.availability !== (given.availability ?? "active") && {
      availability: member.availability,
    }),
    ...(!member.isReady && { status: member.state }),
  };
}

async function keyDrift(
  machine: Promise<SshConnection>,
  { authorizedKeys, name }: StoredInputs,
  context: Context,
): Promise<Properties> {
  if (!authorizedKeys) return {};
  try {
    const connection = await machine;
    const same = await withinSeconds(GONE_SECONDS, hasAuthorizedKeys(connection, authorizedKeys));
    if (same) return {};
    return { authorizedKeys: await readAuthorizedKeys(connection) };
  } catch (error) {
    context.log.warn(`${name} does not answer: ${messageOf(error)}`);
    return {};
  }
}

/** Whether the machine itself says that it is in no swarm. */
async function hasLeft(machine: Promise<SshConnection>): Promise<boolean> {
  try {
    const docker = dockerEngine(await machine);
    return (await withinSeconds(GONE_SECONDS, swarmEngine(docker).info())).state === "inactive";
  } catch {
    return false;
  }
}

function bareKey(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(" ");
}
