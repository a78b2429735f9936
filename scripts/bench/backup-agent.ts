/** A task of the backup agent in a process of its own, whose memory can be looked at. It is told by standard input. */
import { readFileSync } from "node:fs";
import { backUp } from "../../components/backup/agent/backup";
import { within } from "../../components/backup/agent/context";
import type { Event } from "../../components/backup/agent/progress";
import { restoreDatabases, type RestoreRequest } from "../../components/backup/agent/restore";
import type { BackupSettings, ManagedServer } from "../../components/backup/settings";

export interface AgentTask {
  readonly settings: BackupSettings & { readonly server: ManagedServer };
  /** @default a backup is made */
  readonly restore?: { readonly backup: string; readonly request: RestoreRequest };
}

const tell = (event: Event) => void process.stdout.write(`${JSON.stringify(event)}\n`);

async function main(): Promise<void> {
  const { settings, restore } = JSON.parse(readFileSync(0, "utf8")) as AgentTask;
  tell({ event: "note", text: "ready" });
  const signal = new AbortController().signal;
  await within(settings, { tell, signal }, async (context) => {
    if (restore === undefined) {
      const { id, parts } = await backUp(context);
      tell({ event: "done", backup: id, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) });
      return;
    }
    const { backup, request } = restore;
    await restoreDatabases(context, settings.server, backup, request);
    tell({ event: "done" });
  });
}

void main();
