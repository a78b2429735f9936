import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { BackupWatch } from "../../components/backup/backup-watch";
import { WATCH_SERVICE, type WatchSettings } from "../../components/backup/watch-settings";
import type { RolloutTarget } from "../../components/service-defaults";
import { maxAgeHours } from "../backup-age";
import type { Config } from "../config";
import { bucketOf, isBound, type Saved, secondPlace } from "./backup";
import type { OnSwarm } from "./on-swarm";
import type { Toolbox } from "./toolbox";

/** Who tells people that backups stopped, on another node than the one that makes them, where there is one. */
export function watchBackup(
  config: Config,
  saved: Saved,
  { image, copies }: Toolbox,
  { networkId, volumeNodeId, onSwarm }: OnSwarm,
): RolloutTarget[] {
  const { webhook, mail } = saved.backup.alarm ?? {};
  if (webhook === undefined && mail === undefined) return [];
  const watch = new BackupWatch(
    WATCH_SERVICE,
    {
      image,
      networkId,
      // Where the agent is bound to a node, and there is another one.
      ...(isBound(config) && Object.keys(config.nodes).length > 1 && { awayFrom: volumeNodeId }),
      settings: settingsOf(config, saved),
      after: [...copies],
    },
    onSwarm,
  );
  return [watch.target];
}

function settingsOf(
  { stack, database }: Config,
  { backup, space }: Saved,
): pulumi.Output<WatchSettings> {
  const { webhook, mail } = backup.alarm ?? {};
  // It reads, and whoever has its node shall not delete backups.
  const key = new digitalocean.SpacesKey(
    WATCH_SERVICE,
    { grants: [{ bucket: space.bucket.name, permission: "read" }] },
    { parent: space },
  );
  return pulumi
    .all([bucketOf(space), key.accessKey, key.secretKey])
    .apply(([bucket, accessKey, secretKey]): WatchSettings => ({
      stack,
      places: {
        first: { ...bucket, accessKey, secretKey },
        second: secondPlace(backup.second),
      },
      maxAgeHours: maxAgeHours(backup),
      log: database.engine === "container",
      alarm: { ...(webhook !== undefined && { webhook }), ...(mail && { mail }) },
    }));
}
