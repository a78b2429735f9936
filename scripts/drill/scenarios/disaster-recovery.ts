/** Every kind of data that a stack keeps, but a container's database (`restore`): lost by hand, then with everything at once. */
import { alarmsReach } from "../alarm";
import { newBackupKey } from "../backup-key";
import { mustOperate } from "../command";
import { Doorway } from "../doorway";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig, WEB } from "../ground";
import {
  FILE_KEEPER,
  type KeptData,
  sqliteRows,
  tableRows,
  uploadedFiles,
  volumeFiles,
} from "../kept-data";
import type { Front } from "../load";
import { firstWrite, lose, loseDatabase } from "../loss";
import { BackupPlaces } from "../places";
import { startWriter, whileWriting } from "../writer";

/** By its name the edge knows the service with the SQLite file. */
const LEDGER = "ledger.drill.example";
const LEDGER_FILE = "/data/ledger.db";

/** The app is away from the loss of everything to the end of the restore, and its table before that. */
const AWAY_SECONDS = 1800;

interface Scene {
  readonly doorway: Doorway;
  readonly config: StackConfig;
  /** File of the secret key. */
  readonly identity: string;
}

const scenes = new WeakMap<Ground, Scene>();

export const disasterRecovery: Scenario = {
  name: "disaster-recovery",
  action:
    "table, SQLite file, files, uploaded files, cluster restored one by one, then all at once",
  base: async (ground) => {
    const scene = await set(ground);
    scenes.set(ground, scene);
    return scene.config;
  },
  crash: { share: 1, detectionSeconds: AWAY_SECONDS },
  prepare: async (ground) => {
    const scene = scenes.get(ground);
    if (scene === undefined) throw new Error("its stack is not up");
    const { hostname: address } = new URL((await ground.outputs()).url);
    const ledger: Front = { url: `http://${LEDGER}/`, address };
    const all = [
      volumeFiles(ground, "documents", "/files"),
      sqliteRows(ground, "ledger", LEDGER_FILE, ledger),
      tableRows(ground),
      uploadedFiles(ground),
    ];
    return () => act(ground, scene, all, ledger).finally(() => scene.doorway.close());
  },
};

/** The stack file, with a second place that can fall silent, and somebody who is told. */
async function set(ground: Ground): Promise<Scene> {
  const doorway = await Doorway.open(ground);
  const places = await BackupPlaces.open(ground, doorway.endpoint);
  const { recipient, identity } = newBackupKey();
  const { release: _, ...app } = WEB;
  const config = {
    topology: "single-node",
    region: "fra1",
    nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
    database: { engine: "managed", size: "db-s-1vcpu-2gb" },
    files: true,
    services: {
      web: { ...WEB, replicas: 2 },
      ledger: {
        ...app,
        routes: [`${LEDGER}/`],
        replicas: 1,
        database: "none",
        volume: "/data",
        environment: { DATABASE_FILE: LEDGER_FILE },
      },
      documents: FILE_KEEPER,
    },
    backup: {
      recipient,
      second: places.second,
      alarm: { webhook: doorway.webhook },
    },
  };
  return { doorway, config, identity };
}

async function act(
  ground: Ground,
  { doorway, config, identity }: Scene,
  all: readonly KeptData[],
  ledger: Front,
): Promise<Outcome> {
  const notes: string[] = [];
  const restored = async (...words: readonly string[]) => {
    const started = Date.now();
    await mustOperate(["restore", STACK, ...words, "--identity", identity, "--yes", "--json"]);
    return `${Math.round((Date.now() - started) / 1000)} s`;
  };
  let rowsWritten = 0;
  for (const one of all) rowsWritten += await one.write();
  const failedWrites = await backUpUnderWrites(ground, ledger);
  notes.push(...(await alarmsReach(ground, doorway.watched)));

  let rowsLost = 0;
  for (const one of all) {
    await one.damage();
    await mustMiss(one);
    const took = await restored(...one.words);
    // A pooler may have a session yet that the restore has ended, and says so to the next who asks.
    await firstWrite(ground);
    const missing = await one.missing();
    rowsLost += missing;
    notes.push(`${one.what}: lost by hand, ${missing} missing ${took} after the restore was asked`);
  }

  notes.push(await loseClusterAlone(ground, config));
  const [table] = all.filter(({ words }) => words.includes("--database"));
  if (table === undefined) throw new Error("a table is among what is kept");
  const restoredIn = await restored(...table.words);
  await firstWrite(ground);
  rowsLost += await table.missing();
  notes.push(`its rows came back in ${restoredIn}`);

  for (const one of all.filter(({ words }) => words.includes("--files"))) await one.damage();
  const lostAt = Date.now();
  await lose(ground);
  await ground.mustUp(config, "--refresh");
  const upSeconds = Math.round((Date.now() - lostAt) / 1000);
  const took = await restored("--from", "second");
  await firstWrite(ground);
  const pauseMs = Date.now() - lostAt;
  for (const one of all) rowsLost += await one.missing();
  notes.push(
    `everything lost: up after ${upSeconds} s, all of it from the second place in ${took}`,
  );
  return { rowsWritten, rowsLost, pauseMs, failedWrites, notes };
}

/** Beside a Volume, which may have a container's rows, another cluster takes the operator's word. @returns how long it took to have one. */
async function loseClusterAlone(ground: Ground, { database, ...rest }: StackConfig) {
  const started = Date.now();
  await loseDatabase(ground);
  const refused = await ground.up({ database, ...rest }, "--refresh");
  const said = refused.stdout + refused.stderr;
  if (refused.code === 0 || !said.includes("The Database Cluster was lost"))
    throw new Error(`up made another cluster without being told to:\n${said}`);
  const lost = { ...(database as object), migratedFrom: "none" };
  await ground.mustUp({ ...rest, database: lost }, "--refresh");
  const seconds = Math.round((Date.now() - started) / 1000);
  return `the cluster alone lost: refused with the remedy, another one after ${seconds} s`;
}

/** @returns writes of meanwhile that failed. */
async function backUpUnderWrites(ground: Ground, ledger: Front): Promise<readonly string[]> {
  const fronts = [{ url: (await ground.outputs()).url }, ledger];
  const writers = fronts.map((front) => startWriter(front, ground.fresh()));
  const { written } = await whileWriting(writers, () => mustOperate(["backup", STACK, "--json"]));
  return written.flatMap(({ failures }) => failures);
}

/** @throws {Error} when nothing is missing: then a restore would prove nothing. */
async function mustMiss(one: KeptData): Promise<void> {
  // What is lost altogether cannot even be read.
  const missing = await one.missing().catch(() => 1);
  if (missing === 0) throw new Error(`${one.what}: nothing is missing after the damage`);
}
