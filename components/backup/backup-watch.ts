import * as pulumi from "@pulumi/pulumi";
import type { RolloutTarget } from "../service-defaults";
import { watchBundle } from "./bundle";
import { backupProgram } from "./program";
import { WATCH_CODE_FILE, WATCH_SERVICE, WATCH_STATE, type WatchSettings } from "./watch-settings";

export interface BackupWatchArgs {
  /** With rclone and Node.js: the toolbox. */
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  /** Swarm id of the node whose loss it must survive. @default it runs anywhere: there is one node */
  readonly awayFrom?: pulumi.Input<string> | undefined;
  /** Secret: it holds logins. */
  readonly settings: pulumi.Input<WatchSettings>;
  /** What must be there before: the image on every node. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Tells people when backups stop, as a swarm service `backup-watch` that is not the one that makes them: it looks into each
 * place itself, and sends webhooks and mail.
 *
 * ```ts
 * new BackupWatch("backup-watch", { image, networkId, awayFrom: nodeId, settings, after: [] });
 * ```
 *
 * Where the whole stack is gone so is this: the heartbeat that the backup agent sends is watched from elsewhere.
 */
export class BackupWatch extends pulumi.ComponentResource {
  readonly target: RolloutTarget;

  constructor(name: string, args: BackupWatchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:backup:BackupWatch", name, {}, opts);
    const { image, networkId, awayFrom, settings, after } = args;
    this.target = backupProgram(
      name,
      {
        image,
        networkId,
        settings,
        after,
        service: WATCH_SERVICE,
        program: watchBundle(),
        codeFile: WATCH_CODE_FILE,
        settingsFile: WATCH_SERVICE,
        memoryMib: 256,
        ...(awayFrom !== undefined && {
          constraints: [pulumi.interpolate`node.id != ${awayFrom}`],
        }),
        mounts: [{ type: "volume", source: name, target: WATCH_STATE }],
      },
      this,
    );
    this.registerOutputs({});
  }
}
