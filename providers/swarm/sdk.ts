import * as pulumi from "@pulumi/pulumi";

/** A machine that passes connections on to nodes without a public address, pinned to one host key. */
export interface JumpHost {
  /** Public IPv4 address or name. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** The only host key that is accepted: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** How a node is reached: SSH as root, pinned to one host key. No login key is part of it. */
export interface Connection {
  /** Public IPv4 address or name; behind a bastion the private address. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** @default "root" */
  readonly user?: "root";
  /** The only host key that is accepted: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What passes the connection on; the node's own host key is checked behind it all the same. @default none */
  readonly bastion?: JumpHost;
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

export interface BastionArgs {
  /** Of its Droplet. It cannot be changed. */
  readonly name: pulumi.Input<string>;
  /** ID of the Droplet. Changing this meets the new one. */
  readonly dropletId: pulumi.Input<string>;
  /** Public IPv4 address or name. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** `HostKey.publicKey` of the Droplet's user data; of use at the first connection only. */
  readonly bootHostKey: pulumi.Input<string>;
  /** OpenSSH public keys: the only ones that may log in as root, the operator's among them. */
  readonly authorizedKeys: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A Droplet that SSH goes through to nodes without a public address. It is no member of a swarm.
 *
 * Create and update wait for it as `Node` does, have it make its permanent host key in the same way, and set who may log
 * in. Delete does nothing: it goes with its Droplet.
 */
export class Bastion extends SwarmResource {
  /** The permanent host key. */
  declare readonly hostKey: pulumi.Output<string>;
  /** As `bastion` of `Node` and `Cluster`. */
  declare readonly connection: pulumi.Output<JumpHost>;

