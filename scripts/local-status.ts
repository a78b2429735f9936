/** `npm run local -- status`: what exists on the local DigitalOcean, and its health. */
import pc from "picocolors";
import { z } from "zod";
import { findDaemon } from "../local/daemon/client";
import { newTable } from "./operator/table";

const state = z.object({
  machines: z.string(),
  progress: z.union([z.string(), z.number()]),
  problems: z.array(z.string()),
  pending: z.array(z.object({ kind: z.string() })),
  counts: z.record(z.string(), z.number()),
  droplets: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      size: z.string(),
      status: z.string(),
      body: z.string(),
      public_ip: z.string().nullable(),
      private_ip: z.string(),
      failure: z.string().nullable(),
    }),
  ),
  load_balancers: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      public_ip: z.string().nullable(),
      private_ip: z.string(),
      targets: z.array(z.object({ name: z.string(), health: z.string() })),
    }),
  ),
  databases: z.array(
    z.object({
      name: z.string(),
      engine: z.string(),
      version: z.string(),
      size: z.string(),
      nodes: z.number(),
      status: z.string(),
      public_ip: z.string(),
      private_ip: z.string(),
      failure: z.string().nullable(),
    }),
  ),
  failed_actions: z.array(
    z.object({ id: z.number(), type: z.string(), failure: z.string().nullable() }),
  ),
});

/** @returns 0 when all is well, 1 when something is not, 3 when nothing runs. */
export async function localStatus(json: boolean): Promise<number> {
  const daemon = await findDaemon();
  if (!daemon) {
    process.stdout.write(
      json
        ? `${JSON.stringify({ running: false })}\n`
        : "The local DigitalOcean does not run. Start it: npm start, or npm run local -- api.\n",
    );
    return 3;
  }
  const response = await fetch(`${daemon.url}/_local/state`, {
    headers: { authorization: `Bearer ${daemon.token}` },
  });
  const found = state.parse(await response.json());
  const ill = found.droplets.filter(
    ({ status, body, failure }) => failure !== null || (status === "active" && body !== "running"),
  );
  const broken = found.databases.filter(({ failure }) => failure !== null);
  if (json) {
    process.stdout.write(`${JSON.stringify({ running: true, url: daemon.url, ...found })}\n`);
  } else {
    process.stdout.write(
      `API ${daemon.url}  machines ${found.machines}  progress ${found.progress}\n`,
    );
    const counts = Object.entries(found.counts).filter(([, count]) => count > 0);
    process.stdout.write(
      `${counts.map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`).join(", ") || "Nothing exists yet."}\n`,
    );
    if (found.droplets.length > 0) {
      const table = newTable(["Droplet", "size", "status", "machine", "public", "private"]);
      for (const droplet of found.droplets) {
        const { id, name, size, status, body, public_ip, private_ip } = droplet;
        const health = ill.includes(droplet) ? pc.red(body) : pc.green(body);
        table.push([`${name} (${id})`, size, status, health, public_ip ?? "", private_ip]);
      }
      process.stdout.write(`${table.toString()}\n`);
    }
    if (found.load_balancers.length > 0) {
      const table = newTable(["Load Balancer", "status", "targets", "public", "private"]);
      for (const { name, status, targets, public_ip, private_ip } of found.load_balancers) {
        const health = targets.map((target) =>
          target.health === "down" ? pc.red(`${target.name} down`) : target.name,
        );
        table.push([name, status, health.join(", "), public_ip ?? "", private_ip]);
      }
      process.stdout.write(`${table.toString()}\n`);
    }
    if (found.databases.length > 0) {
      const table = newTable(["Database", "size", "status", "public", "private"]);
      for (const database of found.databases) {
        const { name, engine, version, size, nodes, status, public_ip, private_ip } = database;
        const state = database.failure === null ? status : pc.red(status);
        table.push([
          `${name} (${engine} ${version})`,
          `${nodes} × ${size}`,
          state,
          public_ip,
          private_ip,
        ]);
      }
      process.stdout.write(`${table.toString()}\n`);
    }
    for (const { name, failure } of ill) {
      process.stdout.write(
        `${pc.red(name)}: ${failure ?? "its machine does not run; power it on, or run up after refresh"}\n`,
      );
    }
    for (const { name, failure } of broken) {
      process.stdout.write(`${pc.red(name)}: ${failure ?? ""}\n`);
    }
    for (const { type, failure } of found.failed_actions.slice(-5)) {
      process.stdout.write(`${pc.yellow(`action ${type} failed`)}: ${failure ?? ""}\n`);
    }
    for (const problem of found.problems)
      process.stdout.write(`${pc.red("problem")}: ${problem}\n`);
  }
  return ill.length + broken.length + found.problems.length > 0 ? 1 : 0;
}
