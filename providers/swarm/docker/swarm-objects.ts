/** Objects of Docker's Engine API (v1.41), as far as they are used. https://docs.docker.com/reference/api/engine/version/v1.41/ */
import { z } from "zod";

const version = z.object({ Index: z.number() });
const labels = z.record(z.string(), z.string()).nullish();

export const info = z.object({
  Swarm: z.object({
    NodeID: z.string().default(""),
    LocalNodeState: z.enum(["", "inactive", "pending", "active", "error", "locked"]).default(""),
    ControlAvailable: z.boolean().default(false),
    Error: z.string().default(""),
    RemoteManagers: z.array(z.object({ Addr: z.string() })).nullish(),
  }),
});

export const clock = z.object({ SystemTime: z.string() });

export const swarm = z.object({
  Version: version,
  Spec: z.looseObject({ Labels: labels }),
  JoinTokens: z.object({ Manager: z.string(), Worker: z.string() }),
  DefaultAddrPool: z.array(z.string()).nullish(),
});

export const node = z.object({
  ID: z.string(),
  Version: version,
  Spec: z.looseObject({
    Role: z.enum(["manager", "worker"]),
    Availability: z.enum(["active", "pause", "drain"]),
    Labels: labels,
  }),
  Description: z.object({ Hostname: z.string().default("") }).nullish(),
  Status: z.object({ State: z.string(), Addr: z.string().default("") }),
  ManagerStatus: z
    .object({
      Reachability: z.string().default(""),
      Leader: z.boolean().default(false),
      Addr: z.string().default(""),
    })
    .nullish(),
});
export type Node = z.infer<typeof node>;

export const service = z.object({
  ID: z.string(),
  Version: version,
  Spec: z.looseObject({
    Name: z.string(),
    Labels: labels,
    Mode: z.looseObject({
      Replicated: z.object({ Replicas: z.number().default(1) }).nullish(),
      Global: z.unknown().optional(),
    }),
    TaskTemplate: z.looseObject({
      ContainerSpec: z
        .looseObject({
          Image: z.string().optional(),
          Healthcheck: z.looseObject({ Test: z.array(z.string()).nullish() }).nullish(),
        })
        .nullish(),
      Placement: z.looseObject({ Constraints: z.array(z.string()).nullish() }).nullish(),
    }),
  }),
  UpdateStatus: z.object({ State: z.string().default("") }).nullish(),
});
export type Service = z.infer<typeof service>;

export const task = z.object({
  ID: z.string(),
  ServiceID: z.string().default(""),
  NodeID: z.string().default(""),
  DesiredState: z.string(),
  Status: z.object({
    Timestamp: z.string(),
    State: z.string(),
    Err: z.string().default(""),
    ContainerStatus: z.object({ ContainerID: z.string().default("") }).nullish(),
  }),
});
export type Task = z.infer<typeof task>;

export const config = z.object({
  ID: z.string(),
  Version: version,
  Spec: z.looseObject({ Name: z.string(), Labels: labels }),
});
