import type Docker from "dockerode";
import type { LoadBalancerSpec } from "../../machines";
import { ADMIN_SOCKET, type BalancerFiles, balancerFiles, CONFIG_DIR, STATE_FILE } from "./config";
import { serverState, targetHealth } from "./servers";
import { bodyContainer, type BodyHost, ensureBody, removeBody } from "../body";
import { execIn, execOrThrow } from "../engine";
import { archive, type ArchiveFile } from "../files";
import { objectName } from "../names";

const ROOT = "etc/archipelago";
const MEMORY = 512 * 2 ** 20;

/** Load Balancers: HAProxy in a container of its own, reloaded by its master process when something changes. */
export class LoadBalancers {
  constructor(
    private readonly docker: Docker,
    private readonly host: BodyHost,
  ) {}

  apply(balancer: LoadBalancerSpec): Promise<void> {
    return this.host.turns.take(balancer.id, () => this.bring(balancer));
  }

  async delete(id: string): Promise<void> {
    const name = objectName(this.host.instance, "load-balancer", id);
    await this.host.turns.take(id, () => removeBody(this.docker, name));
  }

  /** @throws {Error} when the Load Balancer does not run. */
  async health(id: string): Promise<ReadonlyMap<number, "up" | "down">> {
    const purpose = `ask Load Balancer ${id} for the health of its targets`;
    return targetHealth(await execOrThrow(this.container(id), purpose, ask(SHOW_HEALTH)));
  }

  private async bring(balancer: LoadBalancerSpec): Promise<void> {
    const wanted = balancerFiles(balancer);
    const container = this.container(balancer.id);
    const options = bodyContainer({
      instance: this.host.instance,
      role: "load-balancer",
      id: balancer.id,
      vpcId: balancer.vpcId,
      privateIp: balancer.privateIp,
      image: this.host.image,
      command: ["haproxy", "-W", "-db", "-f", `${CONFIG_DIR}/haproxy.cfg`],
      // Those who are being served may end; see HAProxy's soft stop.
      stopSignal: "SIGUSR1",
      host: { Memory: MEMORY, MemorySwap: MEMORY },
    });
    const fresh = placed("balancer", wanted, serverState(balancer, ""));
    if ((await ensureBody(this.docker, options, fresh)) === "found") {
      if ((await this.running(balancer.id)) === wanted.digest) return;
      await this.load(balancer, wanted);
    }
    await execOrThrow(container, `start Load Balancer ${balancer.name}`, [
      "sh",
      "-c",
      UNTIL_RUNNING,
      "sh",
      wanted.digest,
    ]);
  }

  /** Puts new files in place of the old ones and has the master start new workers; old ones finish what they serve. */
  private async load(balancer: LoadBalancerSpec, wanted: BalancerFiles): Promise<void> {
    const container = this.container(balancer.id);
    const purpose = `change Load Balancer ${balancer.name}`;
    const { stdout: known } = await execIn(container, ask(SHOW_HEALTH));
    await execOrThrow(container, purpose, ["rm", "-rf", `/${ROOT}/next`]);
    const files = placed("next", wanted, serverState(balancer, known));
    await container.putArchive(await archive(files), { path: "/" });
    await execOrThrow(container, purpose, ["sh", "-euc", SWITCH]);
  }

  /** Digest of the configuration in use; undefined when nothing answers. */
  private async running(id: string): Promise<string | undefined> {
    const { exitCode, stdout } = await execIn(this.container(id), ask("show info desc"));
    return exitCode === 0 ? /^description: (\w+)/m.exec(stdout)?.[1] : undefined;
  }

  private container(id: string): Docker.Container {
    return this.docker.getContainer(objectName(this.host.instance, "load-balancer", id));
  }
}

const SHOW_HEALTH = "show servers state health";

function ask(command: string): string[] {
  return ["sh", "-c", `echo "$1" | socat -t 5 - ${ADMIN_SOCKET}`, "sh", command];
}

/** A configuration that HAProxy refuses never replaces one that works. */
const SWITCH = `
cd /${ROOT}
haproxy -c -q -f next/haproxy.cfg
rm -rf former
mv balancer former
mv next balancer
rm -rf former
kill -USR2 1`;

/** Waits until the worker with this configuration answers. */
const UNTIL_RUNNING = `
for attempt in $(seq 200); do
  echo "show info desc" | socat -t 5 - ${ADMIN_SOCKET} 2>/dev/null | grep -q "^description: $1" && exit 0
  sleep 0.05
done
echo "HAProxy did not take its configuration within 10 seconds" >&2
exit 1`;

function placed(folder: string, { files }: BalancerFiles, state: string): ArchiveFile[] {
  return [...files, { name: STATE_FILE, content: state }].map((file) => ({
    ...file,
    name: `${ROOT}/${folder}/${file.name}`,
  }));
}
