import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, notFound, preconditionFailed, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { planOf } from "./catalogue";
import { type ConnectionPool, type DatabaseRecord, findDatabase, findOnline } from "./model";
import type { DatabasePath } from "./routes";
import { poolView } from "./view";

interface PoolPath {
  Params: { database: string; pool: string };
}

/** Sessions of a server, of which the last are its own; see `size` of a pool in the API description. */
const sessionsPerGib = 25;
const reservedSessions = 3;

const changeInput = z.object({
  mode: z.enum(["session", "transaction", "statement"]),
  size: z.number({ error: "size is required" }).int().min(1),
  db: z.string({ error: "db is required" }),
  user: z.string().nullish(),
});

const poolInput = changeInput.extend({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-zA-Z0-9][a-zA-Z0-9_.-]{2,59}$/,
      "name must have 3 to 60 letters, digits, dots, dashes and underscores",
    ),
});

/** PgBouncer pools in front of clusters of PostgreSQL. */
export function poolRoutes(app: FastifyInstance, context: Context): void {
  const { store, databases } = context;
  const path = "/v2/databases/:database/pools";

  const requirePg = (database: DatabaseRecord): DatabaseRecord => {
    if (database.engine !== "pg")
      throw preconditionFailed(`connection pools are not supported for ${database.engine}`);
    return database;
  };
  const findPool = ({ pools }: DatabaseRecord, name: string): ConnectionPool => {
    const pool = pools.find((each) => each.name === name);
    if (!pool) throw notFound();
    return pool;
  };

  /** @returns what was there before. */
  const setPools = async (
    id: string,
    change: (database: DatabaseRecord) => readonly ConnectionPool[],
  ) => {
    const before = store.transaction(() => {
      const database = requirePg(findOnline(store, id));
      store.databases.patch(id, { pools: change(database) });
      return database.pools;
    });
    await databases.sync(id);
    return before;
  };

  app.get<DatabasePath>(path, (request) => {
    const database = requirePg(findDatabase(store, request.params.database));
    return paginate(
      request,
      "pools",
      database.pools.map((pool) => poolView(store, database, pool)),
    );
  });

  app.post<DatabasePath>(path, async (request, reply) => {
    const { name, ...input } = parse(poolInput, request.body);
    const id = request.params.database;
    await setPools(id, (database) => {
      if (database.pools.some((each) => each.name === name))
        throw conflict(`connection pool ${name} already exists`);
      return [...database.pools, readPool(database, name, input)];
    });
    const database = findDatabase(store, id);
    return reply.code(201).send({ pool: poolView(store, database, findPool(database, name)) });
  });

  app.get<PoolPath>(`${path}/:pool`, ({ params }) => {
    const database = findDatabase(store, params.database);
    return { pool: poolView(store, database, findPool(database, params.pool)) };
  });

  app.put<PoolPath>(`${path}/:pool`, async (request, reply) => {
    const input = parse(changeInput, request.body);
    const { database: id, pool: name } = request.params;
    await setPools(id, (database) => {
      findPool(database, name);
      const others = database.pools.filter((each) => each.name !== name);
      const changed = readPool({ ...database, pools: others }, name, input);
      return database.pools.map((each) => (each.name === name ? changed : each));
    });
    return reply.code(204).send();
  });

  app.delete<PoolPath>(`${path}/:pool`, async (request, reply) => {
    const { database: id, pool: name } = request.params;
    await setPools(id, (database) => {
      findPool(database, name);
      return database.pools.filter((each) => each.name !== name);
    });
    return reply.code(204).send();
  });
}

/** @param database without the pool's former self. */
function readPool(
  { size: plan, pools, databases, users }: DatabaseRecord,
  name: string,
  { mode, size, db, user }: z.output<typeof changeInput>,
): ConnectionPool {
  if (!databases.includes(db)) throw unprocessable(`database ${db} does not exist`);
  if (user && !users.some((each) => each.name === user))
    throw unprocessable(`user ${user} does not exist`);
  const taken = pools.reduce((sum, each) => sum + each.size, 0);
  const left = planOf(plan).memoryGib * sessionsPerGib - reservedSessions - taken;
  if (size > left)
    throw unprocessable(
      `size: ${size} is more than the ${left} connections that are left of the cluster's`,
    );
  return { name, mode, size, database: db, user: user || undefined };
}
