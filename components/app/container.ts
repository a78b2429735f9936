import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { ServiceConfig } from "../../infra/config";
import { builtCopy, builtImage, pulledImage } from "../images";
import { base64, READABLE } from "../service-defaults";

/** What a service runs with, whenever it runs. */
export interface ContainerArgs {
  readonly service: ServiceConfig;
  /** Directory that build contexts start at. */
  readonly root: string;
  /** Where built images are pushed. @default nowhere: they are built on each node */
  readonly repository?: pulumi.Output<string> | undefined;
  /** The other nodes, by name, that images are built on for want of a registry. */
  readonly builders?: Readonly<Record<string, Builder>> | undefined;
  /** Secrets that Archipelago gives the service, by file name: `database_url`. */
  readonly given: Readonly<Record<string, pulumi.Input<string>>>;
  /** Variables that Archipelago gives the service. @default none */
  readonly told?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
}

/** A node's Docker, and the Droplet that everything in it goes with. */
export interface Builder {
  readonly provider: docker.Provider;
  readonly droplet: pulumi.Resource;
}

export interface Container {
  /** Reference of the image. */
  readonly image: pulumi.Output<string>;
  /** What must be there before a task starts on any node. */
  readonly copies: readonly pulumi.Resource[];
  readonly secrets: readonly SecretFile[];
  readonly env: Readonly<Record<string, pulumi.Input<string>>>;
}

export interface SecretFile {
  readonly secretId: pulumi.Input<string>;
  readonly secretName: pulumi.Input<string>;
  readonly fileName: string;
  readonly fileMode: number;
}

/** Makes image and secrets of a service, as children of `parent`. */
export function makeContainer(
  name: string,
  args: ContainerArgs,
  parent: pulumi.Resource,
): Container {
  const { service, given, told } = args;
  const image = makeImage(name, args, parent);
  const values: Record<string, pulumi.Input<string>> = { ...service.secrets, ...given };
  const secrets = Object.entries(values).map(([fileName, value]) => {
    const secret = new docker.Secret(
      `${name}-${fileName}`,
      { data: pulumi.secret(value).apply(base64) },
      { parent, deleteBeforeReplace: false },
    );
    return { secretId: secret.id, secretName: secret.name, fileName, fileMode: READABLE };
  });
  const env = { APP_VERSION: image.apply(imageVersion), ...told, ...environment(service, given) };
  return { image, copies: makeCopies(name, args, parent), secrets, env };
}

function makeImage(
  name: string,
  { service, root, repository }: ContainerArgs,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { build, image = "" } = service;
  if (build === undefined) return pulledImage(name, image, { parent });
  return builtImage(name, { root, ...build }, repository, { parent });
}

/** A task may be placed on any node, where it must find its image. */
function makeCopies(
  name: string,
  { service: { build }, root, repository, builders = {} }: ContainerArgs,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  if (build === undefined || repository !== undefined) return [];
  return Object.entries(builders).map(([node, { provider, droplet }]) =>
    builtCopy(
      `${name}-${node}`,
      name,
      { root, ...build },
      { parent, provider, deletedWith: droplet },
    ),
  );
}

/** Where the files are of what Archipelago gives. */
const FILE_VARIABLES: Readonly<Record<string, string>> = {
  database_url: "DATABASE_URL_FILE",
  cache_url: "CACHE_URL_FILE",
  cache_ca: "CACHE_CA_FILE",
  files_secret_key: "FILES_SECRET_KEY_FILE",
};

/** What every service is told, below what the stack file says. Docker fills in the node's name. */
export function environment(service: ServiceConfig, given: object): Record<string, string> {
  const files = Object.keys(given).flatMap((file): [string, string][] => {
    const variable = FILE_VARIABLES[file];
    return variable === undefined ? [] : [[variable, `/run/secrets/${file}`]];
  });
  return {
    NODE_NAME: "{{.Node.Hostname}}",
    ...(service.port !== undefined && { PORT: String(service.port) }),
    ...Object.fromEntries(files),
    ...service.environment,
  };
}

/** What tells one version of an image from another: its tag, or the start of its digest. */
export function imageVersion(reference: string): string {
  const [, digest] = reference.split("@sha256:");
  return digest?.slice(0, 12) ?? /:([^:/]+)$/.exec(reference)?.[1] ?? "latest";
}
