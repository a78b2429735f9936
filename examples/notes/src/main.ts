import { type Server, type ServerResponse, createServer } from "node:http";
import { createApp } from "./app";
import { type Database, openDatabase } from "./database";
import { Files } from "./files";
import { Sessions, openSessions } from "./sessions";
import { type Settings, readSettings } from "./settings";
import { Worker } from "./worker";

/** Each takes the app's settings and a database that nobody else has. */
const COMMANDS = { serve, worker, migrate };

/**
 * `node server.js` serves, and works on reports unless they are done elsewhere; `node server.js worker` only works on
 * reports; `node server.js migrate` creates or updates the schema and ends (the stack's `release`).
 */
async function main(command = "serve"): Promise<void> {
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new Error(`the commands are ${Object.keys(COMMANDS).join(", ")}; got ${command}`);
  }
  const settings = readSettings(process.env);
  const database = openDatabase(settings.database);
  await COMMANDS[command as keyof typeof COMMANDS](settings, database);
}

async function migrate(_settings: Settings, database: Database): Promise<void> {
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
  console.log("the schema is up to date");
}

async function worker({ node, drainMs }: Settings, database: Database): Promise<void> {
  if (database.reports === undefined) throw new Error("reports need PostgreSQL");
  const worker = new Worker(database.reports, node);
  console.log("working on reports");
  await toldToStop();
  await worker.stop(drainMs);
  await database.close();
  console.log("stopped");
}

async function serve(settings: Settings, database: Database): Promise<void> {
  // A single file has no other process to prepare it.
  if (settings.database.kind === "sqlite") await database.migrate();
  const sessions = openSessions(settings.cache, database);
  const files = settings.files && new Files(settings.files);
  const app = createApp(database, new Sessions(sessions), files, settings);
  const worker =
    database.reports && settings.worksOnReports
      ? new Worker(database.reports, settings.node)
      : undefined;
  const inFlight = new Set<ServerResponse>();
  let draining = false;
  const server = createServer((request, response) => {
    if (draining) response.setHeader("connection", "close");
    inFlight.add(response);
    response.once("close", () => inFlight.delete(response));
    void app(request, response);
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  // Longer than the edge keeps idle connections for, so that it is the edge that closes them.
  server.keepAliveTimeout = 75_000;
  server.listen(settings.port, settings.host, () => {
    console.log(`listening on ${settings.host}:${settings.port}, version ${settings.version}`);
  });
  await toldToStop();
  draining = true;
  for (const response of inFlight) {
    if (!response.headersSent) response.setHeader("connection", "close");
  }
  await Promise.all([drain(server, settings.drainMs), worker?.stop(settings.drainMs)]);
  await sessions.close();
  await database.close();
  console.log("stopped");
}

const toldToStop = () =>
  new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });

/** Takes no new connection and finishes what is in flight; after `limitMs` it cuts what is left. */
async function drain(server: Server, limitMs: number): Promise<void> {
  console.log("draining");
  const cut = setTimeout(() => server.closeAllConnections(), limitMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
