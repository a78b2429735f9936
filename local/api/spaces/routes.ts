import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";
import { keyView as view, newLogin, type SpacesKeyRecord } from "./model";

const permissions = ["read", "readwrite", "fullaccess", ""] as const;

/** https://docs.digitalocean.com/products/spaces/details/limits/; none is a key's that may do everything. */
const bucketName = /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/;

interface KeyPath {
  Params: { key: string };
}

const keyInput = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required").max(255),
  grants: z
    .array(
      z.object({
        bucket: z.string().regex(bucketName, "grants: bucket must be the name of a bucket"),
        permission: z.enum(permissions, {
          error: "grants: permission must be read, readwrite or fullaccess",
        }),
      }),
    )
    .nullish(),
});

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Spaces-Keys */
export function spacesKeyRoutes(app: FastifyInstance, { store, spaces, now }: Context): void {
  const path = "/v2/spaces/keys";

  const find = (accessKey: string): SpacesKeyRecord => {
    const key = store.spacesKeys.get(accessKey);
    if (!key) throw notFound();
    return key;
  };
  const read = (body: unknown): Pick<SpacesKeyRecord, "name" | "grants"> => {
    const { name, grants: given } = parse(keyInput, body);
    const grants = given ?? [];
    if (grants.length > 1 && grants.some(({ permission }) => permission === "fullaccess"))
      throw unprocessable("grants: fullaccess cannot be granted together with others");
    if (grants.some(({ bucket, permission }) => !bucket && permission !== "fullaccess"))
      throw unprocessable("grants: bucket is required");
    return { name, grants };
  };

  app.get(path, (request) => {
    const { name, bucket, permission } = request.query as Query;
    const found = store.spacesKeys.filter(
      (key) =>
        (!name || key.name === name) &&
        (!bucket || key.grants.some((grant) => grant.bucket === bucket)) &&
        (!permission || key.grants.some((grant) => grant.permission === permission)),
    );
    return paginate(request, "keys", found.map(view));
  });

  app.post(path, async (request, reply) => {
    const key = { ...read(request.body), ...newLogin(), createdAt: now().toISOString() };
    store.transaction(() => store.spacesKeys.put(key.accessKey, key));
    try {
      await spaces.sync();
    } catch (error) {
      store.transaction(() => store.spacesKeys.remove(key.accessKey));
      throw error;
    }
    return reply.code(201).send({ key: { ...view(key), secret_key: key.secretKey } });
  });

  app.get<KeyPath>(`${path}/:key`, ({ params }) => ({ key: view(find(params.key)) }));

  for (const method of ["PUT", "PATCH"] as const)
    app.route<KeyPath>({
      method,
      url: `${path}/:key`,
      handler: async ({ params, body }) => {
        const changed = store.transaction(() => {
          const before = find(params.key);
          const input = method === "PATCH" ? { ...before, ...(body as object) } : body;
          const after = { ...before, ...read(input) };
          store.spacesKeys.put(after.accessKey, after);
          return after;
        });
        await spaces.sync();
        return { key: view(changed) };
      },
    });

  app.delete<KeyPath>(`${path}/:key`, async (request, reply) => {
    store.transaction(() => store.spacesKeys.remove(find(request.params.key).accessKey));
    await spaces.sync();
    return reply.code(204).send();
  });
}
