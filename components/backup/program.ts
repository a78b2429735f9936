import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type BundleServiceArgs, bundleService } from "../bundle-service";
import { base64, type RolloutTarget } from "../service-defaults";
import { AUTHORITIES, AUTHORITIES_MOUNT } from "./authorities";
import { ALIVE_FILE } from "./settings";

export interface BackupProgramArgs extends Omit<BundleServiceArgs, "container" | "aliveCommand"> {
  /** Secret: it holds the places' logins. */
  readonly settings: pulumi.Input<object>;
  /** Name of the secret's file. */
  readonly settingsFile: string;
  /** What it has of its node, before the authorities. */
  readonly mounts: readonly docker.types.input.ServiceTaskSpecContainerSpecMount[];
}

/**
 * A program that reads or writes backups, as a swarm service: as root, with its settings as a secret, and with the node's authorities,
 * which it knows the places by.
 */
export function backupProgram(
  name: string,
  { settings, settingsFile, mounts, ...args }: BackupProgramArgs,
  parent: pulumi.Resource,
): RolloutTarget {
  const secret = new docker.Secret(
    name,
    { data: pulumi.secret(pulumi.jsonStringify(settings)).apply(base64) },
    { parent, deleteBeforeReplace: false },
  );
  const container = {
    env: { NODE_EXTRA_CA_CERTS: AUTHORITIES },
    user: "0:0",
    init: true,
    secrets: [
      {
        secretId: secret.id,
        secretName: secret.name,
        fileName: settingsFile,
        fileMode: 0o400,
      },
    ],
    mounts: [...mounts, AUTHORITIES_MOUNT],
  };
  const aliveCommand = `test -e ${ALIVE_FILE}`;
  return bundleService(name, { ...args, container, aliveCommand }, parent);
}
