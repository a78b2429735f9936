import type * as docker from "@pulumi/docker";
import { duration } from "../duration";
import { serviceArgs } from "../service-defaults";
import { AGENT_LOADER } from "./bundle";
import type { EdgeArgs } from "./edge";
import { drainCommand, proxyScript } from "./proxy-script";
import { EDGE_DEFAULTS } from "./settings";

/** HAProxy and the agent run as this user; no such account needs to exist. */
const UID = "65532";

/** How long requests in flight may take once the node takes no new ones. What is left then is cut. */
const SOFT_STOP_SECONDS = 60;

/** Liveness inside the official image (busybox wget) and in Debian's (Node). */
const HTTP_OK = (url: string) =>
  `if command -v wget >/dev/null; then wget -q -T 3 -O /dev/null ${url}; ` +
  `else node -e "fetch('${url}').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"; fi`;

/** What its task reads. */
export interface AgentFiles {
  readonly code: docker.ServiceConfig;
  readonly config: docker.ServiceConfig;
  readonly webhook: docker.Secret | undefined;
}

export function agentService(name: string, args: EdgeArgs, files: AgentFiles): docker.ServiceArgs {
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

export function proxyService(name: string, args: EdgeArgs): docker.ServiceArgs {
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
