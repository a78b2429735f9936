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

/**
 * Builds an image on the node. Its tag is the hash of its context, so that changed code is another image.
 *
 * @param context directory relative to `root`.
 * @returns the reference. Its registry is the node itself: Docker looks nowhere else for it, so nobody can
 * put an image of that name in our way.
 */
export function builtImage(
  name: string,
  source: BuildSource,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  return builtCopy(name, name, source, opts).name;
}

interface BuildSource {
  readonly root: string;
  readonly context: string;
  readonly dockerfile: string;
}

/** The same image on another node, under the same reference. */
export function builtCopy(
  resource: string,
  name: string,
  { root, context, dockerfile }: BuildSource,
  opts: pulumi.CustomResourceOptions,
): docker.RemoteImage {
  return new docker.RemoteImage(
    resource,
    {
      name: `localhost/archipelago/${name}:${contextHash(path.resolve(root, context))}`,
      build: { context, dockerfile },
      keepLocally: true,
    },
    opts,
  );
}
