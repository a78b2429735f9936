/** Starts, finds and stops the daemon: the process that is the local DigitalOcean. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { withLock } from "../engine/lock";
import { Fault } from "../fault";
import { checkout, localDir } from "../paths";

const START_TIMEOUT_MS = 60_000;
/** Of its log: what it failed at, and where. */
const LAST_LINES = 12;
const STOP_TIMEOUT_MS = 20_000;

/** What a running daemon says of itself, in `daemon.json`. */
export interface DaemonInfo {
  readonly pid: number;
  readonly url: string;
  readonly machines: "docker" | "simulated";
  /** Digest of the sources it runs. */
  readonly sources: string;
}

export interface Daemon extends DaemonInfo {
  /** API token; a secret only as far as this machine goes. */
  readonly token: string;
}

const file = (name: string) => path.join(localDir(), name);

/** The token of this local DigitalOcean, in DigitalOcean's format; made once. */
export function token(): string {
  const kept = file("token");
  if (!fs.existsSync(kept)) {
    fs.mkdirSync(localDir(), { recursive: true });
    fs.writeFileSync(kept, `dop_v1_${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  }
  return fs.readFileSync(kept, "utf8").trim();
}

/** @returns the living daemon, or undefined. */
export async function findDaemon(): Promise<Daemon | undefined> {
  if (!fs.existsSync(file("daemon.json"))) return undefined;
  const info = JSON.parse(fs.readFileSync(file("daemon.json"), "utf8")) as DaemonInfo;
  const daemon = { ...info, token: token() };
  return (await answers(daemon)) ? daemon : undefined;
}

async function answers(daemon: Daemon): Promise<boolean> {
  const response = await fetch(`${daemon.url}/v2/account`, {
    headers: { authorization: `Bearer ${daemon.token}` },
    signal: AbortSignal.timeout(5000),
  }).catch(() => undefined);
  return response?.ok ?? false;
}

/** Finds the daemon, or starts it; one that runs older sources or other machines is replaced. */
export function ensureDaemon(machines: DaemonInfo["machines"]): Promise<Daemon> {
  return withLock(
    file("daemon"),
    () => undefined,
    async () => {
      const running = await findDaemon();
      if (running && running.machines === machines && running.sources === sourcesDigest()) {
        return running;
      }
      await stopDaemon();
      return startDaemon(machines);
    },
  );
}

async function startDaemon(machines: DaemonInfo["machines"]): Promise<Daemon> {
  const log = file("daemon.log");
  const out = fs.openSync(log, "a");
  const daemon = spawn(
    process.execPath,
    [path.join(checkout, "build/run.cjs"), path.join(__dirname, "main.ts")],
    {
      cwd: checkout,
      detached: true,
      stdio: ["ignore", out, out],
      env: { ...process.env, ARCHIPELAGO_MACHINES: machines, ARCHIPELAGO_TOKEN: token() },
    },
  );
  fs.closeSync(out);
  daemon.unref();
  let ended = false;
  daemon.once("exit", () => (ended = true));
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await delay(100)) {
    const found = await findDaemon();
    if (found && found.pid === daemon.pid) return found;
    if (ended) break;
  }
  const last = fs.readFileSync(log, "utf8").trim().split("\n").slice(-LAST_LINES).join("\n  ");
  throw new Fault(`The local DigitalOcean did not start. Its log (${log}) ends with:\n  ${last}`);
}

/** Stops the daemon if it runs; machines go on running. */
export async function stopDaemon(): Promise<void> {
  if (!fs.existsSync(file("daemon.json"))) return;
  const { pid } = JSON.parse(fs.readFileSync(file("daemon.json"), "utf8")) as DaemonInfo;
  // The pid may have been given to another program since: only a process that is ours is stopped.
  if (isDaemon(pid)) {
    process.kill(pid, "SIGTERM");
    for (const deadline = Date.now() + STOP_TIMEOUT_MS; isDaemon(pid); await delay(50)) {
      if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    }
  }
  fs.rmSync(file("daemon.json"), { force: true });
}

function isDaemon(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  if (!fs.existsSync("/proc/self")) return true;
  return (
    fs.existsSync(commandLine) &&
    fs.readFileSync(commandLine, "utf8").includes("/local/daemon/main.ts")
  );
}

/** Digest of the daemon's own sources, so that an updated checkout is not served by an old process. */
export function sourcesDigest(): string {
  const digest = createHash("sha256");
  for (const part of ["local/api", "local/machines", "local/daemon"]) {
    const dir = path.join(checkout, part);
    for (const entry of fs.readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const name = path.join(entry.parentPath, entry.name);
      digest.update(name).update(fs.readFileSync(name));
    }
  }
  return digest.digest("hex").slice(0, 16);
}
