import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./connection";
import { secretly, SwarmResource } from "./resource";

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
