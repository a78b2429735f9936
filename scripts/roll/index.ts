/**
 * `npm run roll -- <stack>`: what replaces several nodes, one node at a time.
 *
 * Each step is a whole `pulumi up` in which the nodes whose turn has not come are held (infra/roll.ts), and not one with
 * `--target`: that leaves out whatever is not named, so that services would keep a manager that is gone, and a Droplet
 * that an interrupted run left behind would stay.
 */
import { createInterface } from "node:readline/promises";
import { rollEnvironment } from "../../infra/roll";
import { Fault } from "../../local/fault";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { leaderOf, managerOf, sitesOf } from "../operator/target";
import { readOutputs } from "../outputs";
import { pulumiOn, type StackPulumi } from "../stack-pulumi";
import { describeRoll, inOrder, planRoll, type RollPlan } from "./plan";
import { errorsOf, type Preview, readPreview } from "./preview";

export interface RollOptions {
  readonly cloud?: boolean;
  readonly userData?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** @returns 0 when no node is left to replace, or only the plan was asked for. */
export async function roll(stack: string, options: RollOptions): Promise<number> {
  return rollWith(await pulumiOn(stack, options.cloud ?? false), options, {
    leaders: findLeaders,
    agree,
    tell: (line) => process.stdout.write(`${line}\n`),
  });
}

/** What a roll needs to know of the world, beside Pulumi. */
export interface Surroundings {
  /** The node that leads the managers, in each site; none where machines are simulated. */
  readonly leaders: (pulumi: StackPulumi) => Promise<readonly string[]>;
  /** Whether a person says yes. */
  readonly agree: () => Promise<boolean>;
  readonly tell: (line: string) => void;
}

export async function rollWith(
  pulumi: StackPulumi,
  { userData = false, dryRun = false, yes = false }: RollOptions,
  { leaders, agree, tell }: Surroundings,
): Promise<number> {
  const { stack } = pulumi;
  const whole = await preview(pulumi, { held: [], userData });
  const nodes = whole.replaced.map(({ node }) => node);
  if (nodes.length === 0) {
    tell(`${stack}: no node is to be replaced${whole.changes > 0 ? "; `up` does the rest" : ""}.`);
    return 0;
  }
  const rest = await preview(pulumi, { held: nodes, userData });
  const first = await leaders(pulumi);
  const plan = planRoll(whole, rest, first);
  tell(describeRoll(stack, plan, first));
  if (dryRun) return 0;
  if (!yes && !(await agree())) {
    tell("Nothing was changed.");
    return 1;
  }
  return takeTurns(pulumi, plan, userData, { leaders, tell });
}

async function takeTurns(
  pulumi: StackPulumi,
  { nodes, otherChanges }: RollPlan,
  userData: boolean,
  { leaders, tell }: Pick<Surroundings, "leaders" | "tell">,
): Promise<number> {
  const done: string[] = [];
  const namesOf = (some: typeof nodes) => some.map(({ node }) => node);
  const stop = (what: string, untouched: typeof nodes) =>
    tell(afterFailure(pulumi, what, done, namesOf(untouched)));
  if (otherChanges > 0) {
    tell("Other changes first …");
    const code = await up(pulumi, { held: namesOf(nodes), userData });
    if (code !== 0) {
      stop("The other changes failed (above is why).", nodes);
      return code;
    }
  }
  for (let left = nodes; left.length > 0;) {
    // Who leads may have changed since.
    const leading = await leaders(pulumi).catch((error: unknown) => {
      stop("Nobody can be asked who leads the managers.", left);
      throw error;
    });
    const [turn, ...later] = inOrder(left, leading);
    if (turn === undefined) break;
    const { node, why } = turn;
    tell(`[${done.length + 1}/${nodes.length}] ${node}: ${why} …`);
    const began = Date.now();
    const code = await up(pulumi, { held: namesOf(later), userData });
    if (code !== 0) {
      stop(`${node} failed (above is why).`, later);
      return code;
    }
    done.push(node);
    tell(`[${done.length}/${nodes.length}] ${node} is new (${seconds(began)} s)`);
    left = later;
  }
  tell(`${pulumi.stack}: all ${nodes.length} nodes are new.`);
  return 0;
}

type Step = Parameters<typeof rollEnvironment>[0];

/** @throws {Fault} with what is wrong, when the preview fails. */
async function preview(pulumi: StackPulumi, step: Step): Promise<Preview> {
  const environment = rollEnvironment(step);
  const result = await pulumi.run(["preview", "--json", "--show-sames"], { environment });
  if (result.code !== 0) throw new Fault(`Nothing was changed:\n${errorsOf(result)}`);
  return readPreview(result.stdout);
}

/** Without its preview: the whole roll was previewed, and the program looks for faults before it makes anything. */
async function up(pulumi: StackPulumi, step: Step): Promise<number> {
  const words = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
  const environment = rollEnvironment(step);
  return (await pulumi.run(words, { environment, output: "inherit" })).code;
}

function afterFailure(
  { stack, isLocal }: StackPulumi,
  what: string,
  done: readonly string[],
  untouched: readonly string[],
): string {
  const list = (names: readonly string[]) => names.join(", ") || "none";
  return [
    "",
    `${what} New: ${list(done)}. Not touched yet: ${list(untouched)}.`,
    `To go on: npm run roll -- ${stack}${isLocal ? "" : " --cloud"}; it finishes what was begun and skips what is done.`,
    "To go back: put the old values into the stack file, and run the same.",
  ].join("\n");
}

/** @throws {Fault} when a site has machines, and no manager there answers: no node could join or leave. */
async function findLeaders(pulumi: StackPulumi): Promise<string[]> {
  const { code, stdout, stderr } = await pulumi.run(["stack", "output", "--json"]);
  if (code !== 0) throw new Fault(stderr.trim());
  const sites = sitesOf({ stack: pulumi.stack, outputs: readOutputs(stdout) });
  const real = sites.filter(({ outputs }) => outputs.nodes.some(({ connection }) => connection));
  try {
    const found = await Promise.all(
      real.map(async (site) => {
        const leader = await leaderOf(await managerOf(site), site.outputs.nodes);
        return leader && site.nameOf(leader.name);
      }),
    );
    return found.filter((name) => name !== undefined);
  } finally {
    closeConnections();
  }
}

/** @throws {Fault} when nobody can be asked. */
async function agree(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Fault("Nobody can be asked here: add --yes to go on.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question("Go on? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}

const seconds = (since: number) => Math.round((Date.now() - since) / 1000);
