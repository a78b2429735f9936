import { createHash } from "node:crypto";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { duration } from "./duration";

/** Of a service that must not run twice at a time: who empties a node does not start it elsewhere first. */
export const SINGLETON = { "archipelago.singleton": "true" } as const;

type Container = docker.types.input.ServiceTaskSpecContainerSpec;

/** How a service's next task takes over. `start-first` needs two tasks that can run side by side. */
export type UpdateOrder = "start-first" | "stop-first";

export interface HostPort {
  readonly name: string;
  /** Port of the node. */
  readonly published: number;
  /** Port in the container. */
  readonly target: number;
}

export interface ServiceSpec {
  /** Name in the swarm, under which others find it by DNS. */
  readonly name: string;
  readonly container: Container;
  readonly networkId: pulumi.Input<string>;
  /** Tasks in all, or one on each node that the constraints allow. */
  readonly replicas: number | "every-node";
  readonly order: UpdateOrder;
  /** Between one task that is well and the next one's turn, seconds. @default 0 */
  readonly delaySeconds?: number;
  /** Of one task, in MiB. */
  readonly memoryMib: number;
  /** Of one task. @default no limit */
  readonly cpus?: number | undefined;
  /** Node labels, ids or roles a task needs. @default any node */
  readonly constraints?: pulumi.Input<string>[];
  /** Ports of the node itself that lead to its task. @default none */
  readonly hostPorts?: readonly HostPort[];
  /** Of the service itself, for whoever changes the swarm. @default none */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * A swarm service the way this house runs them: found by DNS (decision 5), bounded in memory and logs,
 * restarted always, updated one task at a time and rolled back when the new tasks do not stay well.
 *
 * It does not wait for tasks; `swarm:Rollout` does, for all services at once.
 */
export function serviceArgs(spec: ServiceSpec): docker.ServiceArgs {
  const { replicas, hostPorts, labels } = spec;
  const change = {
    parallelism: 1,
    delay: duration(spec.delaySeconds ?? 0),
    monitor: "10s",
    maxFailureRatio: "0.0",
    order: spec.order,
  };
  return {
    name: spec.name,
    mode: replicas === "every-node" ? { global: true } : { replicated: { replicas } },
    ...(labels && {
      labels: Object.entries(labels).map(([label, value]) => ({ label, value })),
    }),
    endpointSpec: {
      mode: "dnsrr",
      ...(hostPorts && {
        ports: hostPorts.map(({ name, published, target }) => ({
          name,
          protocol: "tcp",
          publishMode: "host",
          publishedPort: published,
          targetPort: target,
        })),
      }),
    },
    updateConfig: { ...change, failureAction: "rollback" },
    rollbackConfig: { ...change, failureAction: "pause" },
    taskSpec: {
      containerSpec: { stopGracePeriod: "30s", ...spec.container },
      networksAdvanceds: [{ id: spec.networkId }],
      resources: {
        limits: {
          memoryBytes: spec.memoryMib * 1024 * 1024,
          ...(spec.cpus !== undefined && { nanoCpus: Math.round(spec.cpus * 1e9) }),
        },
      },
      // Left out, delay and window come back from Docker as changes (pulumi-docker#1285).
      restartPolicy: { condition: "any", delay: "2s", maxAttempts: 0, window: "5s" },
      logDriver: { name: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      placement: {
        // A node that fails takes as few of a service's tasks with it as can be.
        ...(replicas !== "every-node" && { prefs: ["spread=node.id"] }),
        ...(spec.constraints && { constraints: spec.constraints }),
      },
    },
  };
}

/** A service that `swarm:Rollout` waits for. */
export interface RolloutTarget {
  readonly name: string;
  /** Hash of everything that starts new tasks. */
  readonly version: pulumi.Input<string>;
}

export function rolloutTarget(
  name: string,
  service: docker.Service,
  args: docker.ServiceArgs,
): RolloutTarget {
  const version = pulumi
    .all([service.id, pulumi.jsonStringify([args.taskSpec, args.mode])])
    .apply(([id, spec]) =>
      createHash("sha256").update(`${id}\0${spec}`).digest("hex").slice(0, 16),
    );
  return { name, version };
}

/** Reads by everybody in the container: images run as users of their own. */
export const READABLE = 0o444;

/** Content as the docker provider takes it. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
