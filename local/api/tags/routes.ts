import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { baseUrl } from "../urls";
import { ensureTags, findTag, hasTag, sameTag, tagView, withoutTag, withTag } from "./model";

interface TagPath {
  Params: { tag: string };
}

const creation = z.object({ name: z.string({ error: "Tag name is required" }) });

const resources = z.object({
  resources: z.array(
    z.object({
      resource_id: z.coerce.string(),
      resource_type: z.enum(["droplet", "image", "volume", "volume_snapshot", "database"]),
    }),
  ),
});

type Resource = z.output<typeof resources>["resources"][number];

export function tagRoutes(app: FastifyInstance, context: Context): void {
  const { store, network } = context;

  const find = (name: string) => {
    const tag = findTag(store, name);
    if (!tag) throw notFound();
    return tag;
  };

  /** Changes the tags of one resource. */
  const retag = (
    { resource_id: id, resource_type: type }: Resource,
    change: (resource: { tags: readonly string[] }) => string[],
  ) => {
    const collection = {
      droplet: store.droplets,
      image: store.images,
      volume: store.volumes,
      volume_snapshot: store.volumeSnapshots,
      database: store.databases,
    }[type];
    const key = (type === "droplet" || type === "image" ? Number(id) : id) as never;
    const record = collection.get(key);
    if (!record) throw unprocessable(`${type} ${id} was not found`);
    collection.patch(key, { tags: change(record) });
  };

  app.get("/v2/tags", (request) =>
    paginate(
      request,
      "tags",
      store.tags.all().map((tag) => tagView(store, tag, baseUrl(request))),
    ),
  );

  app.post("/v2/tags", (request, reply) => {
    const { name } = parse(creation, request.body);
    const tag = store.transaction(() => {
      ensureTags(context, [name]);
      return find(name);
    });
    return reply.code(201).send({ tag: tagView(store, tag, baseUrl(request)) });
  });

  app.get<TagPath>("/v2/tags/:tag", (request) => ({
    tag: tagView(store, find(request.params.tag), baseUrl(request)),
  }));

  app.delete<TagPath>("/v2/tags/:tag", async (request, reply) => {
    store.transaction(() => {
      const { name } = find(request.params.tag);
      for (const collection of [
        store.droplets,
        store.images,
        store.volumes,
        store.volumeSnapshots,
        store.firewalls,
        store.databases,
      ])
        for (const record of collection.filter((each: { tags: readonly string[] }) =>
          hasTag(each, name),
        ))
          collection.patch(record.id as never, { tags: withoutTag(record, name) });
      for (const { id, tag } of store.loadBalancers.all())
        if (tag !== undefined && sameTag(tag, name))
          store.loadBalancers.patch(id, { tag: undefined });
      store.tags.remove(name.toLowerCase());
    });
    await network.sync();
    return reply.code(204).send();
  });

  app.post<TagPath>("/v2/tags/:tag/resources", async (request, reply) => {
    const input = parse(resources, request.body);
    store.transaction(() => {
      const { name } = find(request.params.tag);
      for (const each of input.resources) retag(each, (resource) => withTag(resource, name));
    });
    await network.sync();
    return reply.code(204).send();
  });

  app.delete<TagPath>("/v2/tags/:tag/resources", async (request, reply) => {
    const input = parse(resources, request.body);
    store.transaction(() => {
      const { name } = find(request.params.tag);
      for (const each of input.resources) retag(each, (resource) => withoutTag(resource, name));
    });
    await network.sync();
    return reply.code(204).send();
  });
}
