import type { Readable } from "node:stream";

/**
 * What is asked of a Docker engine about its swarm: of any node's about the node itself, of a manager's about all of them.
 * `docker/swarm-engine.ts` is the real one; tests of sequences of events bring a model of a swarm.
 */

/** Managers listen here. https://docs.docker.com/engine/swarm/swarm-tutorial/ */
export const CLUSTER_PORT = 2377;

export type Role = "manager" | "worker";
export type Availability = "active" | "pause" | "drain";

/** An engine's own view of its membership. */
export interface SwarmInfo {
  /** Empty when it is in no swarm. */
  readonly nodeId: string;
  readonly state: "inactive" | "pending" | "active" | "error" | "locked";
  /** It is a manager, and may be asked for the rest of this interface. */
  readonly isManager: boolean;
  /** Why it is not well, such as a swarm without a leader. */
  readonly error: string;
  /** `10.20.0.3:2377` of the managers that it knows. */
  readonly remoteManagers: readonly string[];
}

/** A node as the managers see it. */
export interface Member {
  readonly id: string;
  /** An update based on an older version is refused. */
  readonly version: number;
  readonly role: Role;
  readonly availability: Availability;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  /** Ready to take tasks, as far as the managers have heard. */
  readonly isReady: boolean;
  readonly state: string;
  /** Private IPv4 address. */
  readonly address: string;
  /** Present for a member of the managers' quorum, whatever `role` it is to have. */
  readonly manager?: { readonly isReachable: boolean; readonly isLeader: boolean };
}

export interface MemberChange {
  readonly role?: Role;
  readonly availability?: Availability;
  /** All of them. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A service as the managers see it. */
export interface Service {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Reference of its tasks' image. */
  readonly image: string;
  readonly mode: "replicated" | "global" | "job";
  /** Of a replicated service. */
  readonly replicas: number;
  readonly hasHealthCheck: boolean;
  /** Its tasks may run on one certain node only. */
  readonly isBound: boolean;
  /** A rollout or a rollback is under way. */
  readonly isUpdating: boolean;
}

export interface ServiceChange {
  readonly replicas: number;
  /** All of the service's own; those of its containers are others. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A task as the managers see it. */
export interface NodeTask {
  readonly id: string;
  readonly serviceId: string;
  /** Empty until it has a place. */
  readonly nodeId: string;
  /** Swarm means it to run; otherwise it is on its way out. */
  readonly isWanted: boolean;
  /** `running`, `preparing`, `failed`, … */
  readonly state: string;
  readonly error: string;
  /** Milliseconds since it is in that state, by the manager's clock. */
  readonly forMs: number;
  readonly containerId: string;
}

export interface JoinRequest {
  /** IPv4 address that other nodes reach this one by. */
  readonly privateIp: string;
  /** `10.20.0.3:2377` of managers. */
  readonly managers: readonly string[];
  /** Secret. */
  readonly token: string;
}

/** A small text in the swarm that only one may change at a time: a swarm config of which the labels are used. */
export interface Note {
  readonly id: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SwarmEngine {
  info(): Promise<SwarmInfo>;
  init(options: {
    readonly privateIp: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly defaultAddrPool: readonly string[] | undefined;
  }): Promise<void>;
  join(request: JoinRequest): Promise<void>;
  leave(options: { readonly force: boolean }): Promise<void>;
  /** Runs a command in a container of this node. @returns its exit code. */
  exec(containerId: string, command: readonly string[]): Promise<number>;
  hasImage(reference: string): Promise<boolean>;
  /** An image with its layers, as a tar archive. */
  saveImage(reference: string): Promise<Readable>;
  /** @throws {Error} when the archive is not whole. */
  loadImage(archive: Readable): Promise<void>;

  // What follows is a manager's to answer.
  swarmLabels(): Promise<Readonly<Record<string, string>>>;
  /** IPv4 CIDRs that overlay networks are cut from. */
  addressPool(): Promise<readonly string[]>;
  joinToken(role: Role): Promise<string>;
  rotateJoinTokens(): Promise<void>;
  members(): Promise<Member[]>;
  updateMember(member: Member, change: MemberChange): Promise<void>;
  /** @param force although the managers still hear of it. */
  removeMember(id: string, options: { readonly force: boolean }): Promise<void>;
  services(): Promise<Service[]>;
  updateService(service: Service, change: ServiceChange): Promise<void>;
  tasks(): Promise<NodeTask[]>;
  note(name: string): Promise<Note | undefined>;
  /** @throws a conflict when there is one of that name. */
  createNote(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  updateNote(note: Note, labels: Readonly<Record<string, string>>): Promise<void>;
}
