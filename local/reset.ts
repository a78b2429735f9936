/** Removes everything of this local DigitalOcean, and nothing else. */
import * as fs from "node:fs";
import Docker from "dockerode";
import { stopDaemon } from "./daemon/client";
import { hasMachines, resetMachines } from "./machines/docker";
import { instanceId, localDir } from "./paths";
import { step } from "./progress";

export async function reset(): Promise<void> {
  // Machines are looked for without the directory too: they outlive a checkout that was deleted.
  const existed = fs.existsSync(localDir());
  if (existed) await stopDaemon();
  const engineAnswers = await new Docker().ping().then(
    () => true,
    () => false,
  );
  const found = engineAnswers && (await hasMachines(instanceId()));
  if (!existed && !found) {
    process.stderr.write("Nothing local exists.\n");
    return;
  }
  if (found) await step("Machines: removing", () => resetMachines(instanceId()));
  fs.rmSync(localDir(), { recursive: true, force: true });
  process.stderr.write(
    "Removed: machines, Volumes, networks, stacks and state of this local DigitalOcean. " +
      "Kept for the next start: the engine and the machine images.\n",
  );
}
