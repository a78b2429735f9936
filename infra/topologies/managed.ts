import { Files } from "../../components/files";
import { ManagedDatabase } from "../../components/managed-database";
import { ManagedPostgres } from "../../components/managed-postgres";
import { Registry } from "../../components/registry";
import type { Config } from "../config";
import { databaseNames, hasManaged, poolSize } from "../databases";
import { cacheName, databaseName, registryName } from "../names";
import type { Ground, Place } from "./ground";
import type { SecondGround } from "./second-site";

/** Valkey's version. https://docs.digitalocean.com/products/databases/valkey/ */
const VALKEY_VERSION = "8";

/** What DigitalOcean runs for the stack. */
export interface Managed {
  readonly postgres: ManagedPostgres | undefined;
  readonly cache: ManagedDatabase | undefined;
  readonly registry: Registry | undefined;
  readonly files: Files | undefined;
  /** Where backups go first. */
  readonly backups: Files | undefined;
}

/** @param second reaches databases of the first site by the peering, and has a copy of its own. */
export function makeManaged(
  config: Config,
  { network }: Ground,
  second: SecondGround | undefined,
  { env }: Place,
): Managed {
  const { stack, region, protect, database, cache, registry, files, backup } = config;
  const trustedTags = [network.tag, ...(second ? [second.ground.network.tag] : [])];
  const here = { region, vpcId: network.vpcId, trustedTags, protect };
  const databases = databaseNames(config);
  return {
    postgres: hasManaged(database)
      ? new ManagedPostgres("postgres", {
          ...here,
          name: databaseName(stack),
          version: database.version,
          size: database.size,
          nodes: database.nodes,
          databases,
          poolSize: poolSize(database.size, databases.length),
          replicas: database.replicas,
          elsewhere: second && {
            region: second.config.region,
            vpcId: second.ground.network.vpcId,
          },
        })
      : undefined,
    cache:
      cache.engine === "managed"
        ? new ManagedDatabase("cache", {
            ...here,
            name: cacheName(stack),
            engine: "valkey",
            version: VALKEY_VERSION,
            size: cache.size,
            nodes: cache.nodes,
          })
        : undefined,
    registry:
      registry.kind === "digitalocean"
        ? new Registry("registry", {
            name: registryName(stack, registry.name),
            tier: registry.tier,
            region,
          })
        : undefined,
    files:
      files.enabled && config.machines === "real"
        ? new Files("files", {
            region: files.region ?? region,
            bucket: files.name,
            versioning: files.versioning,
            protect,
            endpoint: env.ARCHIPELAGO_FILES_ENDPOINT,
          })
        : undefined,
    backups:
      backup !== undefined && config.machines === "real"
        ? new Files("backups", {
            region: backup.space.region ?? region,
            bucket: backup.space.name,
            versioning: false,
            protect,
            endpoint: env.ARCHIPELAGO_FILES_ENDPOINT,
          })
        : undefined,
  };
}
