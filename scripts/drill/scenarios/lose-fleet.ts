/** A fleet whose backups go to an SSH server: the table is lost by hand, then every Droplet and the database cluster at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { alarmsReach } from "../alarm";
import { newBackupKey } from "../backup-key";
import { mustOperate } from "../command";
import { Doorway } from "../doorway";
import type { Outcome, Scenario } from "../drill";
import { BASE, type Ground, STACK, type StackConfig } from "../ground";
import { type KeptData, tableRows, uploadedFiles } from "../kept-data";
import { firstWrite, lose } from "../loss";
import { BackupServer } from "../backup-server";
import { startWriter, whileWriting } from "../writer";

const FLEET: StackConfig = {
  ...BASE,
  workers: { count: 1, size: "s-2vcpu-2gb" },
  files: true,
};

/** The app is away from the loss of everything to the end of the restore, and its table before that. */
const AWAY_SECONDS = 1800;

const doorways = new WeakMap<Ground, Doorway>();

interface Scene {
  readonly doorway: Doorway;
  readonly server: BackupServer;
  readonly config: StackConfig;
  /** File of the secret key. */
  readonly identity: string;
}

export const loseFleet: Scenario = {
  name: "lose-fleet",
  action: "fleet with backups at an SSH server: table restored, then every Droplet and the cluster",
  base: async (ground) => {
    doorways.set(ground, await Doorway.open(ground));
    return FLEET;
  },
  crash: { share: 1, detectionSeconds: AWAY_SECONDS },
  prepare: async (ground) => {
    const doorway = doorways.get(ground);
    if (doorway === undefined) throw new Error("its stack is not up");
    const server = await BackupServer.open(ground);
    const { recipient, identity } = newBackupKey();
    const config = {
      ...FLEET,
      backup: {
        recipient,
        second: server.second,
        alarm: { mail: server.mail, heartbeat: doorway.heartbeat },
      },
    };
    await ground.mustUp(config);
    return async () => {
      try {
        return await act(ground, { doorway, server, config, identity });
      } finally {
        doorway.close();
        await server.close();
      }
    };
  },
};

async function act(ground: Ground, scene: Scene): Promise<Outcome> {
  const { doorway, server, config, identity } = scene;
  const [table, files] = [tableRows(ground), uploadedFiles(ground)];
  let rowsWritten = 0;
  for (const one of [table, files]) rowsWritten += await one.write();
  const writer = startWriter({ url: (await ground.outputs()).url }, ground.fresh());
  const { written } = await whileWriting([writer], () => mustOperate(["backup", STACK, "--json"]));
  if (doorway.heartbeats === 0) throw new Error("nobody heard the heartbeat of the backup");
  const notes = ["heartbeat heard", ...(await alarmsReach(ground, server.watched))];
  notes.push(await readWithoutStack(server, identity));

  const restored = async (...words: readonly string[]) => {
    const started = Date.now();
    await mustOperate([
      ...["restore", STACK, ...words, "--from", "second", "--identity", identity],
      ...["--yes", "--json"],
    ]);
    return Math.round((Date.now() - started) / 1000);
  };
  let rowsLost = 0;
  const look = async (one: KeptData) => (rowsLost += await one.missing());
  await table.damage();
  notes.push(`table restored from the SSH server in ${await restored(...table.words)} s`);
  // Without its table the app was not healthy, and swarm had ended its tasks.
  await firstWrite(ground);
  await look(table);

  await files.damage();
  const lostAt = Date.now();
  await lose(ground, server.id);
  await ground.mustUp(config, "--refresh");
  const upSeconds = Math.round((Date.now() - lostAt) / 1000);
  const seconds = await restored();
  await firstWrite(ground);
  const pauseMs = Date.now() - lostAt;
  for (const one of [table, files]) await look(one);
  notes.push(
    `every Droplet and the cluster lost: up after ${upSeconds} s, all of it restored from the SSH server in ${seconds} s`,
  );
  const failedWrites = written.flatMap(({ failures }) => failures);
  return { rowsWritten, rowsLost, pauseMs, failedWrites, notes };
}

/** With nothing but the key, the place and its login. */
async function readWithoutStack(server: BackupServer, identity: string): Promise<string> {
  const directory = path.join(process.env.ARCHIPELAGO_LOCAL_DIR ?? "", "without-stack");
  fs.rmSync(directory, { recursive: true, force: true });
  const { files } = await mustOperate([
    ...["restore", "--place", server.url, "--into-directory", directory],
    ...["--ssh-key", server.keyFile, "--known-hosts", server.knownHosts()],
    ...["--identity", identity, "--json"],
  ]);
  const { length } = z.array(z.string()).min(2).parse(files);
  return `without the stack: ${length} files read from the SSH server`;
}
