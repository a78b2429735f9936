import { z } from "zod";
import * as shape from "./inputs";

const labels = z.record(z.string(), z.string());

const role = z.enum(["manager", "worker"], {
  error: (issue) => `must be "manager" or "worker", got ${JSON.stringify(issue.input)}`,
});

const volume = z.strictObject({
  device: shape.absolutePath,
  mountPoint: shape.absolutePath,
  sizeGib: shape.wholeNumber(1, 16384, " GiB"),
  directories: z
    .array(
      z.strictObject({
        path: shape.relativePath,
        mode: shape
          .text('an octal mode such as "0755"', (value) => /^[0-7]{3,4}$/.test(value))
          .optional(),
      }),
    )
    .optional(),
});

export const nodeInputs = z.strictObject({
  cluster: shape.nonEmptyText,
  clusterKey: shape.nonEmptyText,
  tag: shape.nonEmptyText,
  name: shape.hostLabel,
  role,
  dropletId: shape.nonEmptyText,
  dropletSize: shape.nonEmptyText.optional(),
  host: shape.hostName,
  port: shape.port.optional(),
  bastion: shape.jumpHost.optional(),
  privateIp: shape.ipv4,
  bootHostKey: shape.hostKey,
  authorizedKeys: z
    .array(shape.authorizedKey)
    .min(1, "must name at least one key, or nobody could log in")
    .optional(),
  labels: labels.optional(),
  availability: z
    .enum(["active", "pause", "drain"], {
      error: (issue) => `must be "active", "pause" or "drain", got ${JSON.stringify(issue.input)}`,
    })
    .optional(),
  volume: volume.optional(),
});
export type NodeInputs = z.infer<typeof nodeInputs>;

/** Inputs as they are in state: a refresh may have put reality in their place, and `status` beside them. */
export const storedInputs = z.looseObject(nodeInputs.shape);
export type StoredInputs = z.infer<typeof storedInputs>;

export const nodeState = z.looseObject({
  nodeId: z.string(),
  hostKey: z.string(),
  /** Managers of its swarm, as they were when the node was seen last. */
  managers: z.array(shape.connection).default([]),
});
export type NodeState = z.infer<typeof nodeState>;