  constructor(name: string, args: BastionArgs, opts?: pulumi.CustomResourceOptions) {
    super("Bastion", name, { ...args }, ["hostKey", "connection"], opts);
  }
}

/** The Droplet that a swarm starts on. */
export interface FirstNode {
  /** Public IPv4 address or name that SSH goes to; behind a bastion the private one. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** IPv4 address inside the VPC that other nodes use. */
  readonly privateIp: pulumi.Input<string>;
  /** `HostKey.publicKey` of the Droplet's user data. */
  readonly bootHostKey: pulumi.Input<string>;
  readonly dropletId: pulumi.Input<string>;
}

export interface ClusterArgs {
  /** Lower-case letters, digits and hyphens, at most 63. It cannot be changed. */
  readonly name: pulumi.Input<string>;
  /**
   * IPv4 CIDRs that overlay networks are cut from, /24 each. They must not overlap the VPC. Docker takes them only when a swarm
   * starts, so that they cannot be changed.
   *
   * @default Docker's 10.0.0.0/8
   */
  readonly defaultAddrPool?: pulumi.Input<pulumi.Input<string>[]>;
  /** How many managers the program has: 1, 3, 5 or 7. Checked, and used for nothing else. @default not checked */
  readonly managers?: pulumi.Input<number>;
  /** A tag that all Droplets of the swarm carry and no others: its nodes are found by it when nothing else is known. */
  readonly tag: pulumi.Input<string>;
  /** The way to all its nodes, where they have private addresses only. @default none: they are reached directly */
  readonly bastion?: pulumi.Input<JumpHost>;
  /** Where the swarm starts. Of use once: whoever is first later on joins as the others do. */
  readonly first: pulumi.Input<FirstNode>;
}

/**
 * A swarm. Create starts it, on `first` and exactly once: what was started by a run that was killed is kept. It outlives every
 * node, that one included, and ends with the last.
 *
 * Create waits for SSH (≤ 300 s) and for cloud-init (≤ 900 s), and has the machine make its permanent host key.
 * Read finds it gone only when that is sure: DigitalOcean knows no Droplet with `tag`, or each of them answers and is no
 * member. Delete does nothing: `deletedWith: cluster` lets nodes and services go without a living swarm.
 * Import, of a swarm that Archipelago started and no state knows any more: by `<manager>[:<port>]#<fingerprint of its host
 * key>`. It gets a new signing key.
 *
 * @throws {Error} in the preview, when `name` or `defaultAddrPool` of a swarm that exists change.
 */
export class Cluster extends SwarmResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly defaultAddrPool: pulumi.Output<string[] | undefined>;
  declare readonly tag: pulumi.Output<string>;
  declare readonly bastion: pulumi.Output<JumpHost | undefined>;
  /** Signs the host keys of members, so that they can be told from strangers. Ed25519, PKCS #8 in PEM. Secret. */
  declare readonly signingKey: pulumi.Output<string>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["name", "defaultAddrPool", "tag", "bastion", "signingKey"];
    super("Cluster", name, { ...args }, outputs, secretly(opts, "signingKey"));
  }
}

export interface LivingManagerArgs {
  /** `Cluster.id`. */
  readonly clusterId: pulumi.Input<string>;
  /** `Cluster.signingKey`. */
  readonly clusterKey: pulumi.Input<string>;
  readonly tag: pulumi.Input<string>;
  /** `Cluster.bastion`. @default none */
  readonly bastion?: pulumi.Input<JumpHost | undefined>;
  /** Managers in the order of preference; none of them need live. */
  readonly candidates: readonly pulumi.Input<Connection>[];
}

/**
 * A manager to deploy through: during `up` the first that answers as one, of the candidates and then of the Droplets with the
 * tag. A preview asks nobody: it takes the first candidate that is known.
 */
export function livingManager(args: LivingManagerArgs): pulumi.Output<Connection> {
  const { candidates, ...identity } = args;
  if (pulumi.runtime.isDryRun()) {
    return pulumi.output(firstKnown(candidates.map((each) => pulumi.output(each))));
  }
  const found = pulumi
    .all([pulumi.output(identity), pulumi.all([...candidates])])
    .apply(async ([known, connections]) => {
      const given = { ...known, candidates: connections };
      const answer: unknown = await pulumi.runtime.invoke("swarm:index:getLivingManager", given);
      return (answer as { connection: Connection }).connection;
    });
  // Only the key that it was found with is secret.
  return pulumi.unsecret(found);
}

/** A node whose machine is about to be replaced has no connection yet that a preview could tell. */
async function firstKnown(
  candidates: readonly pulumi.Output<Connection>[],
): Promise<pulumi.Output<Connection>> {
  for (const candidate of candidates) {
    // Every Output has it, undeclared: https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/output.ts
    if (await (candidate as unknown as { isKnown: Promise<boolean> }).isKnown) return candidate;
  }
  const [first] = candidates;
  if (first === undefined) throw new Error("livingManager needs at least one candidate");
  return first;
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
  /** `Cluster.signingKey`. */
  readonly clusterKey: pulumi.Input<string>;
  /** `Cluster.tag`. */
  readonly tag: pulumi.Input<string>;
  /** The name of its Droplet, unique in the swarm: whatever else stands under it leaves. Changing this replaces the node. */
  readonly name: pulumi.Input<string>;
  /** `manager` or `worker`. Changing this promotes or demotes in place. */
  readonly role: pulumi.Input<string>;
  /** ID of the Droplet. Changing this joins the new Droplet, then has the old one leave. */
  readonly dropletId: pulumi.Input<string>;
  /** The Droplet's size slug: when it changes, the node is awaited until it is back after its power cycle. */
  readonly dropletSize?: pulumi.Input<string>;
  /** Public IPv4 address or name that SSH goes to; behind a bastion the private one. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** `ClusterArgs.bastion`. @default none */
  readonly bastion?: pulumi.Input<JumpHost>;
  /** IPv4 address inside the VPC that other nodes use; it changes with the Droplet only. */
  readonly privateIp: pulumi.Input<string>;
  /** `HostKey.publicKey` of the Droplet's user data; of use at the first connection only. */
  readonly bootHostKey: pulumi.Input<string>;
  /** OpenSSH public keys: the only ones that may log in as root, the operator's among them. @default left alone */
  readonly authorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** Swarm node labels. Labels that others set on the node stay. @default none */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** `active`, `pause` (no new tasks) or `drain` (no tasks). @default "active" */
  readonly availability?: pulumi.Input<string>;
  readonly volume?: pulumi.Input<NodeVolume>;
}

/**
 * A Droplet's membership of a swarm. It depends on no other node: it finds a living manager itself, and nodes join and leave
 * one at a time, under a lock that is kept in the swarm.
 *
 * Create waits for SSH (≤ 300 s) and for cloud-init (≤ 900 s), has the node make its permanent host key, joins the
 * swarm and is done when that counts the node as ready. Killed at any point, the next `pulumi up` finishes it: a node
 * whose key was exchanged already introduces the new one with a signature by the old.
 * Update brings machine, keys, labels, role, availability and Volume to what the inputs say, after waiting for a node that
 * was resized. A new machine joins first; then the old one leaves.
 * Read finds a node that has left, is down, was demoted, paused or drained by hand, and changed labels and keys.
 * Delete has the node leave safely: its tasks run elsewhere before they stop there, its edge fails the health check first,
 * and a manager goes only if the others stay a quorum. A node that does not answer within 12 s, and is down in its
 * swarm, is struck off the list.
 * Import: by the ID of its cluster's import, `/` and its name or swarm node ID. The next update puts right, in place, what
 * only the program knows.
 *
 * Services say how their tasks move by labels of their own: `archipelago.drain`, a JSON array of a command, is run in
 * each of their tasks on the node before those stop, and `archipelago.drain-seconds` waited; with
 * `archipelago.singleton=true` they never run twice, but stop and start elsewhere.
 *
 * Login keys come from ARCHIPELAGO_SSH_KEY, else the SSH agent, else `~/.ssh/id_ed25519`, and are in no state.
 *
 * @throws {Error} when user data failed, with its last 20 lines; when the machine shows another host key; when no key may
 * log in; when the machine is a member of another swarm; when managers would lose their quorum; when the tasks of a node
 * that leaves have no place elsewhere (the node then stays as it was).
 */
export class Node extends SwarmResource {
  /** Swarm node ID: another one with each machine. */
  declare readonly nodeId: pulumi.Output<string>;
  /** The permanent host key. */
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly connection: pulumi.Output<Connection>;
  /** `privateIp`. */
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: NodeArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["nodeId", "hostKey", "connection", "address"];
    super("Node", name, { ...args }, outputs, secretly(opts, "clusterKey"));
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

export interface AddressChangeArgs {
  /** IPv4 address that names lead to. */
  readonly address: pulumi.Input<string>;
  /** How long a resolver may keep it, 1 to 86400. */
  readonly ttlSeconds: pulumi.Input<number>;
}

/**
 * Holds an `up` while resolvers may still know the address of before.
 *
 * Let it depend on the records. An update that changes `address` waits for the longer of both TTLs, and since the engine
 * deletes nothing before all updates are done, what served the old address goes on serving it meanwhile. Interrupted, it waits
 * again from the start. A create waits for nothing.
 */
export class AddressChange extends SwarmResource {
  constructor(name: string, args: AddressChangeArgs, opts?: pulumi.CustomResourceOptions) {
    super("AddressChange", name, { ...args }, [], opts);
  }
}

function secretly(opts: pulumi.CustomResourceOptions | undefined, output: string) {
  return pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: [output] });
}
