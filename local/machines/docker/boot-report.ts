import type Docker from "dockerode";
import { execIn, orMissing } from "./engine";

/** How far cloud-init has got with a Droplet's user data. */
export type CloudInitStatus =
  | { readonly state: "running" | "done" }
  | { readonly state: "error"; readonly errors: readonly string[] }
  /** The Droplet is off or gone. */
  | { readonly state: "unknown" };

/** cloud-init's own record, https://docs.cloud-init.io/en/latest/reference/ */
interface CloudInitResult {
  readonly v1: { readonly errors: readonly string[] };
}

/** Asks a Droplet how its first boot went. */
export async function cloudInitStatus(container: Docker.Container): Promise<CloudInitStatus> {
  const found = await orMissing(container.inspect());
  if (!found?.State.Running) return { state: "unknown" };
  const { exitCode, stdout } = await execIn(container, ["cat", "/run/cloud-init/result.json"]);
  // The file is written when the last stage ends.
  if (exitCode !== 0 || stdout.trim() === "") return { state: "running" };
  const { errors } = (JSON.parse(stdout) as CloudInitResult).v1;
  return errors.length === 0 ? { state: "done" } : { state: "error", errors };
}

/**
 * Last words of a Droplet for error messages: the output of its user data, then its journal. Empty when the
 * Droplet is off or gone.
 *
 * @param lines of each. @default 20
 */
export async function consoleLog(container: Docker.Container, lines = 20): Promise<string> {
  const found = await orMissing(container.inspect());
  if (!found?.State.Running) return "";
  const count = String(lines);
  const [output, journal] = await Promise.all([
    execIn(container, ["tail", "-n", count, "/var/log/cloud-init-output.log"]),
    execIn(container, ["journalctl", "--no-pager", "-q", "-o", "short", "-n", count]),
  ]);
  return [output.stdout.trim(), journal.stdout.trim()].filter((text) => text !== "").join("\n");
}
