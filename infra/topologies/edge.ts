import { Edge } from "../../components/edge/edge";
import { IMAGES, pulledImage } from "../../components/images";
import { NOTICE_SECONDS } from "../../components/load-balancer";
import type * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { VOLUME_MOUNT } from "../names";
import { edgeRoutes } from "../routes";
import type { OnSwarm } from "./on-swarm";
import { INGRESS_LABEL } from "./nodes";

/**
 * The same service in every topology, which serves clients and a Load Balancer alike: where a stack's way in changes, both
 * are used for a while, and a node's ports cannot be handed from one task to the next.
 */
export function makeEdge(
  config: Config,
  account: Account,
  { networkId, child, onSwarm }: OnSwarm,
  app: swarm.Rollout,
) {
  return new Edge(
    "edge",
    {
      haproxyImage: pulledImage("haproxy", IMAGES.haproxy, child),
      nodeImage: pulledImage("node", IMAGES.node, child),
      networkId,
      routes: edgeRoutes(config),
      ...config.edge,
      constraints: [`node.labels.${INGRESS_LABEL} == true`],
      ...edgeDomain(config, account),
      dataDir: `${VOLUME_MOUNT}/edge`,
      front: { range: config.vpcCidr, noticeSeconds: NOTICE_SECONDS },
      after: [app],
    },
    onSwarm,
  );
}

function edgeDomain({ domain, ingress }: Config, { fleet }: Account) {
  // A Load Balancer ends TLS. Whoever still comes by the Reserved IP of before is served with the certificates of before.
  const kept = fleet.reservedIp === undefined ? ("none" as const) : ("kept" as const);
  const certificates = ingress === "load-balancer" ? kept : ("renewed" as const);
  if (domain === undefined) return { acme: { certificates } };
  return {
    domain: domain.name,
    acme: {
      certificates,
      ...(domain.email !== undefined && { email: domain.email }),
      ...(domain.acmeDirectory !== undefined && { directoryUrl: domain.acmeDirectory }),
      ...(domain.acmeCa !== undefined && { caPem: domain.acmeCa }),
    },
    ...(domain.alarmWebhook !== undefined && { alarm: { webhook: domain.alarmWebhook } }),
  };
}
