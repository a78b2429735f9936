import * as pulumi from "@pulumi/pulumi";

/** How a node is reached: SSH as root, pinned to one host key. No login key is part of it. */
export interface Connection {
  /** Public IPv4 address or name. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** @default "root" */
  readonly user?: "root";
  /** The only host key that is accepted: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/**
 * Whether this machine has an SSH key to log in to nodes with.
 *
 * @returns what is missing and how to get it, else undefined. The key may still be one that a node refuses.
 */
export async function loginProblem(): Promise<string | undefined> {
  const { problem } = (await pulumi.runtime.invoke("swarm:index:getLogin", {})) as {
    problem?: string;
  };
  return problem;
}

abstract class SwarmResource extends pulumi.CustomResource {
  constructor(
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    outputs: readonly string[],
    opts?: pulumi.CustomResourceOptions,
  ) {
    const declared = Object.fromEntries(outputs.map((output) => [output, undefined]));
    super(`swarm:index:${type}`, name, { ...declared, ...inputs }, opts);
  }
}

export interface HostKeyArgs {
  /** Says whose key it is, in the resource's ID. Changing it keeps the key. */
  readonly name: pulumi.Input<string>;
}

/**
 * A one-time SSH host key for a Droplet's user data (`ssh_keys` of cloud-init).
 *
 * It is good for the first connection only: `Node` exchanges it for a key that never leaves the node. Whoever can read
 * the user data until then could pass for the node.
 */
export class HostKey extends SwarmResource {
  /** `ssh-ed25519 AAAA…`. */
  declare readonly publicKey: pulumi.Output<string>;
  /** OpenSSH PEM. Secret. */
  declare readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: HostKeyArgs, opts?: pulumi.CustomResourceOptions) {
    super("HostKey", name, { ...args }, ["publicKey", "privateKey"], secretly(opts, "privateKey"));
  }
}

export interface PasswordArgs {
  /** Characters, 16 to 256. Changing this replaces the password. @default 32 */
  readonly length?: pulumi.Input<number>;
}

/** A random password that is made once and kept, encrypted, in state. */
export class Password extends SwarmResource {
  /** Letters and digits only, so that it fits into a URL or a file as it is. Secret. */
  declare readonly value: pulumi.Output<string>;

  constructor(name: string, args: PasswordArgs, opts?: pulumi.CustomResourceOptions) {
    super("Password", name, { ...args }, ["value"], secretly(opts, "value"));
  }
}

export interface ClusterArgs {
  /** Lower-case letters, digits and hyphens, at most 63. Changing this makes another swarm. */
  readonly name: pulumi.Input<string>;
  /**
   * IPv4 CIDRs that overlay networks are cut from, /24 each. They must not overlap the VPC. Docker takes them only when a swarm
   * starts, so changing this makes another swarm.
   *
   * @default Docker's 10.0.0.0/8
   */
  readonly defaultAddrPool?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * The identity of a swarm: its `id` outlives every node. Nothing exists behind it until the first `Node` starts the swarm,
 * and the swarm ends with its last node.
 */
export class Cluster extends SwarmResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly defaultAddrPool: pulumi.Output<string[] | undefined>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.CustomResourceOptions) {
    super("Cluster", name, { ...args }, ["name", "defaultAddrPool"], opts);
  }
}

/** A directory that must exist on a node's Volume. */
export interface NodeDirectory {
  /** Relative to the mount point, without `..`. */
  readonly path: string;
  /** Octal mode, given when the directory is made. @default "0755" */
  readonly mode?: string;
}

/** A Volume that user data formats and mounts. */
export interface NodeVolume {
  /** `/dev/disk/by-id/scsi-0DO_Volume_<name>`. */
  readonly device: pulumi.Input<string>;
  /** Absolute path. */
  readonly mountPoint: pulumi.Input<string>;
  /** Once the device has this size its file system (xfs or ext4) is grown to it, while mounted. */
  readonly sizeGib: pulumi.Input<number>;
  /** @default none */
  readonly directories?: pulumi.Input<pulumi.Input<NodeDirectory>[]>;
}

