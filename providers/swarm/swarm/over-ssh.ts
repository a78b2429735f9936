import { dockerEngine } from "../docker/engine";
import { swarmEngine } from "../docker/swarm-engine";
import type { Context } from "../protocol/resource";
import { openConnection } from "../ssh/bastion";
import type { Address } from "../ssh/connection";
import { formatPublicKey } from "../ssh/host-keys";
import { addressOf, connect, type Connection } from "../ssh/pool";
import { messageOf, withinSeconds } from "../wait";
import { taggedDroplets } from "./droplets";
import type { Member, SwarmEngine } from "./engine";
import { isProven } from "./proof";
import { CLUSTER_LABEL, connectionOf, type Reach, type SwarmIdentity } from "./swarm";

/** A node that lives answers in well under a second; one that is gone is waited for once. */
const ANSWER_SECONDS = 8;

/** A manager and the way to it. */
export interface FoundManager {
  readonly connection: Connection;
  readonly engine: SwarmEngine;
  readonly nodeId: string;
}

/**
 * Finds nodes by SSH: those that this process has met, those that the state remembers, then the Droplets with the swarm's tag.
 * Nothing secret is sent to a machine before it has shown a pinned host key, or proved that it is a member.
 */
export class OverSsh implements Reach {
  private readonly known = new Map<string, Connection>();
  /** IDs of nodes that were seen to be in this swarm: none is ever in another one. */
  private readonly ours = new Set<string>();
  private last: FoundManager | undefined;

  constructor(public identity: SwarmIdentity) {}

  /** Adds nodes to those that are asked. */
  remember(connections: readonly Connection[]): void {
    for (const connection of connections) {
      const { host, port } = addressOf(connection);
      this.known.set(`${host}:${port} ${connection.hostKey}`, connection);
    }
  }

  async manager(context: Context, except?: string): Promise<SwarmEngine> {
    return (await this.find(context, except)).engine;
  }

  async find(context: Context, except?: string): Promise<FoundManager> {
    const reasons: string[] = [];
    if (this.last && this.last.nodeId !== except) {
      const again = await this.ask(this.last.connection, except).catch(() => undefined);
      if (again) return again;
    }
    const asked = [...this.known.values()];
    const found =
      (await this.firstOf(asked, except, reasons)) ??
      (await this.firstOf(await this.proven(context, reasons), except, reasons));
    context.signal.throwIfAborted();
    if (!found) {
      throw new Error(
        `no living manager of swarm ${this.identity.clusterId} answers: ${reasons.join("; ") || "none is known"}`,
      );
    }
    this.last = found;
    return found;
  }

  /** Whether the node answers as a manager of this swarm. */
  async isManager(connection: Connection): Promise<boolean> {
    return this.ask(connection, undefined).then(
      () => true,
      () => false,
    );
  }

  async machine(member: Member): Promise<SwarmEngine | undefined> {
    const connection = connectionOf(member);
    if (!connection) return undefined;
    try {
      const way = this.wayTo(connection);
      const engine = swarmEngine(dockerEngine(await connect(way, ANSWER_SECONDS)));
      const { nodeId } = await withinSeconds(ANSWER_SECONDS, engine.info());
      return nodeId === member.id || nodeId === "" ? engine : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asks all of them at once: one that is gone must not hold up the others. */
  private async firstOf(
    connections: readonly Connection[],
    except: string | undefined,
    reasons: string[],
  ): Promise<FoundManager | undefined> {
    const attempts = connections.map((connection) => this.ask(connection, except));
    try {
      return await Promise.any(attempts);
    } catch (error) {
      reasons.push(...(error as AggregateError).errors.map(messageOf));
      return undefined;
    }
  }

  /** By the bastion that there is now: the one that a node was met by may have been replaced. */
  private wayTo({ bastion: _, ...connection }: Connection): Connection {
    const { bastion } = this.identity;
    return bastion ? { ...connection, bastion } : connection;
  }

  private async ask(known: Connection, except: string | undefined): Promise<FoundManager> {
    const connection = this.wayTo(known);
    const { host } = connection;
    try {
      const engine = swarmEngine(dockerEngine(await connect(connection, ANSWER_SECONDS)));
      const { isManager, nodeId, error } = await withinSeconds(ANSWER_SECONDS, engine.info());
      if (!isManager) throw new Error("is no manager");
      if (nodeId === except) throw new Error("is the one that is to leave");
      // Cut off from the other managers it has nothing to say.
      if (error) throw new Error(error);
      if (!this.ours.has(nodeId)) await this.verifySwarm(engine);
      this.ours.add(nodeId);
      return { connection, engine, nodeId };
    } catch (error) {
      throw new Error(`${host} ${messageOf(error)}`, { cause: error });
    }
  }

  private async verifySwarm(engine: SwarmEngine): Promise<void> {
    const owner = (await withinSeconds(ANSWER_SECONDS, engine.swarmLabels()))[CLUSTER_LABEL];
    if (owner === this.identity.clusterId) return;
    throw new Error(`is in the swarm of cluster ${owner ?? "(not made by Archipelago)"}`);
  }

  /** Members among the Droplets with the tag that nobody remembers. */
  private async proven(context: Context, reasons: string[]): Promise<Connection[]> {
    try {
      const droplets = await taggedDroplets(this.identity.tag, context.signal);
      // An address that is known may belong to another machine by now.
      const hosts = droplets.flatMap(({ host }) => (host ? [host] : []));
      const found = await Promise.all(hosts.map((host) => this.proofOf(host, reasons)));
      const connections = found.filter((connection) => connection !== undefined);
      this.remember(connections);
      return connections;
    } catch (error) {
      reasons.push(messageOf(error));
      return [];
    }
  }

  private async proofOf(host: string, reasons: string[]): Promise<Connection | undefined> {
    try {
      const hostKey = await provenHostKey({ host, port: 22 }, this.identity);
      if (hostKey !== undefined) return { host, port: 22, user: "root", hostKey };
      reasons.push(`${host} has no proof that it is a member`);
    } catch (error) {
      reasons.push(`${host} ${messageOf(error)}`);
    }
    return undefined;
  }
}

/**
 * The host key that the machine shows, if it proves with it that it is a member of the swarm. It is reached by the swarm's
 * bastion, if that has one.
 */
export async function provenHostKey(
  { host, port }: Address,
  identity: SwarmIdentity,
): Promise<string | undefined> {
  let presented: Buffer | undefined;
  const unverified = await openConnection(
    { host, port, bastion: identity.bastion },
    (key) => {
      presented = key;
      return true;
    },
    ANSWER_SECONDS,
  );
  try {
    if (presented === undefined || !(await isProven(unverified, identity, presented)))
      return undefined;
    return formatPublicKey(presented);
  } finally {
    unverified.close();
  }
}
