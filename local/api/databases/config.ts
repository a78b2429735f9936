import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { unprocessable } from "../errors";
import { parse } from "../input";
import type { Engine } from "./catalogue";
import { EVICTION_POLICIES, findDatabase } from "./model";
import type { DatabasePath } from "./routes";

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

const pgbouncer = z.strictObject({
  server_reset_query_always: z.boolean().optional(),
  ignore_startup_parameters: z.array(z.string()).optional(),
  min_pool_size: whole(0, 10000).optional(),
  server_lifetime: whole(60, 86400).optional(),
  server_idle_timeout: whole(0, 86400).optional(),
  autodb_pool_size: whole(0, 10000).optional(),
  autodb_pool_mode: z.enum(["session", "transaction", "statement"]).optional(),
  autodb_max_db_connections: whole(0, 2147483647).optional(),
  autodb_idle_timeout: whole(0, 86400).optional(),
});

const timescaledb = z.strictObject({
  max_background_workers: whole(1, 4096).optional(),
});

/** `postgres_advanced_config` of the API description. */
const pg = z.strictObject({
  autovacuum_freeze_max_age: whole(200000000, 1500000000).optional(),
  autovacuum_max_workers: whole(1, 20).optional(),
  autovacuum_naptime: whole(0, 86400).optional(),
  autovacuum_vacuum_threshold: whole(0, 2147483647).optional(),
  autovacuum_analyze_threshold: whole(0, 2147483647).optional(),
  autovacuum_vacuum_scale_factor: z.number().min(0).max(1).optional(),
  autovacuum_analyze_scale_factor: z.number().min(0).max(1).optional(),
  autovacuum_vacuum_cost_delay: whole(-1, 100).optional(),
  autovacuum_vacuum_cost_limit: whole(-1, 10000).optional(),
  backup_hour: whole(0, 23).optional(),
  backup_minute: whole(0, 59).optional(),
  bgwriter_delay: whole(10, 10000).optional(),
  bgwriter_flush_after: whole(0, 2048).optional(),
  bgwriter_lru_maxpages: whole(0, 1073741823).optional(),
  bgwriter_lru_multiplier: z.number().min(0).max(10).optional(),
  deadlock_timeout: whole(500, 1800000).optional(),
  default_toast_compression: z.enum(["lz4", "pglz"]).optional(),
  idle_in_transaction_session_timeout: whole(0, 604800000).optional(),
  jit: z.boolean().optional(),
  log_autovacuum_min_duration: whole(-1, 2147483647).optional(),
  log_error_verbosity: z.enum(["TERSE", "DEFAULT", "VERBOSE"]).optional(),
  log_line_prefix: z
    .enum([
      "pid=%p,user=%u,db=%d,app=%a,client=%h",
      "%m [%p] %q[user=%u,db=%d,app=%a]",
      "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h",
    ])
    .optional(),
  log_min_duration_statement: whole(-1, 86400000).optional(),
  max_files_per_process: whole(1000, 4096).optional(),
  max_prepared_transactions: whole(0, 10000).optional(),
  max_pred_locks_per_transaction: whole(64, 640).optional(),
  max_locks_per_transaction: whole(64, 6400).optional(),
  max_stack_depth: whole(2097152, 6291456).optional(),
  max_standby_archive_delay: whole(1, 43200000).optional(),
  max_standby_streaming_delay: whole(1, 43200000).optional(),
  max_replication_slots: whole(8, 64).optional(),
  max_logical_replication_workers: whole(4, 64).optional(),
  max_parallel_workers: whole(0, 96).optional(),
  max_parallel_workers_per_gather: whole(0, 96).optional(),
  max_worker_processes: whole(8, 96).optional(),
  "pg_partman_bgw.role": z.string().optional(),
  "pg_partman_bgw.interval": whole(3600, 604800).optional(),
  "pg_stat_statements.track": z.enum(["all", "top", "none"]).optional(),
  temp_file_limit: whole(-1, 2147483647).optional(),
  timezone: z.string().optional(),
  track_activity_query_size: whole(1024, 10240).optional(),
  track_commit_timestamp: z.enum(["off", "on"]).optional(),
  track_functions: z.enum(["all", "pl", "none"]).optional(),
  track_io_timing: z.enum(["off", "on"]).optional(),
  max_wal_senders: whole(20, 64).optional(),
  wal_sender_timeout: whole(0, 10800000).optional(),
  wal_writer_delay: whole(10, 200).optional(),
  shared_buffers_percentage: z.number().min(20).max(60).optional(),
  pgbouncer: pgbouncer.optional(),
  work_mem: whole(1, 1024).optional(),
  timescaledb: timescaledb.optional(),
  synchronous_replication: z.enum(["off", "quorum"]).optional(),
  stat_monitor_enable: z.boolean().optional(),
  max_failover_replication_time_lag: whole(10, 9007199254740991).optional(),
  max_connections: whole(25, 9007199254740991).optional(),
  max_slot_wal_keep_size: whole(-1, 2147483647).optional(),
});

/** `valkey_advanced_config` of the API description. */
const valkey = z.strictObject({
  valkey_maxmemory_policy: z.enum(EVICTION_POLICIES).optional(),
  valkey_pubsub_client_output_buffer_limit: whole(32, 512).optional(),
  valkey_number_of_databases: whole(1, 128).optional(),
  valkey_io_threads: whole(1, 32).optional(),
  valkey_lfu_log_factor: whole(0, 100).optional(),
  valkey_lfu_decay_time: whole(1, 120).optional(),
  valkey_ssl: z.boolean().optional(),
  valkey_timeout: whole(0, 31536000).optional(),
  valkey_notify_keyspace_events: z.string().optional(),
  valkey_persistence: z.enum(["off", "rdb"]).optional(),
  valkey_acl_channels_default: z.enum(["allchannels", "resetchannels"]).optional(),
  frequent_snapshots: z.boolean().optional(),
  valkey_active_expire_effort: whole(1, 10).optional(),
});

const settings: Readonly<Record<Engine, z.ZodType<Record<string, unknown>>>> = { pg, valkey };

/** Settings of clusters: checked, kept and shown. The local servers run with their own. */
export function configRoutes(app: FastifyInstance, { store }: Context): void {
  const path = "/v2/databases/:database/config";

  app.get<DatabasePath>(path, ({ params }) => ({
    config: findDatabase(store, params.database).config,
  }));

  app.patch<DatabasePath>(path, (request, reply) => {
    store.transaction(() => {
      const { id, engine, config } = findDatabase(store, request.params.database);
      const given = parse(z.object({ config: z.record(z.string(), z.unknown()) }), request.body);
      const checked = settings[engine].safeParse(given.config);
      if (!checked.success) {
        const [issue] = checked.error.issues;
        throw unprocessable(`config.${issue?.path.join(".")}: ${issue?.message}`);
      }
      store.databases.patch(id, { config: { ...config, ...checked.data } });
    });
    return reply.code(200).send();
  });
}
