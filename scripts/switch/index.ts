/** `npm run switch -- <from> <to>`: an app, its data and its address from one stack to another. */
import { setTimeout as delay } from "node:timers/promises";
import { VOLUME_MOUNT } from "../../infra/names";
import { Fault } from "../../local/fault";
import { step } from "../../local/progress";
import { ask } from "../../providers/http";
import { swarmEngine } from "../../providers/swarm/docker/swarm-engine";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { apiOf } from "../adopt/cloud";
import { serverOf } from "../adopt/data";
import { FileMove } from "../adopt/data/files";
import { moveForGood, rehearse, VolumeMove } from "../adopt/data/move";
import { startServices, stopServices } from "../adopt/data/pause";
import { PostgresMove } from "../adopt/data/postgres";
import { Directory } from "../adopt/data/tree";
import { ServiceVolume } from "../adopt/data/volume";
import { agree, mustBeAskable } from "../operator/agree";
import { managerOf } from "../operator/target";
import { type Api, exportState, importState } from "../stack-state";
import { addressOf, exchange, readReservedIp } from "./front";
import { domainOf, switchFaults } from "./look";
import { appServices, mark, wentTo } from "./app";
import { dumpSource, readSide, type Side } from "./party";
import { describe, planOf, type SwitchReport } from "./report";
import { frontOf, withAddress, withoutNames } from "./state";

export interface SwitchOptions {
  readonly rehearse?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly cloud?: boolean;
}

const ANSWER_TIMEOUT_SECONDS = 180;

/** @returns 0 when the app is at the target, 1 when something stands in the way. */
export async function switchStacks(
  from: string,
  to: string,
  options: SwitchOptions,
): Promise<number> {
  if (from === to)
    throw new Fault(
      `npm run switch needs two stacks, got ${from} twice. To change one in place, edit its file and run up.`,
    );
  const interruption = new AbortController();
  const interrupt = () =>
    interruption.abort(new Fault("Interrupted: run the command again, it goes on where it was."));
  process.once("SIGINT", interrupt);
  const started = Date.now();
  try {
    const [source, target] = await step(
      "Looking at both stacks",
      async () =>
        [
          await readSide(from, options.cloud ?? false, interruption.signal),
          await readSide(to, options.cloud ?? false, interruption.signal),
        ] as const,
    );
    if (source.isLocal !== target.isLocal)
      throw new Fault(`${from} and ${to} must both be local or both in the cloud.`);
    const api = await apiOf({ local: source.isLocal });
    const found = {
      ...(await run(source, target, api, options)),
      seconds: (Date.now() - started) / 1000,
    };
    process.stdout.write(
      options.json ? `${JSON.stringify(found)}\n` : describe(found, source, target),
    );
    if (found.outcome === "switched" && !options.json) await offerToDestroy(source);
    return found.outcome === "refused" ? 1 : 0;
  } finally {
    process.removeListener("SIGINT", interrupt);
    closeConnections();
  }
}

async function run(
  source: Side,
  target: Side,
  api: Api,
  options: SwitchOptions,
): Promise<Omit<SwitchReport, "seconds">> {
  const { databases, withFiles } = source;
  const report = (outcome: SwitchReport["outcome"], more: Partial<SwitchReport> = {}) => ({
    outcome,
    address: source.front?.ip,
    databases,
    withFiles,
    faults: [],
    ...more,
  });
  const addresses =
    source.front && target.front
      ? ([
          await readReservedIp(api, source.front.ip),
          await readReservedIp(api, target.front.ip),
        ] as const)
      : undefined;
  const hasBegun =
    addresses !== undefined &&
    addresses.some(({ dropletId }, at) => dropletId !== [source, target][at]?.front?.dropletId);
  if (hasBegun && !options.dryRun && !options.rehearse) {
    // The data moved before the first address did.
    await handOver(source, target, api);
    return report("switched");
  }
  const faults = switchFaults(source, target, addresses);
  const went = await wentTo(await engineOf(source));
  if (went !== undefined) {
    faults.unshift(
      `the app of ${source.stack} went to ${went} already, and what it has is old: npm run switch -- ${went} ${source.stack} brings it back`,
    );
  }
  if (faults.length > 0) return report("refused", { faults });
  if (!options.json) process.stderr.write(planOf(source, target));
  if (options.dryRun) return report("planned");
  const moves = await movesOf(source, target);
  try {
    if (options.rehearse) return report("rehearsed", { moved: await rehearse(moves) });
    if (!options.yes) {
      mustBeAskable();
      if (!(await agree(target.stack))) throw new Fault("Nothing was changed.");
    }
    if (domainOf(source.outputs) !== undefined) await handCertificatesOver(source, target);
    const [ours, theirs] = [await engineOf(source), await engineOf(target)];
    const [running, waiting] = [
      await appServices(source.outputs, ours),
      await appServices(target.outputs, theirs),
    ];
    const moved = await moveForGood(moves, {
      stop: () =>
        step(`Stopping the app of ${source.stack}`, () => stopServices(ours, Object.keys(running))),
      start: () => startServices(ours, running),
      engine: theirs,
      replicas: waiting,
      label: new Date()
        .toISOString()
        .replace(/\.\d+|[-:]/g, "")
        .toLowerCase(),
    });
    await handOver(source, target, api);
    return report("switched", { moved });
  } finally {
    for (const database of moves.databases) await database.close();
  }
}

