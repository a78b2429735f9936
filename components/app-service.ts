import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../providers/swarm/sdk";
import { type Container, type ContainerArgs, makeContainer } from "./app/container";
import { httpHealthCheck } from "./app/health-check";
import type { RegistryLogin } from "./registry";
import { type RolloutTarget, rolloutTarget, serviceArgs, SINGLETON } from "./service-defaults";

export interface AppServiceArgs extends ContainerArgs {
  readonly networkId: pulumi.Input<string>;
  /** Manager that runs the release command. */
  readonly connection: pulumi.Input<swarm.Connection>;
  /** Of the registry that the image comes from. @default none: anybody may pull it */
  readonly login?: RegistryLogin | undefined;
  /** Where `service.volume` is kept, and on which node. */
  readonly volume: { readonly directory: string; readonly nodeId: pulumi.Input<string> };
  /** What must be well before the release command runs: the database. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * One service of the app: its image, its secrets, its release command and its tasks.
 *
 * ```ts
 * new AppService("web", { service: config.services.web, root, given: {}, networkId, connection, volume, after: [] });
 * ```
 *
 * A stateless service starts each new task before the old one stops, and goes back when the new one is
 * not healthy. One with a volume stops first: two tasks never share its files.
 */
export class AppService extends pulumi.ComponentResource {
  /** Reference of the running image. */
  readonly image: pulumi.Output<string>;
  readonly target: RolloutTarget;

  constructor(name: string, args: AppServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:app:AppService", name, {}, opts);
    const { service } = args;
    const alone = service.volume !== undefined;

    const container = makeContainer(name, args, this);
    const release = this.makeRelease(name, args, container);
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: service.replicas,
      order: alone ? "stop-first" : "start-first",
      memoryMib: service.resources.memoryMib,
      cpus: service.resources.cpus,
      ...(alone && {
        constraints: [pulumi.interpolate`node.id == ${args.volume.nodeId}`],
        labels: SINGLETON,
      }),
      container: {
        image: container.image,
        ...(service.entrypoint && { commands: service.entrypoint }),
        ...(service.command && { args: service.command }),
        env: container.env,
        // Reaps children and passes signals on: many images start their app through a shell.
        init: true,
        secrets: [...container.secrets],
        ...(alone && {
          mounts: [{ type: "bind", source: args.volume.directory, target: service.volume ?? "" }],
        }),
        ...(service.port !== undefined && {
          healthcheck: httpHealthCheck(service.port, service.health),
        }),
      },
    });
    const tasks = new docker.Service(name, spec, {
      parent: this,
      // New code must not run on the old schema.
      dependsOn: [...args.after, ...container.copies, ...(release ? [release] : [])],
    });

    this.image = container.image;
    this.target = rolloutTarget(name, tasks, spec);
    this.registerOutputs({ image: this.image });
  }

  private makeRelease(
    name: string,
    { service, login, networkId, connection, after }: AppServiceArgs,
    { image, copies, secrets, env }: Container,
  ): swarm.Job | undefined {
    if (service.release === undefined) return undefined;
    return new swarm.Job(
      `${name}-release`,
      {
        connection,
        name: `${name}-release`,
        image,
        command: service.release,
        networks: [networkId],
        secrets: [...secrets],
        env,
        ...(login && { registryAuth: login }),
      },
      { parent: this, dependsOn: [...after, ...copies] },
    );
  }
}
