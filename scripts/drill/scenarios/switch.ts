/** An app, its data and its address go to a second stack, and come back with what was written meanwhile. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { operate } from "../command";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig, WEB } from "../ground";
import { inService } from "../in-service";
import { FILE_KEEPER } from "../kept-data";
import { firstWrite } from "../loss";
import { notesByPooler, outcomeOf } from "../rows";
import { startWriter } from "../writer";

const NEXT = "drill-next";

const OLD: StackConfig = {
  topology: "single-node",
  region: "fra1",
  nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
  database: "container",
  services: {
    web: { ...WEB, replicas: 2 },
    documents: FILE_KEEPER,
  },
};

/** A network of its own. */
const NEW: StackConfig = { ...OLD, vpcCidr: "10.99.0.0/20" };

const FILES = 40;
/** Writes at each stack, before it is left. */
const STAY_MS = 5000;

/** While the last of the data is copied, the app is stopped. */
const AWAY_SECONDS = 120;

const report = z.object({ outcome: z.string(), seconds: z.number(), faults: z.array(z.string()) });

export const switchStacks: Scenario = {
  name: "switch",
  action:
    "app, database, files and address to a second stack, and back with what was written there",
  base: OLD,
  crash: { share: 1, detectionSeconds: AWAY_SECONDS },
  prepare: async (ground) => {
    const next = ground.beside(NEXT);
    await next.mustUp(NEW);
    const { url } = await ground.outputs();
    const mark = ground.fresh();
    const documents = `for n in $(seq ${FILES}); do head -c 65536 /dev/urandom > "/files/$1-$n"; done`;
    return async (): Promise<Outcome> => {
      const writer = startWriter({ url }, mark);
      const notes: string[] = [];
      const ways = [
        [ground, STACK, next, NEXT],
        [next, NEXT, ground, STACK],
      ] as const;
      for (const [from, old, to, other] of ways) {
        await inService(from, "documents", ["sh", "-euc", documents, "sh", old]);
        const sums = await sumsOf(from);
        await delay(STAY_MS);
        notes.push(await switched(old, other));
        // The address is the visitors', whichever stack is behind it.
        await firstWrite(ground, url);
        if ((await sumsOf(to)) !== sums) throw new Error(`files of ${other} are others`);
      }
      await delay(STAY_MS);
      const written = await writer.stop();
      return { ...outcomeOf([written], [await notesByPooler(ground, mark)]), notes };
    };
  },
};

/** @throws {Error} unless it went there. */
async function switched(from: string, to: string): Promise<string> {
  const { code, stdout, complaint } = await operate(["switch", from, to, "--yes", "--json"]);
  const parsed = report.safeParse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  if (code !== 0 || parsed.data?.outcome !== "switched")
    throw new Error(`switch ${from} ${to} ended with ${code}: ${stdout}${complaint}`);
  return `${from} → ${to} in ${parsed.data.seconds.toFixed(1)} s`;
}

const sumsOf = (ground: Ground) =>
  inService(ground, "documents", ["sh", "-euc", "cd /files && sha256sum * | sort -k 2"]);
