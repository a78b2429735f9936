import * as pulumi from "@pulumi/pulumi";
import { Backup } from "../../components/backup/backup";
import type {
  BackupSettings,
  BucketPlace,
  DatabaseServer,
  Place,
} from "../../components/backup/settings";
import { POSTGRES_DIRECTORY, SERVICES_DIRECTORY } from "../../components/backup/settings";
import { rcloneConfig, rootOf } from "../../components/backup/rclone";
import type { Files } from "../../components/files";
import type { ManagedPostgres } from "../../components/managed-postgres";
import type { RolloutTarget } from "../../components/service-defaults";
import type { Config } from "../config";
import { databaseNames } from "../databases";
import { servicesWithVolume } from "../fleet";
import { VOLUME_MOUNT } from "../names";
import type { BackupConfig } from "../schema/backup";
import type { Archive, ServedDatabase } from "./database";
import type { OnSwarm } from "./on-swarm";
import type { Managed } from "./managed";
import type { Site } from "./site";
import type { Toolbox } from "./toolbox";

/** Where backups go, and what DigitalOcean runs of what is saved. */
export interface Saved {
  readonly backup: BackupConfig;
  readonly space: Files;
  readonly managed: Managed;
}

/** @returns undefined where nothing is saved. A second site's data is the first's. */
export function savedBy({ backup }: Config, managed: Managed, site: Site): Saved | undefined {
  const { backups: space } = managed;
  if (backup === undefined || space === undefined || site.parent !== undefined) return undefined;
  return { backup, space, managed };
}

/** The agent that backs up, once the database is well. */
export function serveBackup(
  config: Config,
  saved: Saved,
  { image, copies }: Toolbox,
  { networkId, volumeNodeId, onSwarm }: OnSwarm,
  database: ServedDatabase | undefined,
): RolloutTarget {
  const { target } = new Backup(
    "backup",
    {
      image,
      networkId,
      ...(isBound(config) && {
        data: { nodeId: volumeNodeId, directories: directoriesOf(config) },
      }),
      settings: settingsOf(config, saved),
      after: [...copies, ...(database ? [database.ready] : [])],
    },
    onSwarm,
  );
  return target;
}

/** Whether something of what is saved is on the Volume. */
export const isBound = (config: Config) => directoriesOf(config).length > 0;

function directoriesOf(config: Config): { source: string; target: string }[] {
  return [
    ...(config.database.engine === "container"
      ? [{ source: `${VOLUME_MOUNT}/postgres`, target: POSTGRES_DIRECTORY }]
      : []),
    ...(servicesWithVolume(config).length > 0
      ? [{ source: `${VOLUME_MOUNT}/services`, target: SERVICES_DIRECTORY }]
      : []),
  ];
}

/** The first place, for PostgreSQL itself. */
export function archiveOf(
  { stack }: Config,
  { backup: { recipient }, space }: Saved,
  toolbox: Toolbox,
): Archive {
  const place = bucketOf(space);
  return {
    toolbox,
    place: {
      config: place.apply((bucket) => rcloneConfig("first", bucket)),
      root: place.apply((bucket) => rootOf("first", bucket, stack)),
      recipient,
    },
  };
}

function settingsOf(
  config: Config,
  { backup: { recipient, schedule, keep, second, alarm }, space, managed }: Saved,
): pulumi.Output<BackupSettings> {
  const services = servicesWithVolume(config);
  const files = config.backup?.files ? managed.files : undefined;
  return pulumi
    .all([bucketOf(space), serverOf(config, managed.postgres), files && bucketOf(files)])
    .apply(([place, server, uploaded]): BackupSettings => ({
      stack: config.stack,
      recipient,
      schedule,
      keep,
      places: { first: place, second: secondPlace(second) },
      ...(server && { server }),
      ...(services.length > 0 && { volumes: { directory: SERVICES_DIRECTORY, services } }),
      ...(uploaded && { files: uploaded }),
      ...(alarm?.heartbeat !== undefined && { heartbeat: alarm.heartbeat }),
    }));
}

function serverOf(
  config: Config,
  managed: ManagedPostgres | undefined,
): pulumi.Output<DatabaseServer | undefined> {
  if (config.database.engine === "none") return pulumi.output(undefined);
  const databases = databaseNames(config);
  if (config.database.engine === "container") {
    return pulumi.output({ kind: "container", directory: POSTGRES_DIRECTORY, databases } as const);
  }
  if (managed === undefined) throw new Error("a managed database is part of the stack");
  const { cluster, ca } = managed.server;
  return pulumi
    .output({
      kind: "managed" as const,
      host: cluster.privateHost,
      port: cluster.port,
      user: cluster.user,
      password: cluster.password,
      adminDatabase: cluster.database,
      ca,
      databases,
      diskBytes: cluster.storageSizeMib,
    })
    .apply((server): DatabaseServer => ({
      ...server,
      diskBytes: Number(server.diskBytes) * 2 ** 20,
    }));
}

export function bucketOf({ told, given }: Files): pulumi.Output<BucketPlace> {
  return pulumi
    .all([
      told.FILES_ENDPOINT,
      told.FILES_REGION,
      told.FILES_BUCKET,
      told.FILES_ACCESS_KEY,
      given.files_secret_key,
    ])
    .apply(
      ([endpoint = "", region = "", bucket = "", accessKey = "", secretKey = ""]): BucketPlace => ({
        kind: "s3",
        endpoint,
        region,
        bucket,
        accessKey,
        secretKey,
      }),
    );
}

export function secondPlace({ s3, sftp }: BackupConfig["second"]): Place {
  if (s3) return { kind: "s3", ...s3 };
  if (sftp) return { kind: "sftp", ...sftp };
  throw new Error("archipelago:backup.second is empty");
}
