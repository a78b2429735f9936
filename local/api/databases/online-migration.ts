import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { timestamp, type Context } from "../context";
import { conflict, notFound } from "../errors";
import { parse } from "../input";
import { findDatabase, findOnline, type MigrationRecord } from "./model";
import type { DatabasePath } from "./routes";

interface MigrationPath {
  Params: { database: string; migration: string };
}

const body = z.object({
  source: z.object({
    host: z.string().min(1, "source.host is required"),
    port: z.number().int().min(1).max(65_535),
    dbname: z.string().nullish(),
    username: z.string().nullish(),
    password: z.string().nullish(),
  }),
  disable_ssl: z.boolean().nullish(),
  ignore_dbs: z.array(z.string()).nullish(),
});

const view = ({ id, status, createdAt }: MigrationRecord) => ({
  id,
  status,
  created_at: timestamp(new Date(createdAt)),
});

/** Copies of other servers' contents. Without bodies they always end well; servers with bodies copy nothing. */
export function onlineMigrationRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;
  const path = "/v2/databases/:database/online-migration";

  app.get<DatabasePath>(path, ({ params }) => {
    const { migration } = findDatabase(store, params.database);
    if (!migration) throw notFound();
    return view(migration);
  });

  app.put<DatabasePath>(path, (request) => {
    parse(body, request.body);
    const { value } = lifecycle.commit(() => {
      const { id, migration } = findOnline(store, request.params.database);
      if (migration?.status === "running") throw conflict("a migration is running already");
      const started: MigrationRecord = {
        id: randomUUID(),
        status: "running",
        createdAt: now().toISOString(),
      };
      store.databases.patch(id, { migration: started });
      lifecycle.begin("database.online-migration", { databaseId: id });
      return started;
    });
    return view(value);
  });

  app.delete<MigrationPath>(`${path}/:migration`, (request, reply) => {
    store.transaction(() => {
      const { id, migration } = findDatabase(store, request.params.database);
      if (migration?.id !== request.params.migration) throw notFound();
      store.databases.patch(id, { migration: { ...migration, status: "canceled" } });
    });
    return reply.code(204).send();
  });
}
