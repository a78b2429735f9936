import type { ResourceType } from "../../../framework/provider";
import {
  boolean,
  list,
  number,
  object,
  set,
  string,
  type Field,
  type Fields,
} from "../../../framework/schema";
import { isZero, items, mapObject, members, text, type Values } from "../../../framework/values";
import type { ApiClient } from "../../client";
import { fromApi, snakeCase, toApi } from "../../spelling";

const computed = { computed: true } as const;

const fieldsOf = (names: string, field: (options: typeof computed) => Field): Fields =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, field(computed)]),
  );

/** How one engine's settings are called in the API. */
interface Engine {
  /** The last part of the resource's ID. */
  readonly suffix: string;
  readonly settings: Fields;
  readonly apiName: (name: string) => string;
}

/** Lists of at most one element in Pulumi, objects in the API, read only where the program set them. */
const GROUPS: Readonly<Record<string, string>> = {
  pgbouncers: "pgbouncer",
  timescaledbs: "timescaledb",
};

/** A database engine's settings. Deleting changes nothing remote: they are not unset, as officially. */
function configOf({ suffix, settings, apiName }: Engine): ResourceType<ApiClient> {
  const request = (inputs: Values): Values => {
    const given = Object.entries(inputs).filter(
      ([name, value]) => settings[name] && value !== undefined && value !== null,
    );
    return Object.fromEntries(
      given.map(([name, value]) => [
        apiName(name),
        GROUPS[name] ? toApi(members(items(value)[0])) : value,
      ]),
    );
  };
  const apply = (client: ApiClient, clusterId: string, inputs: Values): Promise<void> =>
    client.patch(`/databases/${clusterId}/config`, { config: request(inputs) });
  const existing = (clusterId: string, config: Values, known: Values) => ({
    id: `${clusterId}/${suffix}`,
    state: {
      clusterId,
      ...mapObject(settings, (_, name) => {
        const value = config[apiName(name)];
        if (!GROUPS[name]) {
          return value ?? undefined;
        }
        return isZero(known[name]) || !value ? undefined : [fromApi(members(value))];
      }),
    },
  });
  const find = async (client: ApiClient, clusterId: string, known: Values) => {
    const found = await client.find<{ config: Values }>(`/databases/${clusterId}/config`);
    return found && existing(clusterId, found.config, known);
  };
  const written = async (client: ApiClient, clusterId: string, inputs: Values) => {
    await apply(client, clusterId, inputs);
    return (await find(client, clusterId, inputs)) ?? existing(clusterId, {}, inputs);
  };
  return {
    inputs: { clusterId: string({ required: true, replace: true }), ...settings },
    outputs: [],
    create: (client, inputs) => written(client, text(inputs.clusterId), inputs),
    // Imports are given as the cluster's ID.
    read: (client, id, known) => find(client, text(known.clusterId) || id, known),
    update: (client, _id, { news }) => written(client, text(news.clusterId), news),
    delete: () => Promise.resolve(),
  };
}

const DOTTED: Readonly<Record<string, string>> = {
  pgPartmanBgwRole: "pg_partman_bgw.role",
  pgPartmanBgwInterval: "pg_partman_bgw.interval",
  pgStatStatementsTrack: "pg_stat_statements.track",
};

export const databasePostgresqlConfig = configOf({
  suffix: "postgresql-config",
  apiName: (name) => GROUPS[name] ?? DOTTED[name] ?? snakeCase(name),
  settings: {
    ...fieldsOf(
      `autovacuumAnalyzeScaleFactor autovacuumAnalyzeThreshold autovacuumFreezeMaxAge autovacuumMaxWorkers
       autovacuumNaptime autovacuumVacuumCostDelay autovacuumVacuumCostLimit autovacuumVacuumScaleFactor
       autovacuumVacuumThreshold backupHour backupMinute bgwriterDelay bgwriterFlushAfter
       bgwriterLruMaxpages bgwriterLruMultiplier deadlockTimeout idleInTransactionSessionTimeout
       logAutovacuumMinDuration logMinDurationStatement maxFilesPerProcess maxLocksPerTransaction
       maxLogicalReplicationWorkers maxParallelWorkers maxParallelWorkersPerGather
       maxPredLocksPerTransaction maxPreparedTransactions maxReplicationSlots maxStackDepth
       maxStandbyArchiveDelay maxStandbyStreamingDelay maxWalSenders maxWorkerProcesses
       pgPartmanBgwInterval sharedBuffersPercentage tempFileLimit trackActivityQuerySize walSenderTimeout
       walWriterDelay workMem`,
      number,
    ),
    ...fieldsOf(
      `defaultToastCompression logErrorVerbosity logLinePrefix pgPartmanBgwRole pgStatStatementsTrack
       timezone trackCommitTimestamp trackFunctions trackIoTiming`,
      string,
    ),
    jit: boolean(computed),
    pgbouncers: list(
      object({
        ...fieldsOf(
          `autodbIdleTimeout autodbMaxDbConnections autodbPoolSize minPoolSize serverIdleTimeout
           serverLifetime`,
          number,
        ),
        autodbPoolMode: string(computed),
        ignoreStartupParameters: set(string(), computed),
        serverResetQueryAlways: boolean(computed),
      }),
      computed,
    ),
    timescaledbs: list(object({ maxBackgroundWorkers: number() }), computed),
  },
});

/** Settings whose names the API does not prefix with the engine's. */
const UNPREFIXED = ["frequentSnapshots", "valkeyActiveExpireEffort", "valkeyMaxmemoryPolicy"];

export const databaseValkeyConfig = configOf({
  suffix: "valkey-config",
  apiName: (name) => (UNPREFIXED.includes(name) ? snakeCase(name) : `valkey_${snakeCase(name)}`),
  settings: {
    ...fieldsOf(
      `ioThreads lfuDecayTime lfuLogFactor numberOfDatabases pubsubClientOutputBufferLimit timeout
       valkeyActiveExpireEffort`,
      number,
    ),
    ...fieldsOf(
      "aclChannelsDefault notifyKeyspaceEvents persistence valkeyMaxmemoryPolicy",
      string,
    ),
    ...fieldsOf("frequentSnapshots ssl", boolean),
  },
});
