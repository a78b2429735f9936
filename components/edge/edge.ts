import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { duration } from "../duration";
import { type RolloutTarget, rolloutTarget, serviceArgs } from "../service-defaults";
import { AGENT_LOADER, agentBundle } from "./bundle";
import { edgeFaults } from "./faults";
import { drainCommand, proxyScript } from "./proxy-script";
import {
  EDGE_DEFAULTS,
  LETS_ENCRYPT,
  type EdgeRoute,
  type EdgeSettings,
  type FrontSettings,
  certificateNames,
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
  /**
   * Name to serve over HTTPS, besides the hosts of routes; with `front`, the name that health checks of tasks ask for.
   * @default plain HTTP only, unless a route names hosts
   */
  readonly domain?: string;
  /**
   * Where a Load Balancer's requests come from, with TLS ended there; those from elsewhere are served as well. A node that is to
   * stop serves on for `noticeSeconds` after it began to fail `GET /archipelago/health`: the balancer's check interval × unhealthy
   * threshold, and a margin.
   * @default none: clients reach the nodes themselves, and a node stops at once
   */
  readonly front?: FrontSettings & { readonly noticeSeconds: number };
  /** Addresses and CIDRs of clients that get 403. @default none */
  readonly deny?: readonly string[];
  readonly acme?: {
    /** @default Let's Encrypt's production directory */
    readonly directoryUrl?: string;
    /** Contact for expiry mails. @default none */
    readonly email?: string;
    /** PEM of the CA of the ACME server itself. @default the public roots */
    readonly caPem?: string;
    /**
     * `renewed`: certificates are got and renewed. `kept`: what there is is served on, for clients that still come by the
     * address of before. `none`: the nodes have none.
     * @default "renewed"
     */
    readonly certificates?: "renewed" | "kept" | "none";
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
   * Directory that exists on every node, for the ACME account and the certificates.
   * @default a Docker volume of the node, `edge-data`
   */
  readonly dataDir?: string;
  /** What must be well before the proxy hears of it: the services' rollout. @default nothing */
  readonly after?: readonly pulumi.Resource[];
}

/** HAProxy and the agent run as this user; no such account needs to exist. */
const UID = "65532";

/** How long requests in flight may take once the node takes no new ones. What is left then is cut. */
const SOFT_STOP_SECONDS = 60;

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
 * Routes, limits, deny list and certificates change by reload: only the agent's task is replaced. A change of HAProxy's
 * own image, ports or constraints replaces its task, stop-first (host-mode ports cannot start first, moby#36934), one node
 * at a time and back again when a node does not get well.
 *
 * Every node answers `GET /archipelago/health` itself. With `front`, a task that is stopped fails it first and serves on
 * for as long as the balancer needs to notice. The same without stopping: the service's label `archipelago.drain`, a JSON
 * array with the command to run in the task's container, and `archipelago.drain-seconds`.
 *
 * Limits: rates are counted by each node for itself, copies are kept by each node for itself. Tasks found through DNS carry
 * no weights; tasks of a service have equal limits, and `least-connections` gives less to a slow one. Each node asks
 * for its own certificate through its own port 80.
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
  return serviceArgs({
    ...everyNode(args),
    name: `${name}-agent`,
    memoryMib: 256,
    container: {
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
  });
}

function proxyService(name: string, args: EdgeArgs): docker.ServiceArgs {
  const { runDir, listen } = EDGE_DEFAULTS;
  const { front } = args;
  const noticeSeconds = front?.noticeSeconds ?? 0;
  return serviceArgs({
    ...everyNode(args),
    name,
    memoryMib: 512,
    // The balancer takes a node back before the next one goes.
    delaySeconds: noticeSeconds,
    hostPorts: [
      { name: "http", published: 80, target: listen.http },
      { name: "https", published: 443, target: listen.https },
    ],
    ...(front && {
      labels: {
        "archipelago.drain": JSON.stringify(drainCommand(runDir)),
        "archipelago.drain-seconds": String(noticeSeconds),
      },
    }),
    container: {
      image: args.haproxyImage,
      commands: ["sh", "-c", proxyScript(runDir, noticeSeconds)],
      env: { NODE_NAME: "{{.Node.Hostname}}" },
      user: `${UID}:${UID}`,
      mounts: [{ type: "volume", source: `${name}-run`, target: runDir }],
      stopGracePeriod: duration(noticeSeconds + SOFT_STOP_SECONDS),
      healthcheck: healthcheck(`http://127.0.0.1:${listen.internal}/healthz`),
    },
  });
}

/**
 * The document for the agent.
 *
 * @throws {Error} naming every fault in the routes and the deny list.
 */
export function edgeSettings(
  args: Pick<EdgeArgs, "routes" | "domain" | "acme" | "front" | "deny" | "maxBodyMib">,
): EdgeSettings {
  const deny = args.deny ?? EDGE_DEFAULTS.deny;
  const faults = edgeFaults(args.routes, deny);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return {
    ...EDGE_DEFAULTS,
    routes: args.routes,
    names: args.acme?.certificates === "none" ? [] : certificateNames(args.domain, args.routes),
    ...(args.domain && { domain: args.domain }),
    ...(args.front && { front: { range: args.front.range } }),
    deny,
    acme: {
      directoryUrl: args.acme?.directoryUrl ?? LETS_ENCRYPT,
      ...(args.acme?.email && { email: args.acme.email }),
      ...(args.acme?.caPem && { caPem: args.acme.caPem }),
      ...(args.acme?.certificates === "kept" && { paused: true }),
    },
    maxBodyMib: args.maxBodyMib ?? EDGE_DEFAULTS.maxBodyMib,
  };
}

const configFile = (config: docker.ServiceConfig, fileName: string) => ({
  configId: config.id,
  configName: config.name,
  fileName,
  fileUid: UID,
  fileGid: UID,
  fileMode: 0o444,
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

/** One task on every node that takes traffic; ports on the host leave no other order. */
const everyNode = ({ networkId, constraints = [] }: EdgeArgs) => ({
  networkId,
  replicas: "every-node" as const,
  order: "stop-first" as const,
  ...(constraints.length > 0 && { constraints: [...constraints] }),
});
