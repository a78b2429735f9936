/** How much of a preview's time is ours: the largest stack against a program that only imports the same. */
import * as fs from "node:fs";
import * as path from "node:path";
import { checkout, localDir } from "../../local/paths";
import { pulumi, runPulumi, type LocalEngine } from "../../local/pulumi";
import { setUp } from "../../local/setup";
import { cpuWithoutStandIns, describeShares, watchProcesses, type Shares } from "./processes";
import { cpuSecondsOfChildren, median, watchIdleCpu, type Figure } from "./report";

const RUNS = 7;
const STACK = "ha";

const EMPTY_PROGRAM = `
import "@pulumi/digitalocean";
import "@pulumi/docker";
import "../../infra/config";
import "../../infra/topologies/ha";
import "../../providers/swarm/sdk";
import * as digitalocean from "@pulumi/digitalocean";
import * as docker from "@pulumi/docker";
import * as swarm from "../../providers/swarm/sdk";

new digitalocean.Provider("digitalocean");
new docker.Provider("docker", { host: "ssh://root@192.0.2.1" });
const bootHostKey = new swarm.HostKey("boot", { name: "empty" }).publicKey;
new swarm.Cluster("cluster", {
  name: "empty",
  tag: "empty",
  first: { host: "192.0.2.1", privateIp: "10.0.0.2", bootHostKey, dropletId: "1" },
});
`;

export async function preview(): Promise<Figure[]> {
  // Previews ask no machine, so the stack is previewed with everything that runs on real ones.
  process.env.ARCHIPELAGO_MACHINES = "simulated";
  const prepared = await setUp();
  const local: LocalEngine = { ...prepared, daemon: { ...prepared.daemon, machines: "docker" } };
  const empty = path.join(localDir(), "empty");
  fs.mkdirSync(empty, { recursive: true });
  // Imports are found from here as from infra/: through the checkout.
  const link = (name: string) =>
    fs.symlinkSync(path.join(checkout, name), path.join(localDir(), name));
  for (const name of ["node_modules", "infra", "providers"]) link(name);
  fs.writeFileSync(
    path.join(empty, "index.ts"),
    EMPTY_PROGRAM.replaceAll("../../", `${checkout}/`),
  );
  const own = fs.readFileSync(path.join(checkout, "infra/program.cjs"), "utf8");
  fs.writeFileSync(
    path.join(empty, "program.cjs"),
    own
      .replaceAll('"../build/', `"${checkout}/build/`)
      .replace('"infra/index.ts"', JSON.stringify(path.join(empty, "index.ts"))),
  );
  fs.writeFileSync(path.join(empty, "package.json"), JSON.stringify({ main: "program.cjs" }));
  const project = fs.readFileSync(path.join(checkout, "Pulumi.yaml"), "utf8");
  fs.writeFileSync(
    path.join(empty, "Pulumi.yaml"),
    project
      .replace(/^name: .*$/m, "name: empty")
      .replace(/path: \.\//g, `path: ${checkout}/`)
      .replace(/^stackConfigDir: .*$/m, ""),
  );
  await must(runPulumi(local, ["stack", "init", "empty"], "capture", empty));
  const runs: Record<"full" | "empty", Cost[]> = { full: [], empty: [] };
  const idle = watchIdleCpu();
  for (let run = 0; run <= RUNS; run++) {
    const full = await timed(() => must(pulumi(local, ["preview", STACK], "capture")));
    const bare = await timed(() =>
      must(runPulumi(local, ["preview", "--stack", "empty"], "capture", empty)),
    );
    // The first pair fills caches.
    if (run > 0) {
      runs.full.push(full);
      runs.empty.push(bare);
    }
  }
  const ratio = (of: (cost: Cost) => number) =>
    median(
      runs.full.map((cost, index) => {
        const bare = runs.empty[index];
        return bare ? of(cost) / of(bare) : NaN;
      }),
    );
  const told = (costs: Cost[]) =>
    `${median(costs.map(({ seconds }) => seconds)).toFixed(2)} s, ` +
    `of CPU ${median(costs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s`;
  const shares = (costs: Cost[]) => describeShares(medianShares(costs));
  return [
    {
      figure: "preview of the largest stack / of an empty program",
      value: ratio(({ seconds }) => seconds),
      unit: "ratio",
      goal: 1.2,
      details: {
        stack: STACK,
        full: `${told(runs.full)} (medians of ${RUNS})`,
        empty: told(runs.empty),
        "ratio of CPU": ratio(({ cpuSeconds }) => cpuSeconds).toFixed(2),
        "without stand-ins": ratio((cost) => cpuWithoutStandIns(cost.shares)).toFixed(2),
        "CPU of full": shares(runs.full),
        "CPU of empty": shares(runs.empty),
        "CPU left": `${Math.round(idle() * 100)} %`,
      },
    },
  ];
}

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly shares: Shares;
}

/** Of every kind of process its median over the runs. */
function medianShares(costs: readonly Cost[]): Shares {
  const kinds = new Set(costs.flatMap(({ shares }) => Object.keys(shares)));
  const over = (kind: string, of: keyof Shares[string]) =>
    median(costs.map(({ shares }) => shares[kind]?.[of] ?? 0));
  return Object.fromEntries(
    [...kinds].map((kind) => [
      kind,
      { count: over(kind, "count"), cpuSeconds: over(kind, "cpuSeconds") },
    ]),
  );
}

async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const [started, cpu, watched] = [
    process.hrtime.bigint(),
    cpuSecondsOfChildren(),
    watchProcesses(),
  ];
  await work();
  return {
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cpuSeconds: cpuSecondsOfChildren() - cpu,
    shares: watched(),
  };
}

async function must(result: ReturnType<typeof pulumi>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`pulumi failed:\n${stdout}${stderr}`);
  return stdout;
}