export interface NodeArgs {
  /** `Cluster.id`. Changing this takes the node out of one swarm and into another. */
  readonly cluster: pulumi.Input<string>;
  /** `Cluster.defaultAddrPool`; used by the node that starts the swarm. */
  readonly defaultAddrPool?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** The node's name in messages: that of its Droplet. */
  readonly name: pulumi.Input<string>;
  /** `manager` or `worker`. Changing this promotes or demotes in place. */
  readonly role: pulumi.Input<string>;
  /** ID of the Droplet. Changing this joins the new Droplet, then takes the old one out. */
  readonly dropletId: pulumi.Input<string>;
  /** The Droplet's size slug: when it changes, the node is awaited until it is back after its power cycle. */
  readonly dropletSize?: pulumi.Input<string>;
  /** Public IPv4 address or name that SSH goes to. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** IPv4 address inside the VPC that other nodes use. Changing this replaces the membership. */
  readonly privateIp: pulumi.Input<string>;
  /** `HostKey.publicKey` of the Droplet's user data; of use at the first connection only. */
  readonly bootHostKey: pulumi.Input<string>;
  /** OpenSSH public keys: the only ones that may log in as root, the operator's among them. @default left alone */
  readonly authorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** Swarm node labels. Labels that others set on the node stay. @default none */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  readonly volume?: pulumi.Input<NodeVolume>;
  /** Managers of the swarm, to join it through and to leave it by. @default none: the node starts the swarm */
  readonly peers?: pulumi.Input<pulumi.Input<Connection>[]>;
}

/**
 * A Droplet's membership of a swarm.
 *
 * Create waits for SSH (≤ 300 s) and for cloud-init (≤ 900 s), has the node make its permanent host key, starts or joins the swarm
 * and is done when the swarm counts the node as ready. Killed at any point, the next `pulumi up` finishes it: a node
 * whose key was exchanged already introduces the new one with a signature by the old.
 * Update brings keys, labels, role and Volume to what the inputs say, after waiting for a node that was resized.
 * Read finds a node that has left, and changed labels, role and keys; a node that does not answer within 12 s keeps its last known
 * state, with a warning, because whether it exists is for its Droplet to say.
 * Delete leaves the swarm and unmounts the Volume; a node that does not answer within 12 s is taken as gone.
 *
 * Login keys come from ARCHIPELAGO_SSH_KEY, else the SSH agent, else `~/.ssh/id_ed25519`, and are in no state.
 *
 * @throws {Error} when user data failed, with its last 20 lines; when the machine shows another host key; when no key may
 * log in; when the machine is a member of another swarm.
 */
export class Node extends SwarmResource {
  /** Swarm node ID; also the resource's `id`. */
  declare readonly nodeId: pulumi.Output<string>;
  /** The permanent host key. */
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly connection: pulumi.Output<Connection>;
  /** Advertise address: `privateIp`. */
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: NodeArgs, opts?: pulumi.CustomResourceOptions) {
    super("Node", name, { ...args }, ["nodeId", "hostKey", "connection", "address"], opts);
  }
}

/** A swarm secret as a file of a task: `/run/secrets/<fileName>`, or the absolute path that `fileName` is. */
export interface SecretFile {
  readonly secretId: pulumi.Input<string>;
  readonly secretName: pulumi.Input<string>;
  readonly fileName: pulumi.Input<string>;
  /** @default 0o444 */
  readonly fileMode?: pulumi.Input<number>;
}

/** A swarm config as a file of a task: `/<fileName>`, or the absolute path that `fileName` is. */
export interface ConfigFile {
  readonly configId: pulumi.Input<string>;
  readonly configName: pulumi.Input<string>;
  readonly fileName: pulumi.Input<string>;
  /** @default 0o444 */
  readonly fileMode?: pulumi.Input<number>;
}

