import * as pulumi from "@pulumi/pulumi";
import { Cache } from "../../components/cache";
import { IMAGES, pulledImage } from "../../components/images";
import type { ManagedDatabase } from "../../components/managed-database";
import * as swarm from "../../providers/swarm/sdk";
import type { Config } from "../config";
import type { OnSwarm } from "./on-swarm";
import { inSite } from "./site";

/** The cache as services of the swarm see it. */
export interface ServedCache {
  /** Secrets for every service, by file name. */
  readonly given: Readonly<Record<string, pulumi.Input<string>>>;
  readonly ready: pulumi.Resource;
}

export function serveCache(
  { cache }: Config,
  managed: ManagedDatabase | undefined,
  { networkId, connection, child, onSwarm, triggers, site }: OnSwarm,
): ServedCache | undefined {
  if (managed !== undefined) {
    const { user, password, privateHost, port } = managed.cluster;
    const url = pulumi.interpolate`rediss://${user}:${pulumi.secret(password)}@${privateHost}:${port}`;
    return { given: { cache_url: url, cache_ca: managed.ca }, ready: managed.firewall };
  }
  if (cache.engine !== "container") return undefined;
  const container = new Cache(
    "cache",
    {
      image: pulledImage("valkey", IMAGES.valkey, child),
      networkId,
      memoryMib: cache.memoryMib,
    },
    onSwarm,
  );
  const ready = new swarm.Rollout(
    "cache",
    { connection, services: [container.target], triggers: [...triggers] },
    inSite(site),
  );
  return { given: { cache_url: container.url }, ready };
}
