import { randomUUID } from "node:crypto";
import { z } from "zod";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { unprocessable } from "../errors";
import { tagList } from "../input";
import { assign } from "../projects/model";
import { takePublicAddress } from "../reserved-ips/model";
import { ensureTags } from "../tags/model";
import { defaultVpc, findVpc } from "../vpcs/model";
import { takePrivateAddress } from "../vpcs/private-address";
import { checkLayout, engines, facts, planOf } from "./catalogue";
import { type DatabaseRecord, databaseUrn, newUser } from "./model";
import { readSources, sourceInput } from "./trusted-sources";

export const autoscaleInput = z.object({
  enabled: z.boolean({ error: "storage.enabled is required" }),
  threshold_percent: z.number().int().min(15).max(95).nullish(),
  increment_gib: z.number().int().min(10).max(500).nullish(),
});

export const databaseCreation = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
      "name must be 3 to 63 lowercase letters, digits and dashes, and begin with a letter",
    ),
  engine: z.enum(engines, {
    error: `engine must be one of ${engines.join(", ")}: the local DigitalOcean has no others`,
  }),
  version: z.string().nullish(),
  size: z.string({ error: "size is required" }),
  region: z.string({ error: "region is required" }),
  num_nodes: z.number({ error: "num_nodes is required" }).int(),
  private_network_uuid: z.string().nullish(),
  project_id: z.string().nullish(),
  tags: tagList,
  storage_size_mib: z.number().int().nullish(),
  autoscale: z.object({ storage: autoscaleInput.nullish() }).nullish(),
  rules: z.array(sourceInput).nullish(),
  backup_restore: z
    .null({ error: "backup_restore: the local DigitalOcean keeps no backups to restore" })
    .optional(),
});

type Creation = z.output<typeof databaseCreation>;

/** How storage autoscaling is kept. */
export const readAutoscale = (
  storage: z.output<typeof autoscaleInput> | null | undefined,
): DatabaseRecord["storageAutoscale"] =>
  storage
    ? {
        enabled: storage.enabled,
        thresholdPercent: storage.threshold_percent ?? undefined,
        incrementGib: storage.increment_gib ?? undefined,
      }
    : undefined;

/**
 * The storage of a cluster or replica: what comes with the size, or more when asked for.
 *
 * @param now what it has already.
 * @throws {ApiError} 422: storage never shrinks.
 */
export function readStorage(size: string, wanted: number | null | undefined, now = 0): number {
  const { storageMib } = planOf(size);
  const least = Math.max(storageMib, now);
  if (wanted && wanted < least)
    throw unprocessable(`storage_size_mib must be at least ${least}, got ${wanted}`);
  return wanted || least;
}

function findVpcOf(context: Context, { region, private_network_uuid: id }: Creation) {
  if (!findRegion(region)?.available) throw unprocessable("invalid region");
  if (!id) return defaultVpc(context, region);
  const vpc = findVpc(context.store, id);
  if (!vpc) throw unprocessable("private_network_uuid: the VPC does not exist");
  if (vpc.region !== region)
    throw unprocessable("private_network_uuid: the VPC is in another region");
  return vpc;
}

/**
 * Writes a new cluster down and begins to make it; call inside a transaction.
 *
 * @throws {ApiError} 422.
 */
export function createDatabase(context: Context, input: Creation): DatabaseRecord {
  const { store, machines, lifecycle, now } = context;
  const { engine, size, num_nodes: nodes } = input;
  const { versions, defaultVersion, administrator, defaultDatabase } = facts[engine];
  const version = input.version || defaultVersion;
  if (!versions.includes(version))
    throw unprocessable(`invalid version: of ${engine} there are ${versions.join(", ")}`);
  const impossible = machines.checkDatabase({ engine, version, pools: [] });
  if (impossible !== undefined) throw unprocessable(impossible);
  checkLayout(engine, size, nodes);
  if (store.databases.find(({ name, deleting }) => name === input.name && !deleting))
    throw unprocessable("cluster name is not available");
  const vpc = findVpcOf(context, input);
  const database: DatabaseRecord = {
    id: randomUUID(),
    name: input.name,
    engine,
    version,
    size,
    nodes,
    region: vpc.region,
    vpcId: vpc.id,
    privateIp: takePrivateAddress(context, vpc.id),
    publicIp: takePublicAddress(context),
    storageMib: readStorage(size, input.storage_size_mib),
    tags: ensureTags(context, input.tags ?? []),
    tls: undefined,
    users: [newUser(administrator)],
    databases: engine === "pg" ? [defaultDatabase] : [],
    pools: [],
    rules: readSources(context, input.rules ?? [], []),
    replicas: [],
    maintenance: { day: "sunday", hour: "02:00:00" },
    storageAutoscale: readAutoscale(input.autoscale?.storage),
    evictionPolicy: "noeviction",
    config: {},
    serviceCnames: [],
    backups: [],
    events: [],
    migration: undefined,
    status: "creating",
    failure: undefined,
    deleting: false,
    createdAt: now().toISOString(),
  };
  store.databases.put(database.id, database);
  assign(context, databaseUrn(database), input.project_id ?? undefined);
  lifecycle.begin("database.create", { databaseId: database.id });
  if (engine === "pg") lifecycle.begin("database.first-backup", { databaseId: database.id });
  return database;
}
