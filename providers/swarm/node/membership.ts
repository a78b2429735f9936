import type Docker from "dockerode";
import { z } from "zod";
import { dockerEngine } from "../docker/engine";
import type { Context } from "../protocol/resource";
import type { SshConnection } from "../ssh/connection";
import { connect, type Connection } from "../ssh/pool";
import { messageOf, waitUntil, type Attempt } from "../wait";
import { inTurn } from "./turn";

export type Role = "manager" | "worker";

/** Which swarm a node belongs in, and as what. */
export interface MembershipSpec {
  readonly clusterId: string;
  readonly role: Role;
  /** IPv4 address that other nodes reach it by: the advertise address. */
  readonly privateIp: string;
  /** IPv4 CIDRs for overlay networks, used at init only. */
  readonly defaultAddrPool: readonly string[] | undefined;
  /** Managers to join. Empty: the node starts the swarm. */
  readonly peers: readonly Connection[];
}

/** Swarm's own view of this engine, as far as it is used here (`GET /info`, `Swarm`). */
const swarmInfo = z.object({
  NodeID: z.string().default(""),
  NodeAddr: z.string().default(""),
  LocalNodeState: z.enum(["inactive", "pending", "active", "error", "locked"]).or(z.literal("")),
  ControlAvailable: z.boolean().default(false),
  Error: z.string().default(""),
  Nodes: z.number().nullish(),
  Managers: z.number().nullish(),
});
export type SwarmInfo = z.infer<typeof swarmInfo>;

export async function swarmInfoOf(engine: Docker): Promise<SwarmInfo> {
  const info = (await engine.info()) as { Swarm?: unknown };
  return swarmInfo.parse(info.Swarm ?? {});
}

const joinTokens = z.object({ JoinTokens: z.object({ Manager: z.string(), Worker: z.string() }) });

/** Marks the swarm as ours, so that a node of another one is not taken for a member. */
export const CLUSTER_LABEL = "archipelago.cluster";

/**
 * Makes the engine a member, by starting the swarm or by joining it; a member stays as it is.
 *
 * @returns its swarm node ID.
 * @throws {Error} when it is a member of another swarm, or when no peer is alive.
 */
export async function ensureMember(
  engine: Docker,
  spec: MembershipSpec,
  context: Context,
): Promise<string> {
  let info = await swarmInfoOf(engine);
  if (info.LocalNodeState === "locked") {
    throw new Error(
      `the swarm on ${context.name} is locked: unlock it with "docker swarm unlock" on the node, then run again`,
    );
  }
  if (info.LocalNodeState === "error") {
    if (spec.peers.length === 0) {
      throw new Error(`the swarm on ${context.name} does not start: ${info.Error}`);
    }
    // A join that was cut off leaves this behind, and only leaving clears it.
    context.log.info(`an earlier attempt left ${context.name} half a member (${info.Error})`);
    await engine.swarmLeave({ force: true });
    info = await swarmInfoOf(engine);
  }
  if (info.LocalNodeState === "inactive" || info.LocalNodeState === "") {
    if (spec.peers.length === 0) await init(engine, spec);
    else await inTurn(() => join(engine, spec, context));
  }
  const { NodeID } = await waitUntilActive(engine, context);
  if (spec.peers.length === 0) await refuseForeignSwarm(engine, spec.clusterId, context);
  return NodeID;
}

async function init(engine: Docker, spec: MembershipSpec): Promise<void> {
  await engine.swarmInit({
    ListenAddr: "0.0.0.0:2377",
    AdvertiseAddr: spec.privateIp,
    DataPathAddr: spec.privateIp,
    ...(spec.defaultAddrPool?.length && { DefaultAddrPool: spec.defaultAddrPool, SubnetSize: 24 }),
    Spec: { Name: "default", Labels: { [CLUSTER_LABEL]: spec.clusterId } },
  });
}

/** The token is read from a living manager now and kept nowhere. */
async function join(engine: Docker, spec: MembershipSpec, context: Context): Promise<void> {
  const manager = await livingManager(spec.peers, context);
  const tokens = joinTokens.parse(await manager.engine.swarmInspect()).JoinTokens;
  await engine.swarmJoin({
    ListenAddr: "0.0.0.0:2377",
    AdvertiseAddr: spec.privateIp,
    DataPathAddr: spec.privateIp,
    RemoteAddrs: [`${manager.info.NodeAddr}:2377`],
    JoinToken: spec.role === "manager" ? tokens.Manager : tokens.Worker,
  });
}

