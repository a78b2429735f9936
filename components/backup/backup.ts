import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { loader } from "../bundle";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
  SINGLETON,
} from "../service-defaults";
import { AUTHORITIES, AUTHORITIES_MOUNT } from "./authorities";
import { backupBundle } from "./bundle";
import { ALIVE_FILE, type BackupSettings, CODE_FILE } from "./settings";

export interface BackupArgs {
  /** With age, rclone, zstd, Node.js and PostgreSQL's programs: the toolbox. */
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  /** What it reads on a node. @default nothing: it runs anywhere */
  readonly data?: BackupData | undefined;
  /** Secret: it holds the places' logins. */
  readonly settings: pulumi.Input<BackupSettings>;
  /** What must be there before: the image on every node. */
  readonly after: readonly pulumi.Resource[];
}

export interface BackupData {
  /** Swarm id of the node that holds the Volume. */
  readonly nodeId: pulumi.Input<string>;
  /** Directories of that node, each with its place in the agent's container. */
  readonly directories: readonly { readonly source: string; readonly target: string }[];
}

/**
 * Backs up at its times, as a swarm service `backup`, beside the data where that is on a node: dump, compress, encrypt, upload, read back.
 *
 * ```ts
 * new Backup("backup", { image, networkId, data: { nodeId, directories: [] }, settings, after: [] });
 * ```
 *
 * It knows the public key alone, and cannot read what it saved. Whoever has its node can delete backups where the places' logins allow it.
 */
export class Backup extends pulumi.ComponentResource {
  readonly target: RolloutTarget;

  constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:backup:Backup", name, {}, opts);
    const { data } = args;
    const kept = { parent: this, deleteBeforeReplace: false };
    const settings = new docker.Secret(
      name,
      { data: pulumi.secret(pulumi.jsonStringify(args.settings)).apply(base64) },
      kept,
    );
    const code = new docker.ServiceConfig(
      `${name}-code`,
      { data: backupBundle().toString("base64") },
      kept,
    );
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: 1,
      order: "stop-first",
      memoryMib: 512,
      ...(data && { constraints: [pulumi.interpolate`node.id == ${data.nodeId}`] }),
      labels: SINGLETON,
      container: {
        image: args.image,
        commands: ["node", "-e", loader(CODE_FILE)],
        env: { NODE_EXTRA_CA_CERTS: AUTHORITIES },
        user: "0:0",
        init: true,
        configs: [
          { configId: code.id, configName: code.name, fileName: CODE_FILE, fileMode: READABLE },
        ],
        secrets: [
          {
            secretId: settings.id,
            secretName: settings.name,
            fileName: "backup",
            fileMode: 0o400,
          },
        ],
        mounts: [
          ...(data?.directories ?? []).map((directory) => ({ type: "bind", ...directory })),
          AUTHORITIES_MOUNT,
        ],
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
    this.target = rolloutTarget(name, service, spec);
    this.registerOutputs({});
  }
}
