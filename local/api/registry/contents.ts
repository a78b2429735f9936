import { z } from "zod";
import { notFound, serverError, unprocessable } from "../errors";
import type { RegistryServer } from "./server";

/** An image's description in a repository. */
export interface Manifest {
  readonly digest: string;
  /** Of configuration and layers, compressed. */
  readonly bytes: number;
  /** ISO 8601; when the image was built. */
  readonly builtAt: string;
  readonly tags: readonly string[];
  readonly blobs: readonly { readonly digest: string; readonly bytes: number }[];
}

const catalog = z.object({ repositories: z.array(z.string()).nullish() });
const tagList = z.object({ tags: z.array(z.string()).nullish() });
const blob = z.object({ digest: z.string(), size: z.number() });
const manifest = z.object({ config: blob.optional(), layers: z.array(blob).default([]) });
const config = z.object({ created: z.string().optional() });

const epoch = "1970-01-01T00:00:00Z";

/** What is in one registry, as the account's server tells it. Manifests without a tag are not known to it. */
export class RegistryContents {
  constructor(
    private readonly server: RegistryServer,
    private readonly registry: string,
  ) {}

  /** Names of repositories that hold an image, without the registry's. */
  async repositories(): Promise<string[]> {
    const found = await this.read("_catalog?n=10000", catalog);
    const prefix = `${this.registry}/`;
    const names = (found?.repositories ?? [])
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
    const full = await Promise.all(names.map(async (name) => (await this.tags(name)).length > 0));
    // The server goes on to list repositories whose last image is gone.
    return names.filter((_, index) => full[index]);
  }

  async tags(repository: string): Promise<string[]> {
    const found = await this.read(`${this.registry}/${repository}/tags/list`, tagList);
    return [...(found?.tags ?? [])].sort();
  }

  /** @throws {ApiError} 404 when there is no such repository. */
  async manifests(repository: string): Promise<Manifest[]> {
    const tags = await this.tags(repository);
    if (tags.length === 0) throw notFound("repository not found");
    const found = await Promise.all(tags.map((tag) => this.manifest(repository, tag)));
    const byDigest = new Map<string, Manifest>();
    for (const each of found) {
      const known = byDigest.get(each.digest);
      byDigest.set(each.digest, { ...each, tags: [...(known?.tags ?? []), ...each.tags] });
    }
    return [...byDigest.values()];
  }

  /** @throws {ApiError} 404 when it is not there. */
  async deleteManifest(repository: string, digest: string): Promise<void> {
    const answer = await this.server.ask(
      "DELETE",
      `${this.registry}/${repository}/manifests/${digest}`,
    );
    if (!answer || answer.status === 404) throw notFound("manifest not found");
    if (answer.status !== 202) throw serverError(`the registry answered ${answer.status}`);
  }

  /** @throws {ApiError} 404; 422 when other tags have the same image: the local server knows images only as a whole. */
  async deleteTag(repository: string, tag: string): Promise<void> {
    const found = (await this.manifests(repository)).find(({ tags }) => tags.includes(tag));
    if (!found) throw notFound("tag not found");
    if (found.tags.length > 1)
      throw unprocessable(
        `tag ${tag}: the local registry deletes an image with all its tags, and this one has ${found.tags.join(", ")}`,
      );
    await this.deleteManifest(repository, found.digest);
  }

  private async manifest(repository: string, tag: string): Promise<Manifest> {
    const path = `${this.registry}/${repository}`;
    const answer = await this.server.ask("GET", `${path}/manifests/${tag}`);
    if (answer?.status !== 200) throw serverError(`the registry lost ${path}:${tag}`);
    const { config: head, layers } = manifest.parse(JSON.parse(answer.body.toString()));
    const built = head && (await this.read(`${path}/blobs/${head.digest}`, config));
    const blobs = head ? [head, ...layers] : layers;
    return {
      digest: String(answer.headers["docker-content-digest"]),
      bytes: blobs.reduce((sum, { size }) => sum + size, 0),
      builtAt: built?.created ?? epoch,
      tags: [tag],
      blobs: blobs.map(({ digest, size }) => ({ digest, bytes: size })),
    };
  }

  private async read<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const answer = await this.server.ask("GET", path);
    if (!answer || answer.status === 404) return undefined;
    if (answer.status !== 200) throw serverError(`the registry answered ${answer.status}`);
    return schema.parse(JSON.parse(answer.body.toString()));
  }
}
