import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import type * as swarm from "../../providers/swarm/sdk";
import type { Config } from "../config";
import { VOLUME_MOUNT, volumeName } from "../names";

/** The stack's Volume; it outlives the node that it is attached to. */
export function makeVolume(
  { stack, region, database, protect }: Config,
  tag: pulumi.Input<string>,
): digitalocean.Volume {
  return new digitalocean.Volume(
    "data",
    {
      name: volumeName(stack),
      region,
      size: database.volumeGib,
      // Grows while in use, locally too.
      initialFilesystemType: "xfs",
      initialFilesystemLabel: "data",
      tags: [tag],
    },
    { protect },
  );
}

/** How its node uses it. */
export function volumeUse(config: Config, volume: digitalocean.Volume) {
  return {
    id: volume.id,
    sizeGib: config.database.volumeGib,
    mountPoint: VOLUME_MOUNT,
    directories: dataDirectories(config),
  };
}

/** Directories on the Volume that services are given. */
function dataDirectories({ database, services }: Config): swarm.NodeDirectory[] {
  const withVolume = Object.entries(services).filter(([, { volume }]) => volume !== undefined);
  return [
    { path: "edge" },
    ...(database.engine === "container" ? [{ path: "postgres" }] : []),
    // Images run as users of their own, which the node cannot know.
    ...withVolume.map(([name]) => ({ path: `services/${name}`, mode: "0777" })),
  ];
}
