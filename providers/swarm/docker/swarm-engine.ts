import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { z } from "zod";
import {
  CLUSTER_PORT,
  type JoinRequest,
  type Member,
  type MemberChange,
  type NodeTask,
  type Note,
  type Role,
  type Service,
  type ServiceChange,
  type SwarmEngine,
  type SwarmInfo,
} from "../swarm/engine";
import { isMissing } from "../swarm/failures";
import * as shape from "./swarm-objects";

/** Overlay networks are cut from the pool in pieces of this prefix length. */
const SUBNET_SIZE = 24;

/** What a note's config holds: configs cannot be empty. */
const NOTE_DATA = Buffer.from("see the labels\n").toString("base64");

const engines = new WeakMap<Docker, SwarmEngine>();

/** The swarm side of Docker's Engine API. */
export function swarmEngine(docker: Docker): SwarmEngine {
  let engine = engines.get(docker);
  if (!engine) engines.set(docker, (engine = new DockerSwarmEngine(docker)));
  return engine;
}

class DockerSwarmEngine implements SwarmEngine {
  constructor(private readonly docker: Docker) {}

  async info(): Promise<SwarmInfo> {
    const { Swarm } = shape.info.parse(await this.docker.info());
    return {
      nodeId: Swarm.NodeID,
      state: Swarm.LocalNodeState || "inactive",
      isManager: Swarm.ControlAvailable,
      error: Swarm.Error,
      remoteManagers: (Swarm.RemoteManagers ?? []).map(({ Addr }) => Addr),
    };
  }

  async init({ privateIp, labels, defaultAddrPool }: Parameters<SwarmEngine["init"]>[0]) {
    await this.docker.swarmInit({
      ...addresses(privateIp),
      ...(defaultAddrPool?.length && { DefaultAddrPool: defaultAddrPool, SubnetSize: SUBNET_SIZE }),
      Spec: { Name: "default", Labels: labels },
    });
  }

  async join({ privateIp, managers, token }: JoinRequest): Promise<void> {
    await this.docker.swarmJoin({
      ...addresses(privateIp),
      RemoteAddrs: managers,
      JoinToken: token,
    });
  }

  async leave({ force }: { force: boolean }): Promise<void> {
    await this.docker.swarmLeave({ force });
  }

  async exec(containerId: string, command: readonly string[]): Promise<number> {
    const exec = await this.docker
      .getContainer(containerId)
      .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true });
    stream.resume();
    await new Promise<void>((resolve, reject) => stream.once("end", resolve).once("error", reject));
    return (await exec.inspect()).ExitCode ?? 0;
  }

  async hasImage(reference: string): Promise<boolean> {
    try {
      await this.docker.getImage(reference).inspect();
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async saveImage(reference: string): Promise<Readable> {
    return (await this.docker.getImage(reference).get()) as Readable;
  }

  async loadImage(archive: Readable): Promise<void> {
    const answer = await this.docker.loadImage(archive, { quiet: true });
    await new Promise<void>((resolve, reject) =>
      this.docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve())),
    );
  }

  async swarmLabels(): Promise<Readonly<Record<string, string>>> {
    return shape.swarm.parse(await this.docker.swarmInspect()).Spec.Labels ?? {};
  }

  async addressPool(): Promise<readonly string[]> {
    return shape.swarm.parse(await this.docker.swarmInspect()).DefaultAddrPool ?? [];
  }

  async joinToken(role: Role): Promise<string> {
    const { JoinTokens } = shape.swarm.parse(await this.docker.swarmInspect());
    return role === "manager" ? JoinTokens.Manager : JoinTokens.Worker;
  }

  async rotateJoinTokens(): Promise<void> {
    const { Version, Spec } = shape.swarm.parse(await this.docker.swarmInspect());
    await this.docker.swarmUpdate({
      _query: { version: Version.Index, rotateWorkerToken: true, rotateManagerToken: true },
      _body: Spec,
    });
  }

  async members(): Promise<Member[]> {
    return z
      .array(shape.node)
      .parse(await this.docker.listNodes())
      .map(toMember);
  }

  async updateMember({ id, version }: Member, change: MemberChange): Promise<void> {
    const node = this.docker.getNode(id);
    const { Spec } = shape.node.parse(await node.inspect());
    const { role, availability, labels } = change;
    await node.update({
      _query: { version },
      _body: {
        ...Spec,
        ...(role && { Role: role }),
        ...(availability && { Availability: availability }),
        ...(labels && { Labels: labels }),
      },
    });
  }

  async removeMember(id: string, { force }: { force: boolean }): Promise<void> {
    await this.docker.getNode(id).remove({ force });
  }

  async services(): Promise<Service[]> {
    return z
      .array(shape.service)
      .parse(await this.docker.listServices())
      .map(toService);
  }

  async updateService({ id, version }: Service, change: ServiceChange): Promise<void> {
    const service = this.docker.getService(id);
    const { Spec } = shape.service.parse(await service.inspect());
    await service.update({
      // Docker keeps the registry login that the tasks were given.
      _query: { version, registryAuthFrom: "spec" },
      _body: {
        ...Spec,
        Labels: change.labels,
        Mode: { ...Spec.Mode, Replicated: { Replicas: change.replicas } },
      },
    });
  }

  async tasks(): Promise<NodeTask[]> {
    const [tasks, { SystemTime }] = await Promise.all([
      this.docker.listTasks(),
      this.docker.info().then((info) => shape.clock.parse(info)),
    ]);
    const now = Date.parse(SystemTime);
    return z
      .array(shape.task)
      .parse(tasks)
      .map((task) => toTask(task, now));
  }

  async note(name: string): Promise<Note | undefined> {
    const notes = z
      .array(shape.config)
      .parse(await this.docker.listConfigs({ filters: { name: [name] } }));
    // Docker's filter takes prefixes.
    const note = notes.find(({ Spec }) => Spec.Name === name);
    return note && { id: note.ID, version: note.Version.Index, labels: note.Spec.Labels ?? {} };
  }

  async createNote(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.docker.createConfig({ Name: name, Labels: labels, Data: NOTE_DATA });
  }

  async updateNote({ id, version }: Note, labels: Readonly<Record<string, string>>): Promise<void> {
    const config = this.docker.getConfig(id);
    const { Spec } = shape.config.parse(await config.inspect());
    await config.update({ _query: { version }, _body: { ...Spec, Labels: labels } });
  }
}

