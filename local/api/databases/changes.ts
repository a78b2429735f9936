import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { unprocessable } from "../errors";
import { parse } from "../input";
import { defaultVpc } from "../vpcs/model";
import { takePrivateAddress } from "../vpcs/private-address";
import { checkLayout, facts, planOf } from "./catalogue";
import { autoscaleInput, readAutoscale, readStorage } from "./create";
import {
  type DatabaseRecord,
  EVICTION_POLICIES,
  findDatabase,
  findOnline,
  findReplica,
  patchReplica,
  withEvent,
} from "./model";
import type { DatabasePath } from "./routes";
import { autoscaleView } from "./view";

const resizeInput = z.object({
  size: z.string({ error: "size is required" }),
  num_nodes: z.number({ error: "num_nodes is required" }).int(),
  storage_size_mib: z.number().int().nullish(),
});

const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const maintenanceInput = z.object({
  day: z
    .string({ error: "day is required" })
    .transform((day) => day.toLowerCase())
    .refine((day) => days.includes(day), "day must be a day of the week"),
  hour: z
    .string({ error: "hour is required" })
    .regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, "hour must be like 14:00"),
});

const cname = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+$/;

const settingsInput = z.object({
  do_settings: z.object({
    service_cnames: z
      .array(z.string().regex(cname, "service_cnames must be full domain names"))
      .max(16)
      .nullish(),
  }),
});

/** Sizes, regions, versions and settings of clusters that exist. */
export function changeRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, databases } = context;
  const path = "/v2/databases/:database";

  const resizeReplica = (id: string, input: z.output<typeof resizeInput>) => {
    const found = findReplica(store, id);
    if (!found) return false;
    const { database, replica } = found;
    checkLayout(database.engine, input.size, 1);
    refuseSmaller(replica.size, input.size);
    patchReplica(store, id, {
      size: input.size,
      storageMib: readStorage(input.size, input.storage_size_mib, replica.storageMib),
      status: "resizing",
    });
    lifecycle.begin("database.resize-replica", { replicaId: id });
    return true;
  };

  app.put<DatabasePath>(`${path}/resize`, (request, reply) => {
    const input = parse(resizeInput, request.body);
    lifecycle.commit(() => {
      if (resizeReplica(request.params.database, input)) return;
      const database = findOnline(store, request.params.database);
      checkLayout(database.engine, input.size, input.num_nodes);
      refuseSmaller(database.size, input.size);
      store.databases.patch(database.id, {
        size: input.size,
        nodes: input.num_nodes,
        storageMib: readStorage(input.size, input.storage_size_mib, database.storageMib),
        status: "resizing",
      });
      lifecycle.begin("database.resize", { databaseId: database.id });
    });
    return reply.code(202).send();
  });

  app.put<DatabasePath>(`${path}/migrate`, (request, reply) => {
    const { region } = parse(z.object({ region: z.string() }), request.body);
    lifecycle.commit(() => {
      const database = findOnline(store, request.params.database);
      if (!findRegion(region)?.available) throw unprocessable("invalid region");
      if (region === database.region) throw unprocessable("the cluster is in that region already");
      // A VPC belongs to one region.
      const vpc = defaultVpc(context, region);
      store.databases.patch(database.id, {
        region,
        vpcId: vpc.id,
        privateIp: takePrivateAddress(context, vpc.id),
        status: "migrating",
      });
      lifecycle.begin("database.migrate", { databaseId: database.id });
    });
    return reply.code(202).send();
  });

  app.put<DatabasePath>(`${path}/upgrade`, (request, reply) => {
    const { version } = parse(
      z.object({ version: z.string({ error: "version is required" }) }),
      request.body,
    );
    lifecycle.commit(() => {
      const database = findOnline(store, request.params.database);
      checkUpgrade(context, database, version);
      lifecycle.begin("database.upgrade", { databaseId: database.id, version });
    });
    return reply.code(204).send();
  });

  const patch = (id: string, changes: (database: DatabaseRecord) => Partial<DatabaseRecord>) =>
    store.transaction(() => {
      const database = findDatabase(store, id);
      store.databases.patch(database.id, changes(database));
    });

  app.put<DatabasePath>(`${path}/maintenance`, (request, reply) => {
    const { day, hour } = parse(maintenanceInput, request.body);
    const maintenance = { day, hour: hour.length === 5 ? `${hour}:00` : hour };
    patch(request.params.database, () => ({ maintenance }));
    return reply.code(204).send();
  });

  app.put<DatabasePath>(`${path}/install_update`, (request, reply) => {
    patch(request.params.database, (database) => ({
      events: withEvent(context, database, "cluster_maintenance_perform"),
    }));
    return reply.code(204).send();
  });

  app.get<DatabasePath>(`${path}/autoscale`, ({ params }) => ({
    autoscale: autoscaleView(findDatabase(store, params.database).storageAutoscale),
  }));
  app.put<DatabasePath>(`${path}/autoscale`, (request, reply) => {
    const { storage } = parse(z.object({ storage: autoscaleInput }), request.body);
    patch(request.params.database, () => ({ storageAutoscale: readAutoscale(storage) }));
    return reply.code(204).send();
  });

  const findValkey = (id: string): DatabaseRecord => {
    const database = findDatabase(store, id);
    if (database.engine !== "valkey")
      throw unprocessable(`eviction policies are not supported for ${database.engine}`);
    return database;
  };
  app.get<DatabasePath>(`${path}/eviction_policy`, ({ params }) => ({
    eviction_policy: findValkey(params.database).evictionPolicy,
  }));
  app.put<DatabasePath>(`${path}/eviction_policy`, (request, reply) => {
    const { eviction_policy: evictionPolicy } = parse(
      z.object({ eviction_policy: z.enum(EVICTION_POLICIES) }),
      request.body,
    );
    store.transaction(() =>
      store.databases.patch(findValkey(request.params.database).id, { evictionPolicy }),
    );
    return reply.code(204).send();
  });

  app.get<DatabasePath>(`${path}/do_settings`, ({ params }) => ({
    do_settings: { service_cnames: findDatabase(store, params.database).serviceCnames },
  }));
  app.put<DatabasePath>(`${path}/do_settings`, async (request, reply) => {
    const { do_settings: settings } = parse(settingsInput, request.body);
    const { id } = findOnline(store, request.params.database);
    patch(id, () => ({ serviceCnames: settings.service_cnames ?? [] }));
    await databases.sync(id);
    return reply.code(204).send();
  });

  for (const method of ["GET", "PUT"] as const)
    app.route<DatabasePath>({
      method,
      url: `${path}/sql_mode`,
      handler: ({ params }) => {
        const { engine } = findDatabase(store, params.database);
        throw unprocessable(`sql_mode is only supported for mysql, not for ${engine}`);
      },
    });
}

/** https://docs.digitalocean.com/products/databases/postgresql/details/limits/ */
function refuseSmaller(before: string, wanted: string): void {
  if (planOf(wanted).memoryGib < planOf(before).memoryGib)
    throw unprocessable("cluster nodes cannot be resized to smaller sizes");
}

function checkUpgrade({ machines }: Context, database: DatabaseRecord, version: string): void {
  const { engine, pools } = database;
  const { versions } = facts[engine];
  if (!versions.includes(version))
    throw unprocessable(`invalid version: of ${engine} there are ${versions.join(", ")}`);
  if (Number(version) <= Number(database.version))
    throw unprocessable(`the cluster has version ${database.version} already`);
  const impossible = machines.checkDatabase({ engine, version, pools });
  if (impossible !== undefined) throw unprocessable(impossible);
}
