import { type Server, type ServerResponse, createServer } from "node:http";
import { createApp } from "./app";
import { type Database, openDatabase } from "./database";
import { type Settings, readSettings } from "./settings";

/** `node server.js` serves; `node server.js migrate` creates or updates the schema and ends (the stack's `release`). */
async function main(command: string | undefined): Promise<void> {
  const settings = readSettings(process.env);
  const database = openDatabase(settings.database);
  if (command === "migrate") {
    await database.migrate();
    await database.close();
    console.log("the schema is up to date");
    return;
  }
  if (command !== undefined) throw new Error(`the only command is migrate, got ${command}`);
  // A single file has no other process to prepare it.
  if (settings.database.kind === "sqlite") await database.migrate();
  serve(settings, database);
}

function serve(settings: Settings, database: Database): void {
  const app = createApp(database, settings);
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
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      draining = true;
      for (const response of inFlight) {
        if (!response.headersSent) response.setHeader("connection", "close");
      }
      void drain(server, database, settings.drainMs);
    });
  }
}

/** Takes no new connection, finishes what is in flight, and ends with 0; after `limitMs` it cuts what is left. */
async function drain(server: Server, database: Database, limitMs: number): Promise<void> {
  console.log("draining");
  const cut = setTimeout(() => server.closeAllConnections(), limitMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
  await database.close();
  console.log("stopped");
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
