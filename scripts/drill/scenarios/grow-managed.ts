/** The same as `grow`, and the database goes along: from the first Droplet's Volume to a managed cluster. */
import { setTimeout as delay } from "node:timers/promises";
import { migrate } from "../../migrate/postgres";
import { parseEnds } from "../../migrate/postgres/route";
import { Psql } from "../../migrate/psql";
import { psqlByPooler } from "../../migrate/sqlite";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig, WEB } from "../ground";
import { startWriter } from "../writer";
import { expectClosed, frontOf, keptOf, SINGLE, TTL_SECONDS } from "./grow";

const size = "db-s-2vcpu-4gb";

/** Several nodes and both servers; the app stays at the container's. */
const BOTH: StackConfig = {
  ...SINGLE,
  topology: "swarm",
  nodes: {},
  managers: { count: 1, size: "s-2vcpu-4gb" },
  workers: { count: 1, size: "s-2vcpu-2gb" },
  database: { engine: "container", migrateTo: "managed", size },
  services: { web: { ...WEB, replicas: 2 } },
};

const MANAGED: StackConfig = {
  ...BOTH,
  database: { engine: "managed", migratedFrom: "container", size },
};

export const growManaged: Scenario = {
  name: "grow-managed",
  action: "single-node with its own PostgreSQL → swarm (1 + 1) with a managed one",
  base: { ...SINGLE, services: { web: { ...WEB, replicas: 2 } } },
  front: frontOf,
  prepare: async (ground) => {
    const before = await keptOf(ground);
    const front = await frontOf(ground);
    const mark = ground.fresh();
    return async (): Promise<Outcome> => {
      const writer = startWriter(front, mark);
      const started = Date.now();
      await ground.mustUp(BOTH);
      await expectClosed(ground, BOTH);
      const grown = Date.now();
      const { pauseMs: switchMs = 0, outcome } = await moveDatabase(ground);
      if (outcome !== "moved") throw new Error(`the database was not moved: ${outcome}`);
      const moved = Date.now();
      await ground.mustUp(MANAGED);
      const ended = Date.now();
      await delay(TTL_SECONDS * 1000);
      const { acknowledged, failures, pauseMs } = await writer.stop();
      const now = await keptOf(ground);
      if (JSON.stringify(now) !== JSON.stringify(before)) {
        throw new Error(`not all was kept: ${JSON.stringify(before)} → ${JSON.stringify(now)}`);
      }
      const stored = await storedRows(ground, mark);
      const seconds = (from: number, to: number) => `${Math.round((to - from) / 1000)} s`;
      return {
        rowsWritten: acknowledged.length,
        rowsLost: acknowledged.filter((text) => !stored.has(text)).length,
        pauseMs,
        failedWrites: failures,
        notes: [
          `up ${seconds(started, grown)}, the move ${seconds(grown, moved)} with writes waiting for ${switchMs} ms, up ${seconds(moved, ended)}`,
        ],
      };
    };
  },
};

const targetOf = async (ground: Ground) => ({ stack: STACK, outputs: await ground.outputs() });

async function moveDatabase(ground: Ground) {
  const ends = { from: `${STACK}:container`, to: `${STACK}:managed`, database: "app" };
  const route = await parseEnds(ends).open(await targetOf(ground));
  return migrate(route, { ...ends, json: true });
}

/** Texts of the notes that this drill wrote, as the app finds them. */
async function storedRows(ground: Ground, mark: string): Promise<ReadonlySet<string>> {
  const psql = new Psql(await psqlByPooler(await targetOf(ground), "app"));
  try {
    return new Set(await psql.run(`SELECT text FROM notes WHERE text LIKE '${mark}-%';`));
  } finally {
    await psql.end();
  }
}
