import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { duration } from "../duration";
import { type RolloutTarget, rolloutTarget } from "../service-defaults";
import { AGENT_LOADER, agentBundle } from "./bundle";
import {
  EDGE_DEFAULTS,
  LETS_ENCRYPT,
  type EdgeRoute,
  type EdgeSettings,
  type FrontSettings,
  certificateNames,
  routeFaults,
} from "./settings";

export type { EdgeRoute } from "./settings";

export interface EdgeArgs {
  /** HAProxy 2.6 or later, as `repository:tag` or digest. */
  readonly haproxyImage: pulumi.Input<string>;
  /** Node.js 20 or later. */
  readonly nodeImage: pulumi.Input<string>;
  /** ID of the overlay network where the routed services are. */
  readonly networkId: pulumi.Input<string>;
  readonly routes: readonly EdgeRoute[];
  /** Name to serve over HTTPS, besides the hosts of routes. @default plain HTTP only, unless a route names hosts */
  readonly domain?: string;
  readonly acme?: {
    /** @default Let's Encrypt's production directory */
    readonly directoryUrl?: string;
    /** Contact for expiry mails. @default none */
    readonly email?: string;
    /** PEM of the CA of the ACME server itself. @default the public roots */
    readonly caPem?: string;
  };
  readonly alarm?: {
    /** URL that gets a POST when a renewal fails, once a day, and when it is resolved. Kept as a swarm secret. */
    readonly webhook?: pulumi.Input<string>;
  };
  /** Largest request body, MiB. @default 64 */
  readonly maxBodyMib?: number;
  /** Swarm placement constraints of the nodes that take traffic. @default every node */
  readonly constraints?: readonly string[];
  /**
   * Existing directory on the node for the ACME account and the certificates.
   * @default a Docker volume of the node, `edge-data`
   */
  readonly dataDir?: string;
  /**
   * A Load Balancer that sends the requests, with how long it may go on doing so after a node has turned unhealthy:
   * for as long the proxy goes on after it was asked to stop. In seconds.
   * @default none
   */
  readonly front?: FrontSettings & { readonly noticeSeconds: number };
  /** What must be well before the proxy hears of it: the services' rollout. @default nothing */
  readonly after?: readonly pulumi.Resource[];
}

/** HAProxy and the agent run as this user; no such account needs to exist. */
const UID = "65532";
const STOP_GRACE = duration(60);
const MIB = 1024 * 1024;

/** Liveness inside the official image (busybox wget) and in Debian's (Node). */
const HTTP_OK = (url: string) =>
  `if command -v wget >/dev/null; then wget -q -T 3 -O /dev/null ${url}; ` +
  `else node -e "fetch('${url}').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"; fi`;

/**
 * The way in: HAProxy on every node that takes traffic, and beside it an agent that writes its configuration, gets
 * certificates by ACME HTTP-01 and reloads it without dropping a request.
 *
 * @example new Edge("edge", { haproxyImage, nodeImage, networkId: network.id, routes: [{ service: "web", port: 3000 }] })
 *
 * Routes and certificates change by reload: only the agent's task is replaced. A change of HAProxy's own image, ports
 * or constraints replaces its task, stop-first (host-mode ports cannot start first, moby#36934).
 *
 * With several nodes each one asks for its own certificate through its own port 80; sharing them is not done here.
 */
export class Edge extends pulumi.ComponentResource {
  /** Swarm service `edge` (HAProxy). */
  public readonly proxy: docker.Service;
  /** Swarm service `edge-agent`. */
  public readonly agent: docker.Service;
  /** Both services, for `swarm:Rollout`. */
  public readonly targets: readonly RolloutTarget[];
  /** Names served over HTTPS; empty means plain HTTP. */
  public readonly names: readonly string[];

  constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:components:Edge", name, {}, opts);
    const settings = edgeSettings(args);
    this.names = settings.names;

