/** Before any test: removes local DigitalOceans of earlier test runs that were killed, whose networks would be in the way. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import { DIRECTORY_LABEL } from "../../local/machines/docker/names";

/** Where each test has a local DigitalOcean of its own, in a directory named after this. */
export const TEST_DIRECTORY = path.join(tmpdir(), "archipelago-test-");

const setup = path.resolve(__dirname, "../../scripts/setup.cjs");

export default async function removeLeftovers(): Promise<void> {
  const docker = new Docker();
  const networks = await docker
    .listNetworks({ filters: { label: [DIRECTORY_LABEL] } })
    .catch(() => []);
  for (const { Labels } of networks) {
    const directory = Labels?.[DIRECTORY_LABEL] ?? "";
    if (!directory.startsWith(TEST_DIRECTORY) || inUse(directory)) continue;
    await promisify(execFile)(process.execPath, [setup, "local", "reset"], {
      env: { ...process.env, ARCHIPELAGO_LOCAL_DIR: directory },
    });
    fs.rmSync(path.dirname(directory), { recursive: true, force: true });
  }
}

/** Whether the process that made the test's directory still runs: another checkout may be testing just now. */
function inUse(directory: string): boolean {
  const pid = /-pid(\d+)-/.exec(directory)?.[1];
  return pid !== undefined && fs.existsSync(`/proc/${pid}`);
}
