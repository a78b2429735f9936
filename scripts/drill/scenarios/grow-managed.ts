/** The same as `grow`, and the database goes along: from the first Droplet's Volume to a managed cluster, where it stays. */
import { setTimeout as delay } from "node:timers/promises";
import { migrate } from "../../migrate/postgres";
import { parseEnds } from "../../migrate/postgres/route";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig } from "../ground";
import { askPooler, notesByPooler, outcomeOf } from "../rows";
import { startWriter } from "../writer";
import { MAX_PAUSE_MS } from "./migrate";
import { expectClosed, expectKept, frontOf, keptOf, SINGLE, TTL_SECONDS } from "./grow";

const size = "db-s-2vcpu-4gb";

/** Several nodes and both servers; the app stays at the container's. */
const BOTH: StackConfig = {
  ...SINGLE,
  topology: "swarm",
  nodes: {},
  managers: { count: 1, size: "s-2vcpu-4gb" },
  workers: { count: 1, size: "s-2vcpu-2gb" },
  database: { engine: "container", migrateTo: "managed", size },
};

const MANAGED: StackConfig = {
  ...BOTH,
  database: { engine: "managed", migratedFrom: "container", size },
};

const BACK: StackConfig = {
  ...SINGLE,
  database: { engine: "managed", migratedFrom: "container", size },
};

export const growManaged: Scenario = {
  name: "grow-managed",
  action: "single-node with its own PostgreSQL → swarm (1 + 1) with a managed one → single-node",
  base: SINGLE,
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
      if (switchMs > MAX_PAUSE_MS)
        throw new Error(`writes waited for ${switchMs} ms at the switch`);
      const moved = Date.now();
      await ground.mustUp(MANAGED);
      const ended = Date.now();
      const [slots] = await askPooler(ground, "SELECT count(*) FROM pg_replication_slots;");
      if (slots !== "0") throw new Error(`${slots} slots still keep changes for the way back`);
      await ground.mustUp(BACK);
      await expectClosed(ground, BACK);
      const back = Date.now();
      await delay(TTL_SECONDS * 1000);
      const written = await writer.stop();
      await expectKept(ground, before);
      const seconds = (from: number, to: number) => `${Math.round((to - from) / 1000)} s`;
      return {
        ...outcomeOf([written], [await notesByPooler(ground, mark)]),
        notes: [
          `up ${seconds(started, grown)}, the move ${seconds(grown, moved)} with writes waiting for ${switchMs} ms, up ${seconds(moved, ended)}, back to one node ${seconds(ended, back)}`,
        ],
      };
    };
  },
};

async function moveDatabase(ground: Ground) {
  const ends = { from: `${STACK}:container`, to: `${STACK}:managed`, database: "app" };
  const route = await parseEnds(ends).open(await ground.target());
  return migrate(route, { ...ends, json: true });
}
