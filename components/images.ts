import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { contextHash } from "./app/build-context";

/**
 * Images that Archipelago adds to an app. Tags, because a digest names one registry's build: where Docker
 * Hub is out of reach, local mode serves Debian's packages under the same references.
 */
export const IMAGES = {
  haproxy: "haproxy:3.2-alpine",
  node: "node:22-alpine",
  postgres: "postgres:15-alpine",
  pgbouncer: "edoburu/pgbouncer:v1.24.1-p1",
  valkey: "valkey/valkey:8.1-alpine",
} as const;

/**
 * Pulls an image to the node and pins what came.
 *
 * A service that names a tag would show a change at every preview, because Docker pins the tag itself. A
 * tag that moves later is not followed: deploy by digest, or by tags that never move.
 *
 * @returns the reference by digest, e.g. `haproxy@sha256:…`.
 */
export function pulledImage(
  name: string,
  reference: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  if (reference.includes("@sha256:")) return pulumi.output(reference);
  // Kept: other services may use it, and running tasks do.
  const image = new docker.RemoteImage(name, { name: reference, keepLocally: true }, opts);
  return image.repoDigest;
}

/** Where the image of a service is built from. */
export interface BuildSource {
  /** Directory that `context` starts at. */
  readonly root: string;
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
}

/**
 * Builds an image on the node that Docker is reached by. Its tag is the hash of its context, so that changed code is
 * another image.
 *
 * @param repository that the image gets a tag in, and is pushed to. @default none: its registry is the node itself.
 * Docker looks nowhere else for it, so nobody can put an image of that name in our way.
 * @returns the reference; by digest when it was pushed.
 */
export function builtImage(
  name: string,
  source: BuildSource,
  repository: pulumi.Output<string> | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const image = build(name, name, source, repository, opts);
  if (repository === undefined) return image.name;
  const pushed = new docker.RegistryImage(
    name,
    // Kept: running tasks and a way back need it.
    { name: image.name, keepRemotely: true },
    { ...opts, deleteBeforeReplace: false },
  );
  return pulumi
    .all([image.name, pushed.sha256Digest])
    .apply(([full, digest]) => `${full.slice(0, full.lastIndexOf(":"))}@${digest}`);
}

/** The same image on another node, under the reference that it has without a repository. */
export function builtCopy(
  resource: string,
  name: string,
  source: BuildSource,
  opts: pulumi.CustomResourceOptions,
): docker.RemoteImage {
  return build(resource, name, source, undefined, opts);
}

function build(
  resource: string,
  name: string,
  { root, context, dockerfile }: BuildSource,
  repository: pulumi.Output<string> = pulumi.output("localhost/archipelago"),
  opts: pulumi.CustomResourceOptions,
): docker.RemoteImage {
  const tag = contextHash(path.resolve(root, context));
  return new docker.RemoteImage(
    resource,
    {
      name: repository.apply((prefix) => `${prefix}/${name}:${tag}`),
      build: { context, dockerfile },
      keepLocally: true,
    },
    opts,
  );
}
