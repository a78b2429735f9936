import * as pulumi from "@pulumi/pulumi";
import { type RolloutTarget, SINGLETON } from "../service-defaults";
import { backupBundle } from "./bundle";
import { backupProgram } from "./program";
import { type BackupSettings, CODE_FILE } from "./settings";

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
    const { data, image, networkId, settings, after } = args;
    const directories = data?.directories ?? [];
    this.target = backupProgram(
      name,
      {
        image,
        networkId,
        settings,
        after,
        program: backupBundle(),
        codeFile: CODE_FILE,
        settingsFile: "backup",
        memoryMib: 512,
        ...(data && { constraints: [pulumi.interpolate`node.id == ${data.nodeId}`] }),
        labels: SINGLETON,
        mounts: directories.map((directory) => ({ type: "bind", ...directory })),
      },
      this,
    );
    this.registerOutputs({});
  }
}
