/** `npm run migrate -- postgres --from … --to …`: a live database to another server, which takes over when it is told to. */
import { setTimeout as delay } from "node:timers/promises";
import { Fault } from "../../../local/fault";
import { step } from "../../../local/progress";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { findTarget } from "../../operator/target";
import { drift, type Look, preflight } from "./preflight";
import { line, mib, type Outcome, type PostgresReport, print } from "./report";
import { type Ends, parseEnds, type Route } from "./route";
import { closeSide } from "./side";
import { copyOnce } from "./snapshot";
import { ChangeStream, endSide } from "./stream";
import { isOpen, type Pair, retire, switchOver, type Switched } from "./switch";

/** Held in both databases: two at a time would do the same changes. */
const LOCK = 7_236_515;

/** Between two looks at a source that is followed. */
const FOLLOW_MS = 1000;

export interface PostgresOptions extends Ends {
  readonly cloud?: boolean;
  readonly dryRun?: boolean;
  readonly follow?: boolean;
  readonly switch?: boolean;
  readonly end?: boolean;
  readonly json?: boolean;
}

interface NamedPair extends Pair {
  readonly database: string;
}

/** @returns 0 when what was asked for is so, 1 when something stands in the way. */
export async function migratePostgres(options: PostgresOptions): Promise<number> {
  const { stack, open } = parseEnds(options);
  const target = await findTarget(stack, options.cloud ?? false);
  try {
    const report = await migrate(await open(target), options);
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else print(report, options);
    return report.outcome === "refused" ? 1 : 0;
  } finally {
    closeConnections();
  }
}

/** @throws {Fault} when a step fails; nothing is lost then, and it can be given again. */
export async function migrate(route: Route, options: PostgresOptions): Promise<PostgresReport> {
  const started = Date.now();
  const pairs: NamedPair[] = [];
  let changes = 0;
  let looks: Look[] = [];
  const report = (outcome: Outcome, switched: Partial<Switched> = {}): PostgresReport => ({
    outcome,
    databases: route.databases,
    bytes: looks.reduce((sum, { bytes }) => sum + bytes, 0),
    changes,
    seconds: (Date.now() - started) / 1000,
    faults: looks.flatMap(({ faults }) => faults),
    notes: looks.flatMap(({ notes }) => notes),
    ...switched,
  });
  if (!route.leadsApp && options.switch && options.follow) {
    throw new Fault("--follow goes on until you end it, and --switch ends it: give one of them.");
  }
  if (route.leadsApp && (options.switch || options.follow)) {
    throw new Fault(
      "--follow and --switch are for a server outside: within a stack all is one step.",
    );
  }
  try {
    for (const database of route.databases) {
      const { source, target } = await route.sides(database);
      pairs.push({ database, source, target, stream: new ChangeStream(source, target) });
    }
    await holdAll(pairs);
    if (options.end) {
      await end(route, pairs);
      return report("ended");
    }
    if (await areOver(pairs)) {
      // Whoever switched may have been cut off before the last steps.
      if (!options.dryRun) await retire(pairs);
      return report("was there");
    }
    looks = await step("Looking at what is there", () =>
      Promise.all(pairs.map((pair) => lookAt(route, pair))),
    );
    if (looks.some(({ faults }) => faults.length > 0)) return report("refused");
    if (!options.json) {
      const notes = looks.flatMap((look) => look.notes);
      process.stderr.write(notes.map(line).join(""));
    }
    if (options.dryRun) return report("planned");
    const onChanges = (count: number) => (changes += count);
    for (const pair of pairs) await bring(route, pair, onChanges);
    if (options.follow) await follow(pairs, onChanges);
    if (!route.leadsApp && !options.switch) return report("copied");
    const switched = await step("Switching", () => switchOver(pairs, route.poolers));
    return report("moved", switched);
  } finally {
    await Promise.all(pairs.flatMap(({ source, target }) => [source, target].map(closeSide)));
  }
}

/** Until the sessions end. @throws {Fault} when somebody else has them. */
async function holdAll(pairs: readonly Pair[]): Promise<void> {
  for (const { admin } of pairs.flatMap(({ source, target }) => [source, target])) {
    if ((await admin.value(`SELECT pg_try_advisory_lock(${LOCK});`)) === "t") continue;
    throw new Fault(
      "Another migration of this database is on its way, or is followed: end it, or wait for its end.",
    );
  }
}

async function lookAt(route: Route, { source, target }: Pair): Promise<Look> {
  const [look, more] = await Promise.all([preflight(source, target), route.faults(source, target)]);
  return { ...look, faults: [...look.faults, ...more] };
}

/** Whether the target is the one that lets the app in already. */
async function areOver(pairs: readonly Pair[]): Promise<boolean> {
  for (const { source, target } of pairs) {
    if ((await isOpen(source)) || !(await isOpen(target))) return false;
  }
  return true;
}

/** Nothing is kept for either way any longer. */
async function end(route: Route, pairs: readonly Pair[]): Promise<void> {
  for (const { source, target } of pairs) {
    await endSide(source);
    await endSide(target);
    // A copy that nobody switched to: the stack's app may use it as it is. Of a stack's own two servers only one may ever let it in.
    const other = (await isOpen(source)) ? target : source;
    if (!route.leadsApp && other.gate.endsSessions) await other.admin.run(other.gate.open);
  }
}

/** Goes on until Ctrl-C, which ends no change half-way. */
async function follow(pairs: readonly NamedPair[], onChanges: (count: number) => void) {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await step("Following; Ctrl-C ends it, and it can be taken up again", async (work) => {
      let done = 0;
      while (!stop.signal.aborted) {
        for (const { stream } of pairs) {
          await stream.catchUp({
            signal: stop.signal,
            onApplied: ({ changes }) => {
              done += changes;
              onChanges(changes);
            },
          });
        }
        work.note(`${done} changes, the last look at ${new Date().toLocaleTimeString()}`);
        await delay(FOLLOW_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    });
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** The copy, unless it is there, and what came after it. */
async function bring(
  route: Route,
  { database, source, target, stream }: NamedPair,
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
      const name = await source.admin.value("SELECT current_database();");
      await copyOnce(name, source, target, route.replication(database), (job) =>
        route.copy(database, job),
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
    stream.catchUp({
      onApplied: ({ changes, behind }) => {
        done += changes;
        work.note(`${done} changes, ${mib(behind)} of the log behind`);
      },
    }),
  );
  onChanges(done);
}
