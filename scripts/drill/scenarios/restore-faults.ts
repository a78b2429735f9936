/** Restores that must not succeed: each says why, loses nothing, and can be asked for again. */
import { newBackupKey } from "../backup-key";
import { mustOperate, operate } from "../command";
import { type Ground, STACK } from "../ground";
import { inService } from "../in-service";
import type { BackupPlaces } from "../places";
import { askContainer } from "../rows";

const DATABASES = "select string_agg(datname, ' ' order by datname) from pg_database;";

/** That a restore of the drill's database does not fit into, and the server goes on with. */
const LEFT_MIB = 64;

/**
 * @param backup to restore from, by name.
 * @param identity file of the key.
 * @returns what each was told, a line each.
 * @throws {Error} when one of them succeeded, or was told something else, or changed something.
 */
export async function refuses(
  ground: Ground,
  places: BackupPlaces,
  backup: string,
  identity: string,
): Promise<string[]> {
  const before = await askContainer(ground, DATABASES);
  const lines: string[] = [];
  const refused = async (what: string, says: RegExp, ...words: readonly string[]) => {
    const all = ["restore", STACK, "--to", backup, "--yes", "--json", ...words];
    const { code, complaint } = await operate(all);
    const line = complaint.split("\n").find((each) => says.test(each));
    if (code === 0 || line === undefined) {
      throw new Error(`${what}: ended with ${code}, and said: ${complaint}`);
    }
    const after = await askContainer(ground, DATABASES);
    if (after[0] !== before[0]) throw new Error(`${what}: left ${after[0]}, not ${before[0]}`);
    lines.push(`${what}: ${line.trim()}`);
  };
  const own = ["--identity", identity];

  const { identity: other } = newBackupKey("other.key");
  await refused("wrong key", /is of no use here/, "--identity", other);

  const file = `backups/${backup}/database-app.dump.zst.age`;
  const good = await places.read(file);
  const bad = Buffer.from(good);
  bad[good.length >> 1] = (bad[good.length >> 1] ?? 0) ^ 1;
  await places.write(file, bad);
  await refused("corrupted copy", /cannot be restored|damaged/, ...own, "--from", "second");
  await places.remove(file);
  await refused("missing copy", /is missing in the second place/, ...own, "--from", "second");
  await places.write(file, good);

  await withFullDisk(ground, () => refused("full disk", /not enough room/, ...own));
  lines.push(await interrupted(ground, backup, own));
  return lines;
}

/** The Volume has hardly any room while the task goes on. */
async function withFullDisk(ground: Ground, task: () => Promise<void>): Promise<void> {
  const run = (script: string) => inService(ground, "postgres", ["sh", "-euc", script]);
  const file = "/var/lib/postgresql/data/filled";
  await run(
    `free=$(df -Pm /var/lib/postgresql/data | awk 'NR == 2 { print $4 }'); fallocate -l "$((free - ${LEFT_MIB}))M" ${file}`,
  );
  await task().finally(() => run(`rm ${file}`));
}

/** The operator's command is killed while it restores; the same again brings it to its end. */
async function interrupted(
  ground: Ground,
  backup: string,
  own: readonly string[],
): Promise<string> {
  const words = ["restore", STACK, "--to", backup, "--database", "app", "--into", "app_check"];
  const all = [...words, "--yes", "--json", ...own];
  const { code } = await operate(all, ({ event }, kill) => {
    if (event === "begins") kill();
  });
  if (code !== undefined)
    throw new Error(`interrupted restore: it was not, and ended with ${code}`);
  const { rows } = await mustOperate(all);
  await askContainer(ground, "drop database app_check;");
  return `interrupted (SIGKILL), then the same again: ${String(rows)} rows`;
}
