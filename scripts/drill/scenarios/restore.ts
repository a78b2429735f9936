/** Everything that holds data is lost, and comes back from a place elsewhere. */
import { newBackupKey } from "../backup-key";
import { mustOperate } from "../command";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig, WEB } from "../ground";
import { firstWrite, lose } from "../loss";
import { BackupPlaces } from "../places";
import { askContainer, outcomeOf, storedNotes } from "../rows";
import { until } from "../until";
import { startWriter, whileWriting } from "../writer";
import { refuses } from "./restore-faults";

const SINGLE: StackConfig = {
  topology: "single-node",
  region: "fra1",
  nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
  database: "container",
  services: { web: { ...WEB, replicas: 2 } },
};

/** Of rows that nobody writes to, so that a restore takes time that can be measured. */
const BALLAST_ROWS = 250_000;

/** The app is away from the loss to the end of the restore: every request in between may fail. */
const AWAY_SECONDS = 1800;

const GIB = 2 ** 30;

export const restore: Scenario = {
  name: "restore",
  action: "Droplet and Volume lost, up --refresh, restored to the end of the archived log",
  base: SINGLE,
  crash: { share: 1, detectionSeconds: AWAY_SECONDS },
  prepare: async (ground) => {
    const places = await BackupPlaces.open(ground);
    const { recipient, identity } = newBackupKey();
    const config = {
      ...SINGLE,
      backup: {
        recipient,
        second: places.second,
        // Who watches is part of the stack, and tells nobody here.
        alarm: { webhook: "https://alarm.invalid/" },
      },
    };
    await ground.mustUp(config);
    await askContainer(
      ground,
      `create table ballast as select i, md5(i::text) || md5((-i)::text) || repeat(md5((2 * i)::text), 4) as text from generate_series(1, ${BALLAST_ROWS}) i;`,
    );
    await mustOperate(["backup", STACK, "--json"]);
    const mark = ground.fresh();
    const { url } = await ground.outputs();
    return async (): Promise<Outcome> => {
      const { result: refused, written } = await whileWriting(
        [startWriter({ url }, mark)],
        async () => {
          const { backup } = await mustOperate(["backup", STACK, "--json"]);
          return refuses(ground, places, String(backup), identity);
        },
      );
      await archived(ground);
      const lostAt = Date.now();
      await lose(ground);
      await ground.mustUp(config, "--refresh");
      const upAt = Date.now();
      const done = await mustOperate([
        ...["restore", STACK, "--to", "end", "--identity", identity, "--yes", "--json"],
      ]);
      const restoredAt = Date.now();
      await firstWrite(ground);
      const pauseMs = Date.now() - lostAt;
      const stored = await storedNotes(ground, mark);
      const [bytes = ""] = await askContainer(ground, "select pg_database_size('app');");
      const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
      const restoring = seconds(upAt, restoredAt);
      return {
        ...outcomeOf(written, [stored]),
        pauseMs,
        secondsPerGib: Math.round(restoring / (Number(bytes) / GIB)),
        notes: [
          ...refused,
          `new server after ${seconds(lostAt, upAt)} s, then ${String(done.rows)} rows and ${(Number(bytes) / 2 ** 20).toFixed(0)} MiB restored in ${restoring} s`,
        ],
      };
    };
  },
};

/** Waits until the place has what was written. What is younger than a minute may be lost otherwise. */
async function archived(ground: Ground): Promise<void> {
  const [wanted = ""] = await askContainer(ground, "select pg_walfile_name(pg_switch_wal() - 1);");
  await until("archived log", 120, async () => {
    const [last = ""] = await askContainer(
      ground,
      "select last_archived_wal from pg_stat_archiver;",
    );
    return last.slice(0, 24) >= wanted;
  });
}
