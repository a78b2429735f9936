import { randomBytes, randomInt } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { timestamp, type Context } from "../context";
import { notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";

/** A key for Spaces. Its secret is told once and not kept. */
export interface SpacesKeyRecord {
  readonly accessKey: string;
  readonly name: string;
  /** A bucket's name, or none for all of them, and what may be done. */
  readonly grants: readonly { readonly bucket: string; readonly permission: Permission }[];
  /** ISO 8601. */
  readonly createdAt: string;
}

const permissions = ["read", "readwrite", "fullaccess", ""] as const;
type Permission = (typeof permissions)[number];

interface KeyPath {
  Params: { key: string };
}

const keyInput = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required").max(255),
  grants: z
    .array(
      z.object({
        bucket: z.string(),
        permission: z.enum(permissions, {
          error: "grants: permission must be read, readwrite or fullaccess",
        }),
      }),
    )
    .nullish(),
});

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const newAccessKey = () =>
  `DO${Array.from({ length: 18 }, () => letters[randomInt(letters.length)]).join("")}`;

const view = ({ name, grants, accessKey, createdAt }: SpacesKeyRecord) => ({
  name,
  grants,
  access_key: accessKey,
  created_at: timestamp(new Date(createdAt)),
});

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Spaces-Keys */
export function spacesKeyRoutes(app: FastifyInstance, { store, now }: Context): void {
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

  app.post(path, (request, reply) => {
    const key = {
      ...read(request.body),
      accessKey: newAccessKey(),
      createdAt: now().toISOString(),
    };
    store.transaction(() => store.spacesKeys.put(key.accessKey, key));
    const secret = randomBytes(32).toString("base64url");
    return reply.code(201).send({ key: { ...view(key), secret_key: secret } });
  });

  app.get<KeyPath>(`${path}/:key`, ({ params }) => ({ key: view(find(params.key)) }));

  for (const method of ["PUT", "PATCH"] as const)
    app.route<KeyPath>({
      method,
      url: `${path}/:key`,
      handler: ({ params, body }) => {
        const changed = store.transaction(() => {
          const before = find(params.key);
          const input = method === "PATCH" ? { ...before, ...(body as object) } : body;
          const after = { ...before, ...read(input) };
          store.spacesKeys.put(after.accessKey, after);
          return after;
        });
        return { key: view(changed) };
      },
    });

  app.delete<KeyPath>(`${path}/:key`, (request, reply) => {
    store.transaction(() => store.spacesKeys.remove(find(request.params.key).accessKey));
    return reply.code(204).send();
  });
}
