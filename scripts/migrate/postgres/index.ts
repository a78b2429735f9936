/** `npm run migrate -- postgres --from <stack>:<engine> --to <stack>:<engine>`: a live database to the stack's other server. */
import pc from "picocolors";
import { Fault } from "../../../local/fault";
import { step } from "../../../local/progress";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { findTarget } from "../../operator/target";
import { drift, type Finding, type Look, preflight } from "./preflight";
import { closeSide, type Side } from "./side";
import { copyOnce } from "./snapshot";
import { type Engine, StackServers } from "./stack";
import { ChangeStream } from "./stream";
import { type Pair, switchOver, type Switched } from "./switch";

export interface PostgresOptions {
  readonly from: string;
  readonly to: string;
  readonly cloud?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What `--json` prints. */
export interface PostgresReport extends Partial<Switched> {
  readonly outcome: "refused" | "planned" | "moved" | "was there";
  readonly databases: readonly string[];
  readonly bytes: number;
  /** Changes that were made while the copy was made, and after. */
  readonly changes: number;
  readonly seconds: number;
  readonly faults: readonly Finding[];
  readonly notes: readonly Finding[];
}

/** @returns 0 when the app is on the target, 1 when something stands in the way. */
export async function migratePostgres(options: PostgresOptions): Promise<number> {
  const [from, to] = [parsePlace("--from", options.from), parsePlace("--to", options.to)];
  if (from.stack !== to.stack || from.engine === to.engine) {
    throw new Fault(
      `--from and --to must be the two servers of one stack, such as ${from.stack}:container and ${from.stack}:managed, got ${options.from} and ${options.to}.`,
    );
  }
  const target = await findTarget(from.stack, options.cloud ?? false);
  try {
    const servers = await StackServers.find(target);
    const report = await migrate(servers, from.engine, to.engine, options);
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else print(report, options);
    return report.outcome === "refused" ? 1 : 0;
  } finally {
    closeConnections();
  }
}

function parsePlace(option: string, text: string): { stack: string; engine: Engine } {
  const [, stack, engine] = /^([^:]+):(container|managed)$/.exec(text) ?? [];
  if (stack === undefined || engine === undefined) {
    throw new Fault(`${option} must be <stack>:container or <stack>:managed, got ${text}.`);
  }
  return { stack, engine: engine as Engine };
}

async function migrate(
  servers: StackServers,
  from: Engine,
  to: Engine,
  { dryRun, json }: PostgresOptions,
): Promise<PostgresReport> {
  const started = Date.now();
  const { databases } = servers;
  const sides: Side[] = [];
  const open = async (engine: Engine, database: string) => {
    const side = await servers.side(engine, database);
    sides.push(side);
    return side;
  };
  let changes = 0;
  let looks: Look[] = [];
  const report = (
    outcome: PostgresReport["outcome"],
    switched: Partial<Switched> = {},
  ): PostgresReport => ({
    outcome,
    databases,
    bytes: looks.reduce((sum, { bytes }) => sum + bytes, 0),
    changes,
    seconds: (Date.now() - started) / 1000,
    faults: looks.flatMap(({ faults }) => faults),
    notes: looks.flatMap(({ notes }) => notes),
    ...switched,
  });
  try {
    const pairs: (Pair & { database: string })[] = [];
    for (const database of databases) {
      const [source, target] = [await open(from, database), await open(to, database)];
      pairs.push({
        database,
        role: database,
        source,
        target,
        stream: new ChangeStream(source, target),
      });
    }
    if (await areOver(pairs)) return report("was there");
    looks = await step("Looking at what is there", () =>
      Promise.all(pairs.map(({ role, source, target }) => preflight(role, source, target))),
    );
    if (looks.some(({ faults }) => faults.length > 0)) return report("refused");
    if (!json)
      process.stderr.write(
        looks
          .flatMap(({ notes }) => notes)
          .map(line)
          .join(""),
      );
    if (dryRun) return report("planned");
    for (const pair of pairs) await bring(servers, from, pair, (count) => (changes += count));
    const switched = await step("Switching", () => switchOver(pairs, servers.poolers()));
    return report("moved", switched);
  } finally {
    await Promise.all(sides.map(closeSide));
  }
}

/** Whether the target is the one that lets the app in already. */
async function areOver(pairs: readonly Pair[]): Promise<boolean> {
  for (const { role, source, target } of pairs) {
    const query = `SELECT rolcanlogin FROM pg_roles WHERE rolname = '${role}';`;
    const isSource = (await source.admin.value(query)) === "t";
    if (isSource || (await target.admin.value(query)) !== "t") return false;
  }
  return true;
}

/** The copy, unless it is there, and what came after it. */
async function bring(
  servers: StackServers,
  from: Engine,
  { database, role, source, target, stream }: Pair & { database: string },
  onChanges: (count: number) => void,
): Promise<void> {
  const all = Number(await source.admin.value("SELECT pg_database_size(current_database());"));
  await step(`Copying ${database}, ${mib(all)}`, async (work) => {
    const started = Date.now();
    const timer = setInterval(() => {
      void target.admin.value("SELECT pg_database_size(current_database());").then(
        (there) => {
          const [bytes, seconds] = [Number(there), (Date.now() - started) / 1000];
          work.note(`${mib(bytes)} of about ${mib(all)}, ${mib(bytes / seconds)}/s`);
        },
        () => undefined,
      );
    }, 2000);
    try {
      await copyOnce(database, role, source, target, servers.replication(from, database), (job) =>
        servers.copy(from, database, job),
      );
    } finally {
      clearInterval(timer);
    }
  });
  const changed = await drift(source, target);
  if (changed.length > 0) {
    throw new Fault(
      `Definitions of ${database} changed since the copy, and changes of definitions are not carried over: ${changed.join(", ")}. Make them on the target as well, or empty its database and begin again.`,
    );
  }
  let done = 0;
  await step(`Catching up with ${database}`, (work) =>
    stream.catchUp((applied) => {
      done += applied.changes;
      work.note(`${done} changes`);
    }),
  );
  onChanges(done);
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const line = ({ at, says }: Finding) => `  ${pc.bold(at)} ${says}\n`;

function print(report: PostgresReport, { from, to }: PostgresOptions): void {
  const out = (text: string) => process.stdout.write(`${text}\n`);
  const { outcome, faults, databases, bytes, changes, seconds, pauseMs, cut = 0 } = report;
  const what = `${databases.join(", ")} (${mib(bytes)})`;
  switch (outcome) {
    case "refused":
      out(`Nothing was changed. In the way:\n${faults.map(line).join("").trimEnd()}`);
      return;
    case "planned":
      out(
        `${what} would be copied from ${from} to ${to}, then the app would be led there. Nothing was changed.`,
      );
      return;
    case "was there":
      out(`The app is on ${to} already.`);
      return;
    case "moved":
      out(
        `${pc.green("Moved")} ${what} from ${from} to ${to} in ${seconds.toFixed(1)} s, with ${changes} changes made meanwhile.`,
      );
      out(
        `Writes waited for ${((pauseMs ?? 0) / 1000).toFixed(1)} s; ${cut} sessions were ended in the middle of a transaction.`,
      );
      out(
        `Every change from now on is kept for the way back: npm run migrate -- postgres --from ${to} --to ${from}`,
      );
  }
}
