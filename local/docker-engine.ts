/** Finds a Docker engine, or installs and starts one where set-up may do so. */
import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import Docker from "dockerode";
import { Fault } from "./fault";
import { cacheDir } from "./paths";
import { step } from "./progress";

const run = promisify(execFile);

/** What the local machines need of Debian's packages: the engine, its firewall, an ssh client, a base image. */
const PACKAGES = ["docker.io", "iptables", "mmdebstrap", "openssh-client"];
const START_TIMEOUT_MS = 60_000;

/** @returns undefined when an engine answers, else why there is none. */
export async function ensureDocker(): Promise<string | undefined> {
  if (process.platform !== "linux")
    return `${process.platform} has no Linux containers with systemd`;
  const refused = await whyNoEngine();
  if (!refused) {
    if (mayInstall() && missing(PACKAGES.slice(2)).length > 0) await install(PACKAGES.slice(2));
    return undefined;
  }
  if (refused.includes("EACCES")) {
    return "this user may not use the Docker engine: add it to the group `docker`, or run as root";
  }
  if (!mayInstall()) {
    return "no Docker engine answers; start one, or run set-up as root on Debian or Ubuntu to have it installed";
  }
  const absent = missing(PACKAGES);
  if (!(await agreed(absent))) return "no Docker engine answers, and none was to be installed";
  if (absent.length > 0) await install(absent);
  await step("Docker engine: starting", () => start());
  return undefined;
}

async function whyNoEngine(): Promise<string | undefined> {
  return new Docker().ping().then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && fs.existsSync("/usr/bin/apt-get");
}

function missing(packages: readonly string[]): string[] {
  const status = fs.readFileSync("/var/lib/dpkg/status", "utf8").split("\n\n");
  const installed = new Set(
    status
      .filter((entry) => /^Status: install ok installed$/m.test(entry))
      .map((entry) => /^Package: (.+)$/m.exec(entry)?.[1]),
  );
  const provided = installed.has("docker-ce") ? ["docker.io"] : [];
  return packages.filter((name) => !installed.has(name) && !provided.includes(name));
}

async function agreed(absent: readonly string[]): Promise<boolean> {
  const what = absent.length > 0 ? `install ${absent.join(", ")} and start it` : "start it";
  if (process.env.CI === "true" || !process.stdin.isTTY) {
    process.stderr.write(`No Docker engine answers: set-up will ${what}.\n`);
    return true;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`No Docker engine answers. Shall set-up ${what}? [Y/n] `);
  terminal.close();
  return !/^n/i.test(answer.trim());
}

/** Installs Debian packages that tests or machines need; as root on Debian and Ubuntu only. */
export async function install(packages: readonly string[]): Promise<void> {
  await step(`Debian packages: ${packages.join(", ")}`, async (progress) => {
    const apt = (args: string[]) =>
      run("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        maxBuffer: 64 * 2 ** 20,
      });
    try {
      progress.note("apt-get update");
      await apt(["update"]);
      progress.note("apt-get install");
      await apt(["install", "-y", "--no-install-recommends", ...packages]);
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      const last = (stderr ?? message).trim().split("\n").slice(-3).join(" ");
      throw new Fault(`apt-get could not install ${packages.join(", ")}: ${last}`);
    }
  });
}

/** @returns those of `packages` that set-up could install here and that are not installed. */
export function installable(packages: readonly string[]): string[] {
  return mayInstall() ? missing(packages) : [];
}

async function start(): Promise<void> {
  const log = path.join(cacheDir(), "dockerd.log");
  if (fs.existsSync("/run/systemd/system")) {
    await run("systemctl", ["start", "docker"]).catch((error: Error) => {
      throw new Fault(`systemctl start docker failed: ${error.message.trim()}`);
    });
  } else {
    fs.mkdirSync(path.dirname(log), { recursive: true });
    const out = fs.openSync(log, "a");
    spawn("dockerd", [], { detached: true, stdio: ["ignore", out, out] }).unref();
    fs.closeSync(out);
  }
  for (const deadline = Date.now() + START_TIMEOUT_MS; await whyNoEngine(); await delay(250)) {
    if (Date.now() > deadline) {
      throw new Fault(
        `The Docker engine did not answer within 60 s; its last words are in ${log}.`,
      );
    }
  }
}