function addresses(privateIp: string) {
  return {
    ListenAddr: `0.0.0.0:${CLUSTER_PORT}`,
    AdvertiseAddr: privateIp,
    DataPathAddr: privateIp,
  };
}

function toMember({ ID, Version, Spec, Status, Description, ManagerStatus }: shape.Node): Member {
  return {
    id: ID,
    version: Version.Index,
    role: Spec.Role,
    availability: Spec.Availability,
    labels: Spec.Labels ?? {},
    hostname: Description?.Hostname ?? "",
    isReady: Status.State === "ready",
    state: Status.State,
    // Of a manager that has just started, Status says 0.0.0.0.
    address: ManagerStatus?.Addr.replace(/:\d+$/, "") || Status.Addr,
    ...(ManagerStatus && {
      manager: {
        isReachable: ManagerStatus.Reachability === "reachable",
        isLeader: ManagerStatus.Leader,
      },
    }),
  };
}

function toService({ ID, Version, Spec, UpdateStatus }: shape.Service): Service {
  const { Replicated, Global } = Spec.Mode;
  const test = Spec.TaskTemplate.ContainerSpec?.Healthcheck?.Test ?? [];
  return {
    id: ID,
    name: Spec.Name,
    version: Version.Index,
    labels: Spec.Labels ?? {},
    image: Spec.TaskTemplate.ContainerSpec?.Image ?? "",
    mode: Replicated ? "replicated" : Global ? "global" : "job",
    replicas: Replicated?.Replicas ?? 0,
    hasHealthCheck: test.length > 0 && test[0] !== "NONE",
    isBound: (Spec.TaskTemplate.Placement?.Constraints ?? []).some((constraint) =>
      /^node\.(id|hostname) *==/.test(constraint),
    ),
    isUpdating: ["updating", "rollback_started"].includes(UpdateStatus?.State ?? ""),
  };
}

function toTask(
  { ID, ServiceID, NodeID, DesiredState, Status }: shape.Task,
  now: number,
): NodeTask {
  return {
    id: ID,
    serviceId: ServiceID,
    nodeId: NodeID,
    isWanted: DesiredState === "running" || DesiredState === "ready" || DesiredState === "complete",
    state: Status.State,
    error: Status.Err,
    forMs: now - Date.parse(Status.Timestamp),
    containerId: Status.ContainerStatus?.ContainerID ?? "",
  };
}
