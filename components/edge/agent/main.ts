import { chownSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { EdgeSettings } from "../settings";
import { AcmeIssuer } from "./acme";
import { Agent } from "./agent";
import { httpWebhook } from "../../webhook";
import { Alarms } from "./alarm";
import { MasterSocket } from "./haproxy";
import { jsonLog, messageOf } from "./log";
import { readIfThere } from "./files";
import { Proxy } from "./proxy";
import { challengeListener, listen, statusListener } from "./server";

/**
 * Entry of the edge-agent container: `EDGE_SETTINGS` names the settings file, `EDGE_ALARM_WEBHOOK_FILE` (optional) a
 * secret file with a URL, `EDGE_UID` the user to become after the directories are ready.
 */
async function main(): Promise<void> {
  const settings = JSON.parse(
    readFileSync(process.env.EDGE_SETTINGS ?? "/edge.json", "utf8"),
  ) as EdgeSettings;
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

  for (const directory of [settings.runDir, settings.dataDir]) {
    mkdirSync(directory, { recursive: true });
  }
  becomeUser(process.env.EDGE_UID, [settings.runDir, settings.dataDir]);

  const webhook = readIfThere(process.env.EDGE_ALARM_WEBHOOK_FILE ?? "/nonexistent")?.trim();
  const issuer = new AcmeIssuer(settings.acme, settings.dataDir);
  const now = () => Date.now();
  const agent = new Agent({
    settings,
    issuer,
    now,
    random: () => Math.random(),
    log: jsonLog,
    alarms: new Alarms(jsonLog, now, webhook ? httpWebhook(webhook) : undefined),
    proxy: new Proxy(settings, new MasterSocket(join(settings.runDir, "master.sock")), jsonLog),
  });
  const servers = await listen(
    settings,
    challengeListener(issuer.challenges),
    statusListener(agent),
  );
  jsonLog("info", "agent.started", { names: settings.names });
  await agent.run(stop.signal);
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  jsonLog("info", "agent.stopped");
}

/** Docker makes a new volume root's; HAProxy and the agent share it as an ordinary user. */
function becomeUser(uid: string | undefined, directories: readonly string[]): void {
  if (uid === undefined || process.getuid?.() !== 0) return;
  const id = Number(uid);
  for (const directory of directories) {
    for (const path of [directory, ...filesBelow(directory)]) chownSync(path, id, id);
  }
  process.setgroups?.([]);
  process.setgid?.(id);
  process.setuid?.(id);
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...filesBelow(path)] : [path];
  });
}

main().catch((error: unknown) => {
  jsonLog("error", "agent.failed", { error: messageOf(error) });
  process.exitCode = 1;
});