const engineOf = async ({ target }: Side) => swarmEngine(await managerOf(target));

async function movesOf(source: Side, target: Side) {
  const server = source.databases.length > 0 ? await serverOf(target.target) : undefined;
  const databases: PostgresMove[] = [];
  for (const name of source.databases) {
    if (server) databases.push(PostgresMove.open(await dumpSource(source, name), server, name));
  }
  const volumes = source.withFiles.map(
    (name) =>
      new VolumeMove(
        new Directory(source.host, `${VOLUME_MOUNT}/services/${name}`),
        new ServiceVolume(target.host, name),
      ),
  );
  return { volumes, databases };
}

/** With them the target answers by HTTPS from the first moment; it reads them when it starts. */
function handCertificatesOver(source: Side, target: Side): Promise<void> {
  const edge = `${VOLUME_MOUNT}/edge`;
  return step("Certificates", async () => {
    const move = new FileMove(new Directory(source.host, edge), new Directory(target.host, edge));
    await move.pass(true);
    await endTask(target, "edge-agent");
  });
}

/** Swarm starts another one. */
const endTask = ({ host }: Side, service: string) =>
  host.output(
    `docker ps -q --filter label=com.docker.swarm.service.name=${service} | xargs -r docker kill >/dev/null`,
  );

/** Addresses, then what both states say of them; the name stays, and belongs to no stack from then on. */
async function handOver(source: Side, target: Side, api: Api): Promise<void> {
  await step("Handing the address over", async (work) => {
    const [ours, theirs] = [await exportState(source.pulumi), await exportState(target.pulumi)];
    const [front, other] = [frontOf(ours), frontOf(theirs)];
    if (!front || !other) throw new Fault("Both stacks need a Reserved IP.");
    if (front.ip !== other.ip) await exchange(api, front, other);
    // Whoever kept a connection would be told for as long that the app is stopped; a new one leads to the target.
    await endTask(source, "edge");
    // Killed between the two states, both say the same address: the account knows which is whose.
    const [mine, yours] = [
      await addressOf(api, front.dropletId),
      await addressOf(api, other.dropletId),
    ];
    work.note(`${yours} leads to ${target.stack}`);
    await importState(target.pulumi, withAddress(theirs, yours));
    await importState(source.pulumi, withoutNames(withAddress(ours, mine)));
    await mark(await engineOf(source), source.outputs, target.stack);
    await mark(await engineOf(target), target.outputs, undefined);
    await mustAnswer(yours, domainOf(source.outputs));
  });
}

/** @throws {Fault} when the app does not answer there. */
async function mustAnswer(address: string, domain: string | undefined): Promise<void> {
  const deadline = Date.now() + ANSWER_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const status = await ask(
      `http://${address}/`,
      domain === undefined ? {} : { headers: { host: domain } },
    ).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status > 0 && status < 500) return;
    if (Date.now() > deadline) {
      throw new Fault(
        `The address was handed over, and nothing answers at http://${address}/ (${status || "no connection"}): npm run status says why.`,
      );
    }
    await delay(500);
  }
}

/** Only now. Without a terminal the command is told. */
async function offerToDestroy({ stack, isLocal, pulumi }: Side): Promise<void> {
  const command = isLocal ? `npm run local -- destroy ${stack}` : `npx pulumi destroy -s ${stack}`;
  process.stdout.write(
    `When nobody needs ${stack} any more, which still has all its data: ${command}\n`,
  );
  if (!process.stdin.isTTY) return;
  process.stderr.write("Destroy it now? Enter leaves it. ");
  if (!(await agree(stack))) return;
  const { code, stdout, stderr } = await step(`Destroying ${stack}`, () =>
    pulumi(["destroy", "--yes", "--skip-preview"]),
  );
  if (code !== 0)
    throw new Fault(
      `${stack} could not be destroyed, and what is left of it goes on costing:\n${stdout}${stderr}`,
    );
}
