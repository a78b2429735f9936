/** What `npm run status` found, and how it is shown. */
import pc from "picocolors";
import type { Freshness } from "../backup/freshness";
import type { Kept } from "../migrate/postgres/kept";
import { newTable } from "./table";

/** What one site's managers say. */
export interface SiteStatus {
  readonly stack: string;
  readonly url: string | undefined;
  /** HTTP status of the front address, or why there is none. */
  readonly front: number | string;
  readonly nodes: readonly {
    name: string;
    role: string;
    state: string;
    docker: string;
    address: string;
  }[];
  readonly services: readonly {
    name: string;
    image: string;
    running: number;
    desired: number;
    update: string;
  }[];
  readonly errors: readonly {
    task: string;
    node: string;
    at: string;
    message: string;
    remedy: string | undefined;
  }[];
}

/** A site of which no manager answers. */
export interface SilentSite {
  readonly stack: string;
  readonly problem: string;
}

/** Of a stack: its first site, and its second if there is one. */
export type StackStatus = (SiteStatus | SilentSite) & {
  readonly secondSite?: SiteStatus | SilentSite;
  /** Absent where none are made. */
  readonly backup?: Freshness;
  /** Absent where nothing is kept for a migration's way there or back. */
  readonly kept?: readonly Kept[];
};

/** For people, a table for each thing. */
export function print(site: SiteStatus | SilentSite): void {
  if ("problem" in site) {
    process.stdout.write(`${pc.bold(site.stack)}  ${pc.red(site.problem)}\n`);
    return;
  }
  const { stack, url, front, nodes, services, errors } = site;
  const mark = (well: boolean, text: string) => (well ? pc.green(text) : pc.red(text));
  const out = (text: string) => process.stdout.write(`${text}\n`);
  out(
    `${pc.bold(stack)}  ${url ?? ""}  ${mark(typeof front === "number" && front < 500, String(front))}`,
  );
  const nodeTable = newTable(["node", "role", "state", "address", "Docker"]);
  for (const { name, role, state, address, docker } of nodes) {
    nodeTable.push([name, role, mark(state === "ready", state), address, docker]);
  }
  out(nodeTable.toString());
  const serviceTable = newTable(["service", "tasks", "image", "last update"]);
  for (const { name, running, desired, image, update } of services) {
    serviceTable.push([name, mark(running >= desired, `${running}/${desired}`), image, update]);
  }
  out(serviceTable.toString());
  if (errors.length === 0) out("No task failed in the last 24 hours.");
  for (const { task, node, at, message, remedy } of errors) {
    out(
      `${pc.yellow(at.slice(0, 19))} ${task} on ${node}: ${message}${remedy ? `\n  → ${remedy}` : ""}`,
    );
  }
  const edgeRuns = services.some(({ name, running }) => name === "edge" && running > 0);
  if (typeof front === "string" && edgeRuns) {
    out(
      `${pc.yellow("The edge runs, yet the front address does not answer")}: is the floating IP assigned to this node?`,
    );
  }
}
