/** Everything that must be there before the local DigitalOcean can run; quick when it is. */
import { ensureDaemon, findDaemon, type DaemonInfo } from "./daemon/client";
import { ensureDocker } from "./docker-engine";
import { ensureEngine } from "./engine/engine";
import { withLock } from "./engine/lock";
import { ensureImages } from "./machines/docker/images";
import { preflight } from "./machines/docker/preflight";
import { cacheDir } from "./paths";
import { step } from "./progress";
import { officialPlugins, pulumiHome, type LocalEngine } from "./pulumi";
import { installStandIns, removeStandIns } from "./provider/install";
import { ensureSshKey } from "./ssh-key";
import * as path from "node:path";

/** Sets up what is missing on this machine: the engine, and a body for Droplets where one is possible. */
export async function prepare(): Promise<{
  engineDir: string;
  machines: DaemonInfo["machines"];
}> {
  const [engineDir, machines] = await Promise.all([
    step("Pulumi engine", ensureEngine),
    setUpMachines(),
  ]);
  return { engineDir, machines };
}

/** Prepares this machine, starts the daemon, and answers what a Pulumi run needs. */
export async function setUp(): Promise<LocalEngine> {
  const { engineDir, machines } = await prepare();
  if (officialPlugins()) removeStandIns(pulumiHome());
  else installStandIns(pulumiHome());
  return { engineDir, sshKey: ensureSshKey(), daemon: await ensureDaemon(machines) };
}

/** `ARCHIPELAGO_MACHINES=simulated` asks for Droplets without bodies; otherwise real ones where possible. */
async function setUpMachines(): Promise<DaemonInfo["machines"]> {
  if (process.env.ARCHIPELAGO_MACHINES === "simulated") return "simulated";
  const running = await findDaemon();
  const lack = (await ensureDocker()) ?? (await preflight());
  if (lack) {
    if (running?.machines !== "simulated") {
      process.stderr.write(`Droplets will be simulated, and serve nothing: ${lack}.\n`);
    }
    return "simulated";
  }
  await step("Machine images", (progress) =>
    withLock(
      path.join(cacheDir(), "images"),
      (text) => progress.note(text),
      () => ensureImages((text) => progress.note(text)),
    ),
  );
  return "docker";
}