export interface JobArgs {
  /** A manager. Changing this does not run the job again. */
  readonly connection: pulumi.Input<Connection>;
  /** Lower-case letters, digits and hyphens, at most 40. */
  readonly name: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  /** Program and arguments; the image's own entrypoint is not used. */
  readonly command: pulumi.Input<pulumi.Input<string>[]>;
  /** IDs or names of attachable networks. @default none */
  readonly networks?: pulumi.Input<pulumi.Input<string>[]>;
  readonly secrets?: pulumi.Input<pulumi.Input<SecretFile>[]>;
  readonly configs?: pulumi.Input<pulumi.Input<ConfigFile>[]>;
  /** Readable by whoever may ask Docker: no place for secrets. @default none */
  readonly env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Swarm placement constraints, such as `node.id==abc`. @default none */
  readonly constraints?: pulumi.Input<pulumi.Input<string>[]>;
  /** Directories of the node, absolute paths. @default none */
  readonly mounts?: pulumi.Input<
    pulumi.Input<{
      source: pulumi.Input<string>;
      target: pulumi.Input<string>;
      readOnly?: pulumi.Input<boolean>;
    }>[]
  >;
  /** `uid` or `uid:gid`. @default the image's */
  readonly user?: pulumi.Input<string>;
  /** Login to the image's registry. Give the password as a secret. @default none */
  readonly registryAuth?: pulumi.Input<{
    address: pulumi.Input<string>;
    username: pulumi.Input<string>;
    password: pulumi.Input<string>;
  }>;
  /** 1 to 86400. Changing this does not run the job again. @default 600 */
  readonly timeoutSeconds?: pulumi.Input<number>;
}

/**
 * A command that runs to its end exactly once for its inputs, such as a schema migration before a deploy.
 *
 * It is a swarm service in mode `replicated-job`, named after its inputs, and that service stays as the record: a
 * `pulumi up` that was killed finds it and waits for its outcome, and only a run that failed is tried again. Changing any
 * input but `connection`, `registryAuth` and `timeoutSeconds` runs it again and then removes the record of before.
 *
 * @throws {Error} when the command fails, with its exit code and last 15 lines; when it does not end in time (it is not
 * stopped then).
 */
export class Job extends SwarmResource {
  constructor(name: string, args: JobArgs, opts?: pulumi.CustomResourceOptions) {
    super("Job", name, { ...args }, [], secretly(opts, "registryAuth"));
  }
}

export interface RolloutArgs {
  /** A manager. */
  readonly connection: pulumi.Input<Connection>;
  /** Names of swarm services; `version` is anything that changes when the service does. */
  readonly services: pulumi.Input<
    pulumi.Input<{ name: pulumi.Input<string>; version?: pulumi.Input<string> }>[]
  >;
  /** Asked from the operator's machine once the services are well; any answer below 500 will do. @default none */
  readonly url?: pulumi.Input<string> | undefined;
  /** Anything whose change is reason to look again. @default none */
  readonly triggers?: pulumi.Input<unknown>;
  /** For all of it together, 1 to 3600. @default 300 */
  readonly timeoutSeconds?: pulumi.Input<number>;
}

/**
 * Waits until services run what was last deployed: every task is of the current version, running, and healthy where the
 * service has a health check (else it has to live for 3 s).
 *
 * @throws {Error} when an update was paused or rolled back, when three tasks fail, or when time is up; it names service,
 * task, node and state, and shows the last 15 lines of the task that failed last.
 */
export class Rollout extends SwarmResource {
  /** How many tasks run. */
  declare readonly tasks: pulumi.Output<number>;

  constructor(name: string, args: RolloutArgs, opts?: pulumi.CustomResourceOptions) {
    super("Rollout", name, { ...args }, ["tasks"], opts);
  }
}

function secretly(opts: pulumi.CustomResourceOptions | undefined, output: string) {
  return pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: [output] });
}
