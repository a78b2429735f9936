/** `npm run status -- <stack>`: is it well, and if not, what to do. */
import * as https from "node:https";
import type Docker from "dockerode";
import { backupFreshness, describeFreshness } from "../backup/freshness";
import { describeKept, isMuch, keptChanges } from "../migrate/postgres/kept";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { endedByRestart, type Task } from "./node-restarts";
import { print, type SilentSite, type SiteStatus, type StackStatus } from "./status-report";
import { findTarget, managerOf, type Site, sitesOf, type Target } from "./target";
import { remedyFor } from "./remedy";

const RECENT_HOURS = 24;

/** For the front address to answer. */
const FRONT_MS = 5000;

/** @returns 0 when everything runs as it should, else 1. */
export async function status(
  stack: string,
  _rest: readonly string[],
  options: { cloud?: boolean; json?: boolean },
): Promise<number> {
  const target = await findTarget(stack, options.cloud ?? false);
  try {
    const [sites, backup, kept] = await Promise.all([
      Promise.all(sitesOf(target).map(ask)),
      backupFreshness(target),
      // What cannot be asked is not well anyway, and said above.
      keptChanges(target).catch(() => []),
    ]);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ ...asOne(sites), ...(backup && { backup }), ...(kept.length > 0 && { kept }) })}\n`,
      );
    } else {
      for (const site of sites) print(site);
      if (sites.some((site) => "errors" in site && site.errors.length > 0))
        process.stdout.write(`More: npm run logs -- ${stack} <service>\n`);
    }
    if (backup && !options.json) process.stdout.write(`${describeFreshness(backup)}\n`);
    if (!options.json)
      for (const each of kept) process.stdout.write(`${describeKept(stack, each)}\n`);
    const isFresh = (backup?.problems ?? []).length === 0;
    return sites.every(isWell) && isFresh && !kept.some(isMuch) ? 0 : 1;
  } finally {
    closeConnections();
  }
}

function asOne([first, second]: readonly (SiteStatus | SilentSite)[]): StackStatus {
  if (first === undefined) throw new Error("a stack has a site");
  return second === undefined ? first : { ...first, secondSite: second };
}

/** @throws {Fault} when no manager answers in the only site there is. */
async function ask(
  site: Site,
  _index: number,
  { length }: readonly Site[],
): Promise<SiteStatus | SilentSite> {
  try {
    return await look(site, await managerOf(site));
  } catch (error) {
    if (length === 1) throw error;
    return { stack: site.stack, problem: (error as Error).message };
  }
}

export function isWell(site: SiteStatus | SilentSite): boolean {
  if ("problem" in site) return false;
  const { front, nodes, services } = site;
  return (
    typeof front === "number" &&
    front < 500 &&
    nodes.every(({ state }) => state === "ready") &&
    services.every(({ running, desired }) => running >= desired)
  );
}

async function look(target: Target, engine: Docker): Promise<SiteStatus> {
  const { stack, outputs } = target;
  const [nodes, services, allTasks, front] = await Promise.all([
    engine.listNodes() as Promise<SwarmNode[]>,
    engine.listServices({ status: true } as Docker.ServiceListOptions),
    engine.listTasks(),
    askFront(target),
  ]);
  const tasks = allTasks as Task[];
  const nodeName = new Map(nodes.map((node) => [node.ID, node.Description?.Hostname ?? node.ID]));
  const serviceName = new Map(services.map(({ ID, Spec }) => [ID, Spec?.Name ?? ID]));
  return {
    stack,
    url: outputs.url,
    front,
    nodes: nodes.map((node) => ({
      name: node.Description?.Hostname ?? node.ID,
      role: node.ManagerStatus?.Leader ? "manager (leader)" : (node.Spec?.Role ?? ""),
      state: [node.Status?.State, node.Spec?.Availability]
        .filter((word) => word !== "active")
        .join(" "),
      docker: node.Description?.Engine?.EngineVersion ?? "",
      address: node.Status?.Addr ?? "",
    })),
    services: services
      .map(({ Spec, ServiceStatus, UpdateStatus }) => ({
        name: Spec?.Name ?? "",
        image: imageOf(Spec?.TaskTemplate),
        running: ServiceStatus?.RunningTasks ?? 0,
        // A finished job has done what it should.
        desired:
          Spec?.Mode && "ReplicatedJob" in Spec.Mode ? 0 : (ServiceStatus?.DesiredTasks ?? 0),
        update: UpdateStatus?.State ?? "",
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    errors: tasks
      .filter(({ Status }) => ["failed", "rejected"].includes(Status.State))
      .filter(({ Status }) => Date.now() - Date.parse(Status.Timestamp) < RECENT_HOURS * 3_600_000)
      .filter((task) => !endedByRestart(task, tasks))
      .sort((a, b) => b.Status.Timestamp.localeCompare(a.Status.Timestamp))
      .slice(0, 5)
      .map(({ ServiceID, NodeID, Slot, Status }) => {
        const message = Status.Err ?? Status.Message ?? Status.State;
        return {
          task: `${serviceName.get(ServiceID) ?? ServiceID}${Slot ? `.${Slot}` : ""}`,
          node: nodeName.get(NodeID ?? "") ?? "",
          at: Status.Timestamp,
          message,
          remedy: remedyFor(message),
        };
      }),
  };
}

/** What dockerode's types leave out. */
interface SwarmNode {
  readonly ID: string;
  readonly Spec?: { readonly Role?: string; readonly Availability?: string };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Engine?: { readonly EngineVersion?: string };
  };
  readonly Status?: { readonly State?: string; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Leader?: boolean };
}

function imageOf(template: unknown): string {
  const image =
    (template as { ContainerSpec?: { Image?: string } } | undefined)?.ContainerSpec?.Image ?? "";
  return image.replace(/@sha256:([0-9a-f]{12})[0-9a-f]+$/, "@$1");
}

/** @returns the HTTP status, or why there is none. */
async function askFront({ outputs, isLocal }: Target): Promise<number | string> {
  const { url, address } = outputs;
  if (url === undefined) return "no URL";
  if (isLocal && address !== undefined && url.startsWith("https:"))
    return askByAddress(url, address);
  return fetch(url, { redirect: "manual", signal: AbortSignal.timeout(FRONT_MS) }).then(
    (response) => response.status,
    (error: Error & { cause?: Error }) => error.cause?.message ?? error.message,
  );
}

/** As a browser asks that knows the way; what the certificate is worth is not the question here. */
function askByAddress(url: string, address: string): Promise<number | string> {
  const { hostname, pathname } = new URL(url);
  return new Promise((resolve) => {
    const request = https.get(
      {
        host: address,
        servername: hostname,
        path: pathname,
        headers: { host: hostname },
        rejectUnauthorized: false,
        timeout: FRONT_MS,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.once("timeout", () => request.destroy(new Error(`no answer within ${FRONT_MS} ms`)));
    request.once("error", (error) => resolve(error.message));
  });
}
