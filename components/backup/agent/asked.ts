/** A restore, as an operator's command asks for it. */
import { alone, RESTORE } from "./alone";
import type { Context } from "./context";
import { type MomentRequest, recoverDatabases } from "./recover";
import { type BackupRequest, restoreBackup } from "./restore-backup";

export interface Asked extends BackupRequest, MomentRequest {
  readonly backup: string;
  /** Instead of a backup: a moment that the archived log leads to. */
  readonly moment?: string;
}

/**
 * Brings back a backup, or the state of a moment, and tells when that is done.
 *
 * @param stopped resolves when no task of the services runs that the agent has asked to stop.
 * @throws {Error} when that cannot be done here, or another restore is at work.
 */
export async function restoreAsked(
  context: Context,
  asked: Asked,
  stopped: () => Promise<unknown>,
): Promise<void> {
  const { server } = context.settings;
  const { backup, moment } = asked;
  if (moment !== undefined && server?.kind !== "container") {
    throw new Error(
      "only a database in a container has an archive of its log here: for a moment of a managed one, `doctl databases fork` restores DigitalOcean's own backups into a new cluster",
    );
  }
  const done = await alone(
    context,
    async (own) =>
      moment !== undefined && server?.kind === "container"
        ? await recoverDatabases(own, server, moment, asked)
        : await restoreBackup(own, backup, asked, async (services) => {
            // Only the operator's command can stop services. It answers when they are.
            own.tell({ event: "stop", services });
            await stopped();
            own.signal.throwIfAborted();
          }),
    RESTORE,
  );
  context.tell({ event: "done", ...done });
}
