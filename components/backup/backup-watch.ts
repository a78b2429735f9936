import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { loader } from "../bundle";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
} from "../service-defaults";
import { AUTHORITIES, AUTHORITIES_MOUNT } from "./authorities";
import { watchBundle } from "./bundle";
import { ALIVE_FILE } from "./settings";
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
    const kept = { parent: this, deleteBeforeReplace: false };
    const settings = new docker.Secret(
      name,
      { data: pulumi.secret(pulumi.jsonStringify(args.settings)).apply(base64) },
      kept,
    );
    const code = new docker.ServiceConfig(
      `${name}-code`,
      { data: watchBundle().toString("base64") },
      kept,
    );
    const spec = serviceArgs({
      name: WATCH_SERVICE,
      networkId: args.networkId,
      replicas: 1,
      order: "stop-first",
      memoryMib: 256,
      ...(args.awayFrom !== undefined && {
        constraints: [pulumi.interpolate`node.id != ${args.awayFrom}`],
      }),
      container: {
        image: args.image,
        commands: ["node", "-e", loader(WATCH_CODE_FILE)],
        env: { NODE_EXTRA_CA_CERTS: AUTHORITIES },
        user: "0:0",
        init: true,
        configs: [
          {
            configId: code.id,
            configName: code.name,
            fileName: WATCH_CODE_FILE,
            fileMode: READABLE,
          },
        ],
        secrets: [
          {
            secretId: settings.id,
            secretName: settings.name,
            fileName: WATCH_SERVICE,
            fileMode: 0o400,
          },
        ],
        mounts: [{ type: "volume", source: name, target: WATCH_STATE }, AUTHORITIES_MOUNT],
        healthcheck: {
          tests: ["CMD-SHELL", `test -e ${ALIVE_FILE}`],
          interval: "10s",
          timeout: "3s",
          retries: 3,
          startPeriod: "30s",
        },
      },
    });
    const service = new docker.Service(name, spec, { parent: this, dependsOn: [...args.after] });
    this.target = rolloutTarget(WATCH_SERVICE, service, spec);
    this.registerOutputs({});
  }
}
