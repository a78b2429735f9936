/** What a stack keeps in its several ways: how a drill writes it, loses it by hand, and looks for it. */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import type { Ground } from "./ground";
import { inService, linesOf } from "./in-service";
import type { Front } from "./load";
import { askPooler, notesByPooler } from "./rows";
import { startWriter } from "./writer";

export interface KeptData {
  /** As notes name it. */
  readonly what: string;
  /** Of `npm run restore -- <stack>`: what brings it back, and nothing else. */
  readonly words: readonly string[];
  /** @returns how many rows, files or objects were acknowledged. */
  write(): Promise<number>;
  /** Loses it, as somebody's mistake does. */
  damage(): Promise<void>;
  /** @returns how many of what was acknowledged are gone, or others. @throws {Error} when it cannot be read. */
  missing(): Promise<number>;
}

/** How long the app writes rows one after the other. */
const WRITE_MS = 3000;
/** Rows besides, in one transaction. */
const BALLAST_ROWS = 20_000;
const FILES = 40;
const FILE_BYTES = 65_536;

/** Rows that the app writes in the database. */
export function tableRows(ground: Ground): KeptData {
  const mark = ground.fresh();
  let written: readonly string[] = [];
  return {
    what: "table of the managed database",
    words: ["--database", "app"],
    write: async () => {
      written = await writeRows({ url: (await ground.outputs()).url }, mark);
      const ballast = await askPooler(
        ground,
        `INSERT INTO notes (text) SELECT '${mark}-ballast-' || n FROM generate_series(1, ${BALLAST_ROWS}) n RETURNING text;`,
      );
      written = [...written, ...ballast];
      return written.length;
    },
    damage: async () => void (await askPooler(ground, "DROP TABLE notes;")),
    missing: async () => absent(written, await notesByPooler(ground, mark)),
  };
}

/** Rows that a service writes in a SQLite file on the Volume. @param file in its container. */
export function sqliteRows(ground: Ground, service: string, file: string, front: Front): KeptData {
  const mark = ground.fresh();
  let written: readonly string[] = [];
  // node:sqlite says on standard error that it is an experiment.
  const ask = async (sql: string): Promise<string[]> => {
    const script = `const { DatabaseSync } = require("node:sqlite");
      const db = new DatabaseSync(process.argv[1]);
      db.exec("PRAGMA busy_timeout = 5000");
      for (const row of db.prepare(process.argv[2]).all()) console.log(row.text);`;
    return linesOf(await inService(ground, service, ["node", "-e", script, file, sql]));
  };
  return {
    what: "SQLite file",
    words: ["--service", service],
    write: async () => {
      written = await writeRows(front, mark);
      const ballast = await ask(
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${BALLAST_ROWS})
         INSERT INTO notes (text) SELECT '${mark}-ballast-' || n FROM n RETURNING text`,
      );
      written = [...written, ...ballast];
      return written.length;
    },
    damage: async () => {
      await inService(ground, service, ["sh", "-euc", 'rm -f "$1" "$1-wal" "$1-shm"', "sh", file]);
    },
    missing: async () => {
      const stored = await ask(`SELECT text FROM notes WHERE text LIKE '${mark}-%'`);
      return absent(written, new Set(stored));
    },
  };
}

/** A service that does nothing but have files on the Volume. */
export const FILE_KEEPER = {
  image: "node:22-alpine",
  entrypoint: [
    "node",
    "-e",
    "process.once('SIGTERM', () => process.exit()); setInterval(() => {}, 1e9)",
  ],
  database: "none",
  volume: "/files",
};

/** Files of a service on the Volume. @param directory in its container. */
export function volumeFiles(ground: Ground, service: string, directory: string): KeptData {
  let written: readonly string[] = [];
  const run = (script: string) =>
    inService(ground, service, ["sh", "-euc", `cd ${directory}\n${script}`]);
  const look = async () => linesOf(await run("find . -type f | sort | xargs sha256sum"));
  return {
    what: "files of a service",
    words: ["--service", service],
    write: async () => {
      await run(
        `mkdir -p invoices\nfor n in $(seq ${FILES}); do head -c ${FILE_BYTES} /dev/urandom > invoices/$n.pdf; done\nsync`,
      );
      written = await look();
      return written.length;
    },
    damage: async () => void (await run("rm -r invoices\necho overwritten > notes.txt")),
    missing: async () => absent(written, new Set(await look())),
  };
}

/** Objects in the bucket, which the app puts there. */
export function uploadedFiles(ground: Ground): KeptData {
  const mark = ground.fresh();
  const written = new Map<string, string>();
  const ask = async (method: "GET" | "PUT" | "DELETE", name: string, body?: Buffer) => {
    const { url } = await ground.outputs();
    const answer = await request(new URL(`/api/files/${name}`, url), {
      method,
      body: body ?? null,
      headers: { "content-type": "image/png" },
    });
    return { status: answer.statusCode, bytes: Buffer.from(await answer.body.arrayBuffer()) };
  };
  const must = async (...words: Parameters<typeof ask>) => {
    const { status } = await ask(...words);
    if (status >= 300) throw new Error(`${words[0]} ${words[1]}: HTTP ${status}`);
  };
  return {
    what: "uploaded files",
    words: ["--files"],
    write: async () => {
      for (let number = 0; number < FILES; number++) {
        const [name, content] = [`${mark}-${number}.png`, randomBytes(FILE_BYTES)];
        await must("PUT", name, content);
        written.set(name, sumOf(content));
      }
      return written.size;
    },
    damage: async () => {
      const names = [...written.keys()];
      for (const [index, name] of names.entries()) {
        if (index % 2 === 0) await must("DELETE", name);
        else await must("PUT", name, randomBytes(FILE_BYTES));
      }
    },
    missing: async () => {
      let count = 0;
      for (const [name, sum] of written) {
        const { status, bytes } = await ask("GET", name);
        if (status !== 200 || sumOf(bytes) !== sum) count += 1;
      }
      return count;
    },
  };
}

async function writeRows(front: Front, mark: string): Promise<readonly string[]> {
  const writer = startWriter(front, mark);
  await delay(WRITE_MS);
  const { acknowledged, failures } = await writer.stop();
  if (failures.length > 0) throw new Error(`${front.url}: ${failures[0]}`);
  return acknowledged;
}

/** Runs a command in a task of a service. @returns its output. @throws {Error} when it fails. */
const absent = (written: readonly string[], stored: ReadonlySet<string>) =>
  written.filter((one) => !stored.has(one)).length;

const sumOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
