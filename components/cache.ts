import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../providers/swarm/sdk";
import {
  base64,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
  SINGLETON,
} from "./service-defaults";

const PORT = 6379;

/** nobody: the server writes no files. */
const USER = "65534";

/** Room for connections and for copies while memory is moved about. */
const OVERHEAD_MIB = 64;

export interface CacheArgs {
  /** Valkey, or Redis. */
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  /** Most memory for data; the oldest of what has a time to live goes first. */
  readonly memoryMib: number;
}

/**
 * State that tasks share, as a swarm service `cache`: Valkey with a generated password.
 *
 * ```ts
 * new Cache("cache", { image: IMAGES.valkey, networkId, memoryMib: 128 });
 * ```
 *
 * One task that keeps everything in memory: what it holds is lost with it. For sessions that outlive a node take a
 * managed one.
 */
export class Cache extends pulumi.ComponentResource {
  /** `redis://default:…@cache:6379`. Secret. */
  readonly url: pulumi.Output<string>;
  readonly target: RolloutTarget;

  constructor(name: string, args: CacheArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:cache:Cache", name, {}, opts);
    const password = new swarm.Password(`${name}-password`, {}, { parent: this });
    const secret = new docker.Secret(
      `${name}-conf`,
      { data: password.value.apply((value) => base64(configuration(value, args.memoryMib))) },
      { parent: this, deleteBeforeReplace: false },
    );
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: 1,
      // Two of them would be two different states.
      order: "stop-first",
      labels: SINGLETON,
      memoryMib: args.memoryMib + OVERHEAD_MIB,
      container: {
        image: args.image,
        commands: [
          "sh",
          "-c",
          'exec "$(command -v valkey-server || command -v redis-server)" "$0"',
        ],
        args: ["/run/secrets/cache.conf"],
        user: `${USER}:${USER}`,
        dir: "/tmp",
        secrets: [
          {
            secretId: secret.id,
            secretName: secret.name,
            fileName: "cache.conf",
            fileUid: USER,
            fileGid: USER,
            fileMode: 0o400,
          },
        ],
        healthcheck: {
          // Without the password it answers, too: that it wants one.
          tests: [
            "CMD-SHELL",
            `(valkey-cli ping || redis-cli ping) 2>/dev/null | grep -qE "NOAUTH|PONG"`,
          ],
          interval: "5s",
          timeout: "3s",
          retries: 3,
          startPeriod: "10s",
        },
      },
    });
    const service = new docker.Service(name, spec, { parent: this });
    this.url = pulumi.interpolate`redis://default:${pulumi.secret(password.value)}@${name}:${PORT}`;
    this.target = rolloutTarget(name, service, spec);
    this.registerOutputs({});
  }
}

/** For Valkey 7 and later and Redis 7. */
export function configuration(password: string, memoryMib: number): string {
  return [
    "bind * -::*",
    `port ${PORT}`,
    `requirepass ${password}`,
    `maxmemory ${memoryMib}mb`,
    "maxmemory-policy volatile-lru",
    'save ""',
    "appendonly no",
    "",
  ].join("\n");
}
