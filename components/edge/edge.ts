import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type RolloutTarget, rolloutTarget } from "../service-defaults";
import { agentBundle } from "./bundle";
import { edgeFaults } from "./faults";
import { agentService, proxyService } from "./services";
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
