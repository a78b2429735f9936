import type { ContainerServer } from "../settings";
import { socketOf } from "./access";
import { askOnce } from "./postgres";

/**
 * Writes a few bytes into the server's write-ahead log, which no table and no replica sees. A server to which nobody writes
 * archives nothing: with this, a log whose newest archived file is old is a log that does not get through.
 * https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-REPLICATION
 */
export async function markLog(server: ContainerServer): Promise<void> {
  const sql = "SELECT pg_logical_emit_message(false, 'archipelago', 'alive')";
  await askOnce(socketOf(server), "postgres", sql);
}