    const code = this.config(`${name}-agent-code`, agentBundle());
    const config = this.config(`${name}-settings`, Buffer.from(JSON.stringify(settings)));
    const webhook = this.webhook(name, args.alarm?.webhook);
    const agent = agentService(name, args, { code, config, webhook });
    const proxy = proxyService(name, args);
    this.agent = new docker.Service(`${name}-agent`, agent, {
      parent: this,
      // Traffic goes by the new settings only once the services that they name are well.
      dependsOn: [...(args.after ?? [])],
    });
    this.proxy = new docker.Service(`${name}-proxy`, proxy, { parent: this });
    this.targets = [
      rolloutTarget(`${name}-agent`, this.agent, agent),
      rolloutTarget(name, this.proxy, proxy),
    ];
    this.registerOutputs({ names: this.names });
  }

  /**
   * Swarm configs cannot change: other contents are another config, made first (K #381). Its name is the provider's to
   * choose: one made of the contents would be taken when a failed `up` is followed by a way back.
   */
  private config(name: string, contents: Buffer): docker.ServiceConfig {
    return new docker.ServiceConfig(
      name,
      { data: contents.toString("base64") },
      { parent: this, deleteBeforeReplace: false },
    );
  }

  private webhook(name: string, url: pulumi.Input<string> | undefined) {
    if (url === undefined) return undefined;
    const secret = pulumi.secret(url);
    return new docker.Secret(
      `${name}-alarm-webhook`,
      { data: secret.apply((text) => Buffer.from(text).toString("base64")) },
      { parent: this, deleteBeforeReplace: false },
    );
  }
}

interface AgentFiles {
  readonly code: docker.ServiceConfig;
  readonly config: docker.ServiceConfig;
  readonly webhook: docker.Secret | undefined;
}

function agentService(name: string, args: EdgeArgs, files: AgentFiles): docker.ServiceArgs {
  const { runDir, dataDir, listen } = EDGE_DEFAULTS;
  const data = args.dataDir
    ? { type: "bind", source: args.dataDir, target: dataDir }
    : { type: "volume", source: `${name}-data`, target: dataDir };
  const webhookFile = "/run/secrets/alarm-webhook";
  return {
    ...serviceDefaults,
    name: `${name}-agent`,
    endpointSpec: { mode: "dnsrr" },
    taskSpec: {
      ...taskDefaults(args),
      resources: { limits: { memoryBytes: 256 * MIB } },
      containerSpec: {
        image: args.nodeImage,
        commands: ["node", "-e", AGENT_LOADER],
        env: {
          NODE_NAME: "{{.Node.Hostname}}",
          EDGE_SETTINGS: "/edge.json",
          EDGE_UID: UID,
          ...(files.webhook && { EDGE_ALARM_WEBHOOK_FILE: webhookFile }),
        },
        configs: [
          configFile(files.code, "/edge-agent.js.gz"),
          configFile(files.config, "/edge.json"),
        ],
        ...(files.webhook && { secrets: [secretFile(files.webhook, webhookFile)] }),
        mounts: [{ type: "volume", source: `${name}-run`, target: runDir }, data],
        stopGracePeriod: "15s",
        healthcheck: healthcheck(`http://127.0.0.1:${listen.agent}/livez`),
      },
    },
  };
}

function proxyService(name: string, args: EdgeArgs): docker.ServiceArgs {
  const { runDir, listen } = EDGE_DEFAULTS;
  return {
    ...serviceDefaults,
    // The next node waits until the balancer has taken this one back.
    ...(args.front && {
      updateConfig: { ...serviceDefaults.updateConfig, delay: duration(args.front.noticeSeconds) },
    }),
    name,
    endpointSpec: {
      mode: "dnsrr",
      ports: [publish("http", 80, listen.http), publish("https", 443, listen.https)],
    },
    taskSpec: {
      ...taskDefaults(args),
      resources: { limits: { memoryBytes: 512 * MIB } },
      containerSpec: {
        image: args.haproxyImage,
        commands: ["sh", "-c", proxyScript(runDir, listen.gate, args.front?.noticeSeconds)],
        env: { NODE_NAME: "{{.Node.Hostname}}" },
        user: `${UID}:${UID}`,
        mounts: [{ type: "volume", source: `${name}-run`, target: runDir }],
        // HAProxy's soft stop: finish what is in flight.
        stopSignal: "SIGUSR1",
        stopGracePeriod: STOP_GRACE,
        healthcheck: healthcheck(`http://127.0.0.1:${listen.internal}/healthz`),
      },
    },
  };
}

/**
 * The document for the agent.
 *
 * @throws {Error} naming every fault in the routes.
 */
