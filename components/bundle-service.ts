import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { loader } from "./bundle";
import {
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  type ServiceSpec,
  serviceArgs,
} from "./service-defaults";

type Container = ServiceSpec["container"];

export interface BundleServiceArgs extends Pick<
  ServiceSpec,
  "networkId" | "memoryMib" | "constraints" | "labels"
> {
  /** Name in the swarm. @default the resources' */
  readonly service?: string;
  /** With Node.js 20 or later. */
  readonly image: pulumi.Input<string>;
  /** As `bundle` makes it. */
  readonly program: Buffer;
  /** Where the task finds the program, ending in `.js.gz`. */
  readonly codeFile: string;
  /** What else its container has. Its configs come after the program. */
  readonly container: {
    readonly configs?: readonly docker.types.input.ServiceTaskSpecContainerSpecConfig[];
  } & Pick<Container, "env" | "user" | "init" | "secrets" | "mounts">;
  /** Command of a shell, which succeeds while the program is well. */
  readonly aliveCommand: string;
  /** What must be there before. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A program of ours as a swarm service of one task, as a child of `parent`. Two tasks at a time would do everything twice: one stops
 * before the next one starts.
 */
export function bundleService(
  name: string,
  args: BundleServiceArgs,
  parent: pulumi.Resource,
): RolloutTarget {
  const { service = name, networkId, memoryMib, constraints, labels, codeFile } = args;
  const { env, user, init, configs = [], secrets, mounts } = args.container;
  const code = new docker.ServiceConfig(
    `${name}-code`,
    { data: args.program.toString("base64") },
    { parent, deleteBeforeReplace: false },
  );
  const spec = serviceArgs({
    name: service,
    networkId,
    replicas: 1,
    order: "stop-first",
    memoryMib,
    constraints,
    labels,
    container: {
      image: args.image,
      commands: ["node", "-e", loader(codeFile)],
      env,
      user,
      init,
      configs: [
        { configId: code.id, configName: code.name, fileName: codeFile, fileMode: READABLE },
        ...configs,
      ],
      secrets,
      mounts,
      healthcheck: {
        tests: ["CMD-SHELL", args.aliveCommand],
        interval: "10s",
        timeout: "3s",
        retries: 3,
        startPeriod: "30s",
      },
    },
  });
  const running = new docker.Service(name, spec, { parent, dependsOn: [...args.after] });
  return rolloutTarget(service, running, spec);
}
