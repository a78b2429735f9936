import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { ServiceConfig } from "../infra/config";
import * as swarm from "../providers/swarm/sdk";
import { httpHealthCheck } from "./app/health-check";
import { builtCopy, builtImage, pulledImage } from "./images";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
} from "./service-defaults";

export interface AppServiceArgs {
  readonly service: ServiceConfig;
  /** Directory that build contexts start at. */
  readonly root: string;
  readonly networkId: pulumi.Input<string>;
  /** Manager that runs the release command. */
  readonly connection: pulumi.Input<swarm.Connection>;
  /** Given to the service as the file /run/secrets/database_url. @default no database */
  readonly databaseUrl?: pulumi.Input<string> | undefined;
  /** Where `service.volume` is kept, and on which node. */
  readonly volume: { readonly directory: string; readonly nodeId: pulumi.Input<string> };
  /** Docker providers of the other nodes, by node name: without a registry an image is built on each. @default one node */
  readonly builders?: Readonly<Record<string, docker.Provider>>;
  /** What must be well before the release command runs: the database. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * One service of the app: its image, its secrets, its release command and its tasks.
 *
 * ```ts
 * new AppService("web", { service: config.services.web, root, networkId, connection, volume, after: [] });
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
    const child = { parent: this };

    this.image = this.makeImage(name, args);
    const copies = this.makeCopies(name, args);
    const secrets = this.makeSecrets(name, args);
    const env = {
      APP_VERSION: this.image.apply(imageVersion),
      ...environment(service, args.databaseUrl !== undefined),
    };
    const release = this.makeRelease(name, args, { secrets, env, copies });
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: service.replicas,
      order: service.volume === undefined ? "start-first" : "stop-first",
      memoryMib: service.resources.memoryMib,
      cpus: service.resources.cpus,
      ...(service.volume !== undefined && {
        constraints: [pulumi.interpolate`node.id == ${args.volume.nodeId}`],
      }),
      container: {
        image: this.image,
        ...(service.command && { args: service.command }),
        env,
        // Reaps children and passes signals on: many images start their app through a shell.
        init: true,
        secrets,
        ...(service.volume !== undefined && {
          mounts: [{ type: "bind", source: args.volume.directory, target: service.volume }],
        }),
        ...(service.port !== undefined && {
          healthcheck: httpHealthCheck(service.port, service.health),
        }),
      },
    });
    const tasks = new docker.Service(name, spec, {
      ...child,
      // New code must not run on the old schema.
      dependsOn: [...args.after, ...copies, ...(release ? [release] : [])],
    });

    this.target = rolloutTarget(name, tasks, spec);
    this.registerOutputs({ image: this.image });
  }

  private makeImage(name: string, { service, root }: AppServiceArgs): pulumi.Output<string> {
    const opts = { parent: this };
    if (service.build !== undefined) return builtImage(name, { root, ...service.build }, opts);
    return pulledImage(name, service.image ?? "", opts);
  }

  /** A task may be placed on any node, where it must find its image. */
  private makeCopies(name: string, { service, root, builders = {} }: AppServiceArgs) {
    const { build } = service;
    if (build === undefined) return [];
    return Object.entries(builders).map(([node, provider]) =>
      builtCopy(`${name}-${node}`, name, { root, ...build }, { parent: this, provider }),
    );
  }

  private makeSecrets(name: string, { service, databaseUrl }: AppServiceArgs): SecretFile[] {
    const values: Record<string, pulumi.Input<string>> = {
      ...service.secrets,
      ...(databaseUrl !== undefined && { database_url: databaseUrl }),
    };
    return Object.entries(values).map(([fileName, value]) => {
      const secret = new docker.Secret(
        `${name}-${fileName}`,
        { data: pulumi.secret(value).apply(base64) },
        { parent: this, deleteBeforeReplace: false },
      );
      return { secretId: secret.id, secretName: secret.name, fileName, fileMode: READABLE };
    });
  }

  private makeRelease(
    name: string,
    args: AppServiceArgs,
    {
      secrets,
      env,
      copies,
    }: {
      secrets: SecretFile[];
      env: Record<string, pulumi.Input<string>>;
      copies: pulumi.Resource[];
    },
  ): swarm.Job | undefined {
    const { release } = args.service;
    if (release === undefined) return undefined;
    return new swarm.Job(
      `${name}-release`,
      {
        connection: args.connection,
        name: `${name}-release`,
        image: this.image,
        command: release,
        networks: [args.networkId],
        secrets,
        env,
      },
      { parent: this, dependsOn: [...args.after, ...copies] },
    );
  }
}

interface SecretFile {
  readonly secretId: pulumi.Input<string>;
  readonly secretName: pulumi.Input<string>;
  readonly fileName: string;
  readonly fileMode: number;
}

/** What every service is told, below what the stack file says. Docker fills in the node's name. */
export function environment(service: ServiceConfig, database: boolean): Record<string, string> {
  return {
    NODE_NAME: "{{.Node.Hostname}}",
    ...(service.port !== undefined && { PORT: String(service.port) }),
    ...(database && { DATABASE_URL_FILE: "/run/secrets/database_url" }),
    ...service.environment,
  };
}

/** What tells one version of an image from another: its tag, or the start of its digest. */
export function imageVersion(reference: string): string {
  const [, digest] = reference.split("@sha256:");
  return digest?.slice(0, 12) ?? /:([^:/]+)$/.exec(reference)?.[1] ?? "latest";
}
