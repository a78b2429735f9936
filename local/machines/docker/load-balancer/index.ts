import type Docker from "dockerode";
import type { LoadBalancerSpec } from "../../machines";
import { execIn, execOrThrow, isAlreadySo, orMissing } from "../engine";
import { archive } from "../files";
import { objectLabels, objectName, vpcName } from "../names";
import { renderConfig, serverName, STATE_FILE, STATS_SOCKET } from "./config";
import { parseStats, renderState } from "./servers";

const CONFIG_FILE = "/etc/haproxy/haproxy.cfg";
const START_TIMEOUT_MS = 15_000;

/** The containers that are Load Balancers: HAProxy inside the VPC. */
export class LoadBalancers {
  /** Configurations that run, by id; empty after a start of the daemon. */
  private readonly running = new Map<string, string>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly docker: Docker,
    private readonly host: { readonly instance: string; readonly image: string },
  ) {}

  /** Makes, starts or reloads it; without a change nothing happens. */
  apply(balancer: LoadBalancerSpec): Promise<void> {
    return this.inTurn(async () => {
      const config = renderConfig(balancer);
      if (this.running.get(balancer.id) === config) return;
      const container = this.container(balancer.id);
      const existing = await orMissing(container.inspect());
      if (!existing) await this.create(balancer);
      if (existing?.State.Running) {
        await this.write(balancer, config, await this.servers(balancer.id));
        await this.check(container);
        // The master starts a new worker, which takes over the listening sockets.
        await container.kill({ signal: "SIGUSR2" });
      } else {
        await this.write(balancer, config, new Map());
        await container.start();
      }
      await this.untilAnswers(balancer);
      this.running.set(balancer.id, config);
    });
  }

  delete(id: string): Promise<void> {
    return this.inTurn(async () => {
      this.running.delete(id);
      await orMissing(this.container(id).remove({ force: true, v: true }));
    });
  }

  /** Droplets whose checks pass on every rule are up. */
  async health(id: string): Promise<Map<number, "up" | "down">> {
    const health = new Map<number, "up" | "down">();
    for (const [server, state] of await this.servers(id)) {
      const droplet = Number(server.split("/droplet-")[1]);
      if (health.get(droplet) !== "down") health.set(droplet, state);
    }
    return health;
  }

  private async create({ id, vpcId, privateIp }: LoadBalancerSpec): Promise<void> {
    const { instance, image } = this.host;
    const network = vpcName(instance, vpcId);
    await this.docker.createContainer({
      name: this.name(id),
      Image: image,
      Labels: objectLabels(instance, "load-balancer", id),
      Cmd: ["haproxy", "-W", "-f", CONFIG_FILE],
      HostConfig: {
        NetworkMode: network,
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      },
      NetworkingConfig: {
        EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: privateIp } } },
      },
    });
  }

  private async write(
    balancer: LoadBalancerSpec,
    config: string,
    known: ReadonlyMap<string, "up" | "down">,
  ): Promise<void> {
    const files = [
      { name: CONFIG_FILE.slice(1), content: config },
      { name: STATE_FILE.slice(1), content: renderState(balancer, known) },
    ];
    await this.container(balancer.id).putArchive(await archive(files), { path: "/" });
  }

  private async check(container: Docker.Container): Promise<void> {
    await execOrThrow(container, "use the new configuration", [
      "haproxy",
      "-c",
      "-q",
      "-f",
      CONFIG_FILE,
    ]);
  }

  /** Until the process that knows these targets answers. */
  private async untilAnswers({ id, targets, rules }: LoadBalancerSpec): Promise<void> {
    const wanted = targets.map(({ dropletId }) => serverName(dropletId)).sort();
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const servers = [...(await this.servers(id)).keys()].map((name) => name.split("/")[1]);
      const found = [...new Set(servers)].sort();
      if (found.join() === wanted.join() && servers.length === wanted.length * rules.length) return;
      if (Date.now() > deadline) {
        const log = await this.container(id).logs({ stdout: true, stderr: true, tail: 5 });
        throw new Error(`the Load Balancer does not start: ${log.toString().trim()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private async servers(id: string): Promise<Map<string, "up" | "down">> {
    const ask = ["socat", "-", `UNIX-CONNECT:${STATS_SOCKET}`];
    const { exitCode, stdout } = await execIn(this.container(id), ask, "show stat\n").catch(
      (error: unknown) => {
        // Not running: nobody to ask.
        if (isAlreadySo(error)) return { exitCode: 1, stdout: "" };
        throw error;
      },
    );
    return exitCode === 0 ? parseStats(stdout) : new Map();
  }

  private name(id: string): string {
    return objectName(this.host.instance, "load-balancer", id);
  }

  private container(id: string): Docker.Container {
    return this.docker.getContainer(this.name(id));
  }

  /** One change at a time, in the order asked for. */
  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const next = this.turn.then(action, action);
    this.turn = next.catch(() => undefined);
    return next;
  }
}
