import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { conflict, notFound, preconditionFailed, unprocessable } from "../errors";
import { parse, tagList } from "../input";
import { paginate } from "../pagination";
import { ensureTags } from "../tags/model";
import { defaultVpc, findVpc } from "../vpcs/model";
import { checkLayout } from "./catalogue";
import { readStorage } from "./create";
import { type DatabaseRecord, findDatabase, findOnline, type ReplicaRecord } from "./model";
import type { DatabasePath } from "./routes";
import { replicaView } from "./view";

interface ReplicaPath {
  Params: { database: string; replica: string };
}

const creation = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
      "name must be 3 to 63 lowercase letters, digits and dashes, and begin with a letter",
    ),
  region: z.string().nullish(),
  size: z.string().nullish(),
  tags: tagList,
  private_network_uuid: z.string().nullish(),
  storage_size_mib: z.number().int().nullish(),
});

/** https://docs.digitalocean.com/products/databases/postgresql/details/limits/ */
const mostReplicas = 5;

/** Read-only nodes of clusters of PostgreSQL. */
export function replicaRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, databases, network } = context;
  const path = "/v2/databases/:database/replicas";

  const find = (database: DatabaseRecord, name: string): ReplicaRecord => {
    const replica = database.replicas.find((each) => each.name === name);
    if (!replica) throw notFound();
    return replica;
  };

  app.get<DatabasePath>(path, (request) => {
    const database = findDatabase(store, request.params.database);
    return paginate(
      request,
      "replicas",
      database.replicas.map((replica) => replicaView(store, database, replica)),
    );
  });

  app.post<DatabasePath>(path, (request, reply) => {
    const input = parse(creation, request.body);
    const { value: replica } = lifecycle.commit(() => {
      const database = findOnline(store, request.params.database);
      const made = readReplica(context, database, input);
      store.databases.patch(database.id, { replicas: [...database.replicas, made] });
      lifecycle.begin("database.create-replica", { databaseId: database.id, replicaId: made.id });
      return made;
    });
    const database = findDatabase(store, request.params.database);
    return reply.code(201).send({ replica: replicaView(store, database, replica) });
  });

  app.get<ReplicaPath>(`${path}/:replica`, ({ params }) => {
    const database = findDatabase(store, params.database);
    return { replica: replicaView(store, database, find(database, params.replica)) };
  });

  app.delete<ReplicaPath>(`${path}/:replica`, async (request, reply) => {
    const { database: id, replica: name } = request.params;
    store.transaction(() => {
      const database = findDatabase(store, id);
      const { id: gone } = find(database, name);
      store.databases.patch(id, {
        replicas: database.replicas.filter(({ id: each }) => each !== gone),
      });
    });
    await Promise.all([databases.sync(id), network.sync()]);
    return reply.code(204).send();
  });

  app.put<ReplicaPath>(`${path}/:replica/promote`, ({ params }) => {
    find(findDatabase(store, params.database), params.replica);
    throw unprocessable("the local DigitalOcean's replicas cannot be promoted: they hold no data");
  });
}

function readReplica(
  context: Context,
  database: DatabaseRecord,
  input: z.output<typeof creation>,
): ReplicaRecord {
  const { store, now } = context;
  const { engine, replicas, backups } = database;
  if (engine !== "pg") throw preconditionFailed(`replicas are not supported for ${engine}`);
  // Clients wait for it (FACTS 16).
  if (backups.length === 0)
    throw preconditionFailed("cluster has no backup yet that a replica could be made from");
  if (replicas.length >= mostReplicas)
    throw unprocessable(`a cluster can have at most ${mostReplicas} replicas`);
  const taken = store.databases.find(
    (each) => each.name === input.name || each.replicas.some(({ name }) => name === input.name),
  );
  if (taken) throw conflict(`name ${input.name} is not available`);
  const region = input.region || database.region;
  if (!findRegion(region)?.available) throw unprocessable("invalid region");
  const size = input.size || database.size;
  checkLayout(engine, size, 1);
  const vpc = vpcOf(context, database, region, input.private_network_uuid);
  return {
    id: randomUUID(),
    name: input.name,
    region,
    size,
    vpcId: vpc,
    storageMib: readStorage(size, input.storage_size_mib),
    tags: ensureTags(context, input.tags ?? []),
    rules: [],
    status: "forking",
    createdAt: now().toISOString(),
  };
}

function vpcOf(
  context: Context,
  database: DatabaseRecord,
  region: string,
  wanted: string | null | undefined,
): string {
  if (!wanted) return region === database.region ? database.vpcId : defaultVpc(context, region).id;
  if (findVpc(context.store, wanted)?.region !== region)
    throw unprocessable("private_network_uuid: there is no such VPC in the region");
  return wanted;
}