export function edgeSettings(
  args: Pick<EdgeArgs, "routes" | "domain" | "acme" | "front" | "maxBodyMib">,
): EdgeSettings {
  const faults = routeFaults(args.routes);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return {
    ...EDGE_DEFAULTS,
    routes: args.routes,
    names: certificateNames(args.domain, args.routes),
    acme: {
      directoryUrl: args.acme?.directoryUrl ?? LETS_ENCRYPT,
      ...(args.acme?.email && { email: args.acme.email }),
      ...(args.acme?.caPem && { caPem: args.acme.caPem }),
    },
    ...(args.front && { front: { healthPath: args.front.healthPath, range: args.front.range } }),
    maxBodyMib: args.maxBodyMib ?? EDGE_DEFAULTS.maxBodyMib,
  };
}

/**
 * Waits for the agent's first configuration, then starts HAProxy in master-worker mode. An old server state is dropped:
 * those addresses may belong to other containers by now.
 *
 * @param noticeSeconds with a Load Balancer in front: asked to stop, the node first fails its health check, by
 * closing the gate, and goes on serving for as long. Swarm by itself would stop it at once.
 */
export function proxyScript(runDir: string, gatePort: number, noticeSeconds?: number): string {
  const haproxy = `haproxy -W -db -S unix@${runDir}/master.sock,mode,600 -f ${runDir}/haproxy.cfg`;
  const start = [
    "trap 'exit 0' USR1 TERM INT",
    `rm -f ${runDir}/server-state`,
    `until [ -s ${runDir}/haproxy.cfg ]; do sleep 0.2; done`,
  ];
  if (noticeSeconds === undefined) return [...start, `exec ${haproxy}`].join("\n");
  const gate = [
    "defaults",
    " mode http",
    " timeout connect 2s",
    " timeout client 2s",
    " timeout server 2s",
    "frontend gate",
    ` bind 127.0.0.1:${gatePort}`,
    " http-request return status 200",
    "",
  ].join("\\n");
  return [
    ...start,
    `printf '${gate}' > ${runDir}/gate.cfg`,
    `haproxy -db -f ${runDir}/gate.cfg &`,
    "gate=$!",
    `${haproxy} &`,
    "proxy=$!",
    `trap 'kill $gate; sleep ${noticeSeconds}; kill -USR1 $proxy' USR1`,
    "trap 'kill $gate $proxy' TERM INT",
    // A signal ends `wait`, not the proxy.
    "while kill -0 $proxy 2>/dev/null; do wait $proxy; code=$?; done",
    "kill $gate 2>/dev/null",
    "exit $code",
  ].join("\n");
}

const configFile = (config: docker.ServiceConfig, fileName: string) => ({
  configId: config.id,
  configName: config.name,
  fileName,
  fileUid: UID,
  fileGid: UID,
  fileMode: 0o444,
});

const publish = (name: string, publishedPort: number, targetPort: number) => ({
  name,
  protocol: "tcp",
  publishMode: "host",
  publishedPort,
  targetPort,
});

const healthcheck = (url: string) => ({
  tests: ["CMD-SHELL", HTTP_OK(url)],
  interval: "5s",
  timeout: "4s",
  retries: 3,
  startPeriod: duration(60),
});

const secretFile = (secret: docker.Secret, fileName: string) => ({
  secretId: secret.id,
  secretName: secret.name,
  fileName,
  fileUid: UID,
  fileGid: UID,
  fileMode: 0o400,
});

/** On every node that the constraints allow, one node at a time; ports on the host leave no other order. */
const serviceDefaults = {
  mode: { global: true },
  updateConfig: {
    order: "stop-first",
    parallelism: 1,
    delay: "0s",
    monitor: "10s",
    maxFailureRatio: "0.0",
    failureAction: "pause",
  },
} as const;

/** Delay and window are given because leaving them out shows as a change forever (pulumi-docker#1285). */
const taskDefaults = ({ networkId, constraints = [] }: EdgeArgs) => ({
  networksAdvanceds: [{ id: networkId }],
  ...(constraints.length > 0 && { placement: { constraints: [...constraints] } }),
  restartPolicy: { condition: "any", delay: "2s", maxAttempts: 0, window: "5s" },
  logDriver: { name: "json-file", options: { "max-size": "10m", "max-file": "3" } },
});
