import type { FastifyInstance, FastifyRequest } from "fastify";
import { timestamp } from "../context";
import { notFound } from "../errors";
import { paginate } from "../pagination";
import type { Manifest, RegistryContents } from "./contents";

interface RegistryPath {
  Params: { registry: string };
}
interface RepositoryPath {
  Params: { registry: string; repository: string };
}
interface TagPath {
  Params: { registry: string; repository: string; tag: string };
}
interface DigestPath {
  Params: { registry: string; repository: string; digest: string };
}

interface Place {
  readonly registry: string;
  readonly repository: string;
}

const manifestView = ({ registry, repository }: Place, manifest: Manifest) => ({
  registry_name: registry,
  repository,
  digest: manifest.digest,
  compressed_size_bytes: manifest.bytes,
  size_bytes: manifest.bytes,
  updated_at: timestamp(new Date(manifest.builtAt)),
  tags: manifest.tags,
  blobs: manifest.blobs.map(({ digest, bytes }) => ({ digest, compressed_size_bytes: bytes })),
});

const tagViews = ({ registry, repository }: Place, manifest: Manifest) =>
  manifest.tags.map((tag) => ({
    registry_name: registry,
    repository,
    tag,
    manifest_digest: manifest.digest,
    compressed_size_bytes: manifest.bytes,
    size_bytes: manifest.bytes,
    updated_at: timestamp(new Date(manifest.builtAt)),
  }));

const newest = (manifests: readonly Manifest[]): Manifest | undefined =>
  [...manifests].sort((a, b) => Date.parse(b.builtAt) - Date.parse(a.builtAt))[0];

/**
 * Repositories, tags and manifests, as the server holds them.
 *
 * @param base `/v2/registry` or `/v2/registries`: the older and the newer paths of the same.
 * @param contentsOf throws 404 for a registry that does not exist.
 */
export function repositoryRoutes(
  app: FastifyInstance,
  base: string,
  contentsOf: (registry: string) => RegistryContents,
): void {
  const path = `${base}/:registry`;

  const repositories = async (
    request: FastifyRequest<RegistryPath>,
    view: (place: Place, manifests: readonly Manifest[]) => object,
  ) => {
    const { registry } = request.params;
    const contents = contentsOf(registry);
    const page = paginate(request, "repositories", await contents.repositories());
    const views = page.repositories.map(async (repository) =>
      view({ registry, repository }, await contents.manifests(repository)),
    );
    return { ...page, repositories: await Promise.all(views) };
  };

  if (base === "/v2/registry")
    app.get<RegistryPath>(`${path}/repositories`, (request) =>
      repositories(request, (place, manifests) => {
        const latest = newest(manifests);
        return {
          registry_name: place.registry,
          name: place.repository,
          latest_tag: latest && tagViews(place, latest)[0],
          tag_count: manifests.flatMap(({ tags }) => tags).length,
        };
      }),
    );

  app.get<RegistryPath>(`${path}/repositoriesV2`, (request) =>
    repositories(request, (place, manifests) => {
      const latest = newest(manifests);
      return {
        registry_name: place.registry,
        name: place.repository,
        latest_manifest: latest && manifestView(place, latest),
        tag_count: manifests.flatMap(({ tags }) => tags).length,
        manifest_count: manifests.length,
      };
    }),
  );

  app.get<RepositoryPath>(`${path}/repositories/:repository/tags`, async (request) => {
    const { params } = request;
    const manifests = await contentsOf(params.registry).manifests(params.repository);
    return paginate(
      request,
      "tags",
      manifests.flatMap((each) => tagViews(params, each)),
    );
  });

  app.get<RepositoryPath>(`${path}/repositories/:repository/digests`, async (request) => {
    const { params } = request;
    const manifests = await contentsOf(params.registry).manifests(params.repository);
    return paginate(
      request,
      "manifests",
      manifests.map((each) => manifestView(params, each)),
    );
  });

  app.delete<TagPath>(`${path}/repositories/:repository/tags/:tag`, async (request, reply) => {
    const { registry, repository, tag } = request.params;
    await contentsOf(registry).deleteTag(repository, tag);
    return reply.code(204).send();
  });

  app.delete<DigestPath>(
    `${path}/repositories/:repository/digests/:digest`,
    async (request, reply) => {
      const { registry, repository, digest } = request.params;
      const contents = contentsOf(registry);
      if (!(await contents.manifests(repository)).some((each) => each.digest === digest))
        throw notFound("manifest not found");
      await contents.deleteManifest(repository, digest);
      return reply.code(204).send();
    },
  );

  if (base === "/v2/registries")
    app.delete<RepositoryPath>(`${path}/repositories/:repository`, async (request, reply) => {
      const { registry, repository } = request.params;
      const contents = contentsOf(registry);
      for (const { digest } of await contents.manifests(repository))
        await contents.deleteManifest(repository, digest);
      return reply.code(204).send();
    });
}
