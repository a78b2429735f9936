import { randomBytes } from "node:crypto";
import { z } from "zod";
import { swarmEngine } from "../docker/swarm-engine";
import { waitUntilActive } from "../node/join";
import { meetMachine } from "../node/machine";
import type { Context, Resource } from "../protocol/resource";
import { changedKeys, secret, UNKNOWN } from "../protocol/values";
import type { SwarmEngine } from "../swarm/engine";
import { isSurelyGone } from "../swarm/gone";
import { swarmOf } from "../swarm/process";
import { makeSigningKey, writeProof } from "../swarm/proof";
import { CLUSTER_LABEL } from "../swarm/swarm";
import { importCluster } from "./cluster-import";
import * as shape from "./inputs";

const inputsSchema = z.strictObject({
  name: shape.hostLabel,
  defaultAddrPool: z.array(shape.cidr).min(1, "must name at least one CIDR").optional(),
  managers: z
    .custom<number>((value) => [1, 3, 5, 7].includes(value as number), {
      error: (issue) =>
        `must be odd (1, 3, 5 or 7), because an even number tolerates no more losses than one less, got ${JSON.stringify(issue.input)}`,
    })
    .optional(),
  tag: shape.nonEmptyText,
  bastion: shape.jumpHost.optional(),
  first: z.strictObject({
    host: shape.hostName,
    port: shape.port.optional(),
    privateIp: shape.ipv4,
    bootHostKey: shape.hostKey,
    dropletId: shape.nonEmptyText,
  }),
});

const stateSchema = z.looseObject({ signingKey: z.string() });

/** Docker takes them only when a swarm starts. */
const FIXED = ["name", "defaultAddrPool"];

/** See `Cluster` in `sdk`. */
export const Cluster: Resource = {
  check: (inputs) => shape.checkWith(inputsSchema, inputs),
  diff: (before, after) => {
    const changed = changedKeys(before, after);
    const fixed = changed.filter((key) => FIXED.includes(key));
    if (fixed.length > 0) {
      throw new Error(
        `${fixed.join(" and ")} of a swarm cannot be changed: Docker takes it only when a swarm starts. ` +
          "Put the old value back, or make a new stack and move over to it",
      );
    }
    return { changed, replaces: [] };
  },
  preview: (inputs, state) => ({ ...inputs, signingKey: state?.["signingKey"] ?? UNKNOWN }),

  create: async (rawInputs, context) => {
    const inputs = inputsSchema.parse(rawInputs);
    const { first, bastion } = inputs;
    const { docker, connection, address } = await meetMachine({ ...first, bastion }, context);
    const engine = swarmEngine(docker);
    const id = await ensureSwarm(engine, inputs, context);
    await waitUntilActive(engine, context.name, context);
    const signingKey = makeSigningKey();
    const identity = { clusterId: id, clusterKey: signingKey, tag: inputs.tag, bastion };
    await writeProof(connection, identity, address.hostKey);
    swarmOf(identity).nodes.remember([address]);
    return { id, state: { ...rawInputs, signingKey: secret(signingKey) } };
  },

  read: async (id, state, rawInputs, context) => {
    const { tag, first, bastion } = inputsSchema.parse(rawInputs);
    const { signingKey } = stateSchema.parse(state);
    const identity = { clusterId: id, clusterKey: signingKey, tag, bastion };
    if (await isSurelyGone(identity, first, context)) return undefined;
    return { state: { ...state, signingKey: secret(signingKey) }, inputs: rawInputs };
  },

  import: importCluster,

  update: (_id, state, _before, after) =>
    Promise.resolve({ ...after, signingKey: secret(stateSchema.parse(state).signingKey) }),

  // It ends with its nodes.
  delete: () => Promise.resolve(),
};

/** Starts the swarm, or finds the one that a run before this one started. @returns its ID. */
async function ensureSwarm(
  engine: SwarmEngine,
  { name, defaultAddrPool, first }: z.infer<typeof inputsSchema>,
  context: Context,
): Promise<string> {
  const { state, isManager, error } = await engine.info();
  if (state === "inactive") {
    const id = `${name}-${randomBytes(4).toString("hex")}`;
    await engine.init({
      privateIp: first.privateIp,
      labels: { [CLUSTER_LABEL]: id },
      defaultAddrPool,
    });
    return id;
  }
  if (state === "error" || state === "locked") {
    throw new Error(`the swarm on ${first.host} is ${state}: ${error || "unlock it on the node"}`);
  }
  const owner = isManager ? (await engine.swarmLabels())[CLUSTER_LABEL] : undefined;
  if (
    owner !== undefined &&
    /^[0-9a-f]{8}$/.test(owner.slice(name.length + 1)) &&
    owner.startsWith(`${name}-`)
  ) {
    context.log.info(`${first.host} has started swarm ${owner} before: it is kept`);
    return owner;
  }
  throw new Error(
    `${first.host} is already in the swarm of ${owner ? `cluster ${owner}` : "somebody else"}, and cannot start ${name}: ` +
      'replace the Droplet, or run "docker swarm leave --force" on it if nothing there is needed',
  );
}
