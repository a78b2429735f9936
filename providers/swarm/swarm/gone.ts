import { dockerEngine } from "../docker/engine";
import { swarmEngine } from "../docker/swarm-engine";
import type { Context } from "../protocol/resource";
import { openConnection } from "../ssh/bastion";
import { HostKeyMismatch, type Address } from "../ssh/connection";
import { parsePublicKey } from "../ssh/host-keys";
import { connect } from "../ssh/pool";
import { messageOf } from "../wait";
import { taggedDroplets, type TaggedDroplet } from "./droplets";
import { provenHostKey } from "./over-ssh";
import type { SwarmIdentity } from "./swarm";

const ANSWER_SECONDS = 12;

/** The Droplet that started a swarm. */
export interface FirstDroplet {
  readonly dropletId: string;
  readonly bootHostKey: string;
  readonly port?: number | undefined;
}

/**
 * Whether nothing is left of a swarm: DigitalOcean knows no Droplet with its tag, or each of them answers, proves who it is and
 * is no member. A swarm that is taken for gone is started anew, so that doubt keeps it.
 */
export async function isSurelyGone(
  identity: SwarmIdentity,
  first: FirstDroplet | undefined,
  context: Context,
): Promise<boolean> {
  let droplets: TaggedDroplet[];
  try {
    droplets = await taggedDroplets(identity.tag, context.signal);
  } catch (error) {
    context.log.status(
      `whether swarm ${identity.clusterId} is gone cannot be told: ${messageOf(error)}`,
    );
    return false;
  }
  const left = await Promise.all(droplets.map((droplet) => hasLeft(droplet, identity, first)));
  return left.every((each) => each);
}

async function hasLeft(
  { id, host }: TaggedDroplet,
  identity: SwarmIdentity,
  first: FirstDroplet | undefined,
): Promise<boolean> {
  if (host === undefined) return false;
  const port = (first?.dropletId === id && first.port) || 22;
  try {
    const { bastion } = identity;
    const address = { host, port, bastion };
    if (first?.dropletId === id && (await shows(address, first.bootHostKey))) return true;
    const hostKey = await provenHostKey(address, identity);
    if (hostKey === undefined) return false;
    const connection = await connect({ ...address, hostKey }, ANSWER_SECONDS);
    return (await swarmEngine(dockerEngine(connection)).info()).state === "inactive";
  } catch {
    return false;
  }
}

/** Whether the machine shows its one-time host key: it was rebuilt, and nothing of before is on it. */
async function shows(address: Address, bootHostKey: string): Promise<boolean> {
  const bootKey = parsePublicKey(bootHostKey);
  try {
    const connection = await openConnection(address, (key) => key.equals(bootKey), ANSWER_SECONDS);
    connection.close();
    return true;
  } catch (error) {
    if (error instanceof HostKeyMismatch) return false;
    throw error;
  }
}
