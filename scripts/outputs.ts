/** The stack outputs that the operator's commands read. */
import { z } from "zod";

const connection = z.object({
  host: z.string(),
  port: z.number().optional(),
  user: z.string().optional(),
  /** Pinned OpenSSH public host key. */
  hostKey: z.string(),
});

const node = z.object({
  name: z.string(),
  role: z.enum(["manager", "worker"]),
  publicIp: z.string(),
  privateIp: z.string(),
  size: z.string(),
  connection: connection.optional(),
});

const outputs = z.object({
  /** Absent where machines are simulated. */
  url: z.string().optional(),
  address: z.string().optional(),
  nodes: z.array(node).default([]),
  secondSite: z.object({ nodes: z.array(node) }).optional(),
  services: z.record(z.string(), z.object({ image: z.string(), replicas: z.number() })).default({}),
  monthlyCost: z.string().optional(),
});

export type Outputs = z.infer<typeof outputs>;
export type NodeOutput = Outputs["nodes"][number];

/** @param json what `pulumi stack output --json` printed. */
export function readOutputs(json: string): Outputs {
  return outputs.parse(JSON.parse(json));
}
