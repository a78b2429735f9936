import * as pulumi from "@pulumi/pulumi";
import { Backup } from "../../components/backup/backup";
import type { BackupSettings, BucketPlace, Place } from "../../components/backup/settings";
import { POSTGRES_DIRECTORY } from "../../components/backup/settings";
import { rcloneConfig, rootOf } from "../../components/backup/rclone";
import type { Files } from "../../components/files";
import type { RolloutTarget } from "../../components/service-defaults";
import type { Config } from "../config";
import { databaseNames } from "../databases";
import { VOLUME_MOUNT } from "../names";
import type { BackupConfig } from "../schema/backup";
import type { Archive, OnSwarm } from "./database";
import type { Toolbox } from "./toolbox";

/** The agent that backs up, once the database is well. */
export function serveBackup(
  config: Config,
  backup: BackupConfig,
  space: Files,
  { image, copies }: Toolbox,
  { networkId, volumeNodeId, onSwarm }: OnSwarm,
  after: readonly pulumi.Resource[],
): RolloutTarget {
  const { target } = new Backup(
    "backup",
    {
      image,
      networkId,
      nodeId: volumeNodeId,
      postgresDirectory: `${VOLUME_MOUNT}/postgres`,
      settings: settingsOf(config, backup, space),
      after: [...copies, ...after],
    },
    onSwarm,
  );
  return target;
}

/** The first place, for PostgreSQL itself. */
export function archiveOf(
  { stack }: Config,
  { recipient }: BackupConfig,
  space: Files,
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
  { recipient, schedule, keep, second }: BackupConfig,
  space: Files,
): pulumi.Output<BackupSettings> {
  return bucketOf(space).apply((place): BackupSettings => ({
    stack: config.stack,
    recipient,
    schedule,
    keep,
    places: { first: place, second: secondPlace(second) },
    server: {
      kind: "container",
      directory: POSTGRES_DIRECTORY,
      databases: databaseNames(config),
    },
  }));
}

function bucketOf({ told, given }: Files): pulumi.Output<BucketPlace> {
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

function secondPlace({ s3, sftp }: BackupConfig["second"]): Place {
  if (s3) return { kind: "s3", ...s3 };
  if (sftp) return { kind: "sftp", ...sftp };
  throw new Error("archipelago:backup.second is empty");
}
