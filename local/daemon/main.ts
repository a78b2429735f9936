/** The daemon: API, metadata server and machines of one local DigitalOcean, until SIGTERM. */
import * as fs from "node:fs";
import * as path from "node:path";
import { startApi } from "../api";
import { DockerMachines } from "../machines/docker";
import { Simulated } from "../machines/simulated";
import { instanceId, localDir, publicPool } from "../paths";
import { sourcesDigest, type DaemonInfo } from "./client";
import { settings } from "./settings";

async function main(): Promise<void> {
  const kind = process.env.ARCHIPELAGO_MACHINES === "docker" ? "docker" : "simulated";
  const token = process.env.ARCHIPELAGO_TOKEN;
  if (!token)
    throw new Error("ARCHIPELAGO_TOKEN is not set: start the daemon by `npm run local -- api`.");
  // Read once, then out of the environment that children would inherit.
  delete process.env.ARCHIPELAGO_TOKEN;
  const kept = settings();
  const machines =
    kind === "docker"
      ? new DockerMachines({
          instance: instanceId(),
          directory: localDir(),
          publicPool: publicPool(),
          acmePort: kept.acmePort,
        })
      : new Simulated();
  const api = await startApi({
    stateDir: path.join(localDir(), "api"),
    port: kept.port,
    metadataPort: kept.metadataPort,
    tokens: [token],
    machines,
    publicPool: publicPool(),
    progress: kept.progress,
    rateLimit: kept.rateLimit,
  });
  settings({ port: api.port, metadataPort: api.metadataPort });
  const info: DaemonInfo = {
    pid: process.pid,
    url: api.url,
    machines: kind,
    sources: sourcesDigest(),
  };
  const file = path.join(localDir(), "daemon.json");
  fs.writeFileSync(`${file}.new`, JSON.stringify(info));
  fs.renameSync(`${file}.new`, file);
  const stop = () => {
    void api
      .close()
      .then(() => machines.close())
      .then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(1);
});
