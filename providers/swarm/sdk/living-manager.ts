import * as pulumi from "@pulumi/pulumi";
import type { Connection, JumpHost } from "./connection";

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