/** Whether the node still is what swarm calls an active member, bounded: a restarted manager needs some seconds. */
export async function waitUntilActive(engine: Docker, context: Context): Promise<SwarmInfo> {
  return waitUntil(
    { what: `swarm membership of ${context.name}`, timeoutSeconds: 120, context },
    async (): Promise<Attempt<SwarmInfo>> => {
      const info = await swarmInfoOf(engine);
      if (info.LocalNodeState === "active" && info.NodeID !== "") return { done: info };
      return { pending: `${info.LocalNodeState || "inactive"} ${info.Error}`.trim() };
    },
  );
}

async function refuseForeignSwarm(
  engine: Docker,
  clusterId: string,
  context: Context,
): Promise<void> {
  const { Spec } = (await engine.swarmInspect()) as { Spec?: { Labels?: Record<string, string> } };
  const owner = Spec?.Labels?.[CLUSTER_LABEL];
  if (owner === clusterId) return;
  throw new Error(
    `${context.name} is already in the swarm of cluster ${owner ?? "(not made by Archipelago)"}, not in ${clusterId}: ` +
      'replace the Droplet, or run "docker swarm leave --force" on it if nothing there is needed',
  );
}

export interface Manager {
  readonly engine: Docker;
  readonly connection: SshConnection;
  readonly info: SwarmInfo;
}

/**
 * The first of `peers` that answers as a manager.
 *
 * @throws {Error} with what each of them said.
 */
export async function livingManager(
  peers: readonly Connection[],
  context: Context,
): Promise<Manager> {
  const reasons: string[] = [];
  for (const peer of peers) {
    context.signal.throwIfAborted();
    try {
      const connection = await connect(peer, 10);
      const engine = dockerEngine(connection);
      const info = await swarmInfoOf(engine);
      if (info.ControlAvailable) return { engine, connection, info };
      reasons.push(`${peer.host} is no manager`);
    } catch (error) {
      reasons.push(`${peer.host}: ${messageOf(error)}`);
    }
  }
  throw new Error(`no living manager for ${context.name} among its peers: ${reasons.join("; ")}`);
}

const nodeObject = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({
    Role: z.enum(["manager", "worker"]),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  Status: z.object({ State: z.string(), Addr: z.string().default("") }),
});
export type SwarmNode = z.infer<typeof nodeObject>;

export async function inspectNode(manager: Docker, nodeId: string): Promise<SwarmNode> {
  return nodeObject.parse(await manager.getNode(nodeId).inspect());
}

/**
 * Gives the node its role and labels. Labels that neither `labels` nor `before` names belong to others and stay.
 *
 * Swarm refuses an update that is based on an old version, so that one is read and tried again.
 */
export async function ensureNodeSpec(
  manager: Docker,
  nodeId: string,
  role: Role,
  labels: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  context: Context,
): Promise<void> {
  await waitUntil(
    { what: `role and labels of ${context.name}`, timeoutSeconds: 60, context },
    async (): Promise<Attempt<true>> => {
      const { Spec, Version } = await inspectNode(manager, nodeId);
      const current = Spec.Labels ?? {};
      const next = mergeLabels(current, labels, before);
      const same =
        Object.keys(next).length === Object.keys(current).length &&
        Object.entries(next).every(([key, value]) => current[key] === value);
      if (same && Spec.Role === role) return { done: true };
      try {
        await manager
          .getNode(nodeId)
          .update({ ...Spec, Role: role, Labels: next, version: Version.Index });
        return { done: true };
      } catch (error) {
        if (!messageOf(error).includes("out of sequence")) throw error;
        return { pending: "another change came first" };
      }
    },
  );
}

export function mergeLabels(
  current: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const foreign = Object.entries(current).filter(([key]) => !(key in before));
  return { ...Object.fromEntries(foreign), ...wanted };
}

/** Waits until the manager's own scheduler counts the node as ready to take tasks. */
export async function waitUntilReady(
  manager: Docker,
  nodeId: string,
  context: Context,
): Promise<void> {
  await waitUntil(
    { what: `${context.name} to be ready in the swarm`, timeoutSeconds: 120, context },
    async (): Promise<Attempt<true>> => {
      try {
        const { Status } = await inspectNode(manager, nodeId);
        return Status.State === "ready" ? { done: true } : { pending: Status.State };
      } catch (error) {
        // Until a leader is elected the API refuses every question.
        return { pending: messageOf(error) };
      }
    },
  );
}
