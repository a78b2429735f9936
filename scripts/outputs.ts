/** The stack outputs that the operator's commands read. */
import { z } from "zod";

const endpoint = z.object({
  host: z.string(),
  port: z.number().optional(),
  /** Pinned OpenSSH public host key. */
  hostKey: z.string(),
});

const connection = endpoint.extend({
  user: z.literal("root").optional(),
  /** What passes the connection on to a node without a public address. */
  bastion: endpoint.optional(),
});

const bastion = z.object({
  publicIp: z.string(),
  /** Absent where machines are simulated. */
  connection: endpoint.optional(),
});

const node = z.object({
  name: z.string(),
  role: z.enum(["manager", "worker"]),
  /** Absent with `privateNodes`. */
  publicIp: z.string().optional(),
  privateIp: z.string(),
  size: z.string(),
  connection: connection.optional(),
});

const outputs = z.object({
  /** Absent where machines are simulated. */
  url: z.string().optional(),
  address: z.string().optional(),
  nodes: z.array(node).default([]),
  bastion: bastion.optional(),
  secondSite: z
    .object({
      nodes: z.array(node),
      bastion: bastion.optional(),
      loadBalancer: z.object({ address: z.string().optional() }).optional(),
    })
    .optional(),
  services: z.record(z.string(), z.object({ image: z.string(), replicas: z.number() })).default({}),
  backup: z
    .object({
      bucket: z.string(),
      recipient: z.string(),
      maxAgeHours: z.number().optional(),
      /** Ways in which people are told when backups stop. */
      alarm: z.array(z.enum(["webhook", "mail", "heartbeat"])).optional(),
    })
    .optional(),
  /** Present where the way in is a Load Balancer. */
  loadBalancer: z.looseObject({}).optional(),
  /** Present where there is a managed database. */
  database: z.looseObject({}).optional(),
  /** Bucket of `archipelago:files`. */
  files: z.object({ bucket: z.string() }).optional(),
  monthlyCost: z.string().optional(),
});

export type Outputs = z.infer<typeof outputs>;
export type NodeOutput = Outputs["nodes"][number];

/** @param json what `pulumi stack output --json` printed. */
export function readOutputs(json: string): Outputs {
  return outputs.parse(JSON.parse(json));
}
