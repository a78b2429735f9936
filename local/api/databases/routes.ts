import type { FastifyInstance } from "fastify";
import { timestamp, type Context } from "../context";
import { unprocessable } from "../errors";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";
import { unassign } from "../projects/model";
import { hasTag } from "../tags/model";
import { optionsView } from "./catalogue";
import { changeRoutes } from "./changes";
import { configRoutes } from "./config";
import { contentRoutes } from "./contents";
import { createDatabase, databaseCreation } from "./create";
import { databaseUrn, findDatabase } from "./model";
import { onlineMigrationRoutes } from "./online-migration";
import { poolRoutes } from "./pools";
import { replicaRoutes } from "./replicas";
import { trustedSourceRoutes } from "./trusted-sources";
import { databaseView } from "./view";

export interface DatabasePath {
  Params: { database: string };
}

/** Backups are made once a day at this time. */
const backupHour = 3;

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Databases */
export function databaseRoutes(app: FastifyInstance, context: Context): void {
  const { store, machines, lifecycle } = context;
  const path = "/v2/databases";

  app.get(`${path}/options`, () =>
    optionsView(
      (engine, version) => machines.checkDatabase({ engine, version, pools: [] }) === undefined,
    ),
  );

  app.get(path, (request) => {
    const { tag_name: tag } = request.query as Query;
    const found = store.databases.filter((each) => !each.deleting && (!tag || hasTag(each, tag)));
    return paginate(
      request,
      "databases",
      found.map((each) => databaseView(store, each)),
    );
  });

  app.post(path, (request, reply) => {
    const input = parse(databaseCreation, request.body);
    const { value } = lifecycle.commit(() => createDatabase(context, input));
    return reply.code(201).send({ database: databaseView(store, value) });
  });

  app.get<DatabasePath>(`${path}/:database`, ({ params }) => ({
    database: databaseView(store, findDatabase(store, params.database)),
  }));

  app.delete<DatabasePath>(`${path}/:database`, (request, reply) => {
    lifecycle.commit(() => {
      const { id } = findDatabase(store, request.params.database);
      store.databases.patch(id, { deleting: true });
      unassign(store, databaseUrn({ id }));
      lifecycle.begin("database.delete", { databaseId: id });
    });
    // DigitalOcean answers before it is gone: its VPC cannot be deleted for some seconds (FACTS 10).
    return reply.code(204).send();
  });

  app.get<DatabasePath>(`${path}/:database/ca`, ({ params }) => {
    findDatabase(store, params.database);
    return { ca: { certificate: Buffer.from(context.authority.pem).toString("base64") } };
  });

  app.get<DatabasePath>(`${path}/:database/backups`, ({ params }) => {
    const { engine, backups } = findDatabase(store, params.database);
    if (engine !== "pg") throw unprocessable(`backups are not supported for ${engine}`);
    return {
      backups: backups.map((at) => ({
        created_at: timestamp(new Date(at)),
        size_gigabytes: 0,
        incremental: false,
      })),
      scheduled_backup_time: {
        backup_hour: backupHour,
        backup_minute: 0,
        backup_interval_hours: 24,
      },
    };
  });

  app.get<DatabasePath>(`${path}/:database/events`, (request) => {
    const { name, events } = findDatabase(store, request.params.database);
    return paginate(
      request,
      "events",
      events.map(({ id, type, at }) => ({
        id,
        cluster_name: name,
        event_type: type,
        create_time: timestamp(new Date(at)),
      })),
    );
  });

  changeRoutes(app, context);
  configRoutes(app, context);
  contentRoutes(app, context);
  onlineMigrationRoutes(app, context);
  poolRoutes(app, context);
  replicaRoutes(app, context);
  trustedSourceRoutes(app, context);
}
