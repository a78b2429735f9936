import type { Account } from "../account";
import type { Config } from "../config";
import { type Ground, layGround, type Place } from "./ground";
import { makeIngress } from "./ingress";
import { makeManaged } from "./managed";
import { makeNodes } from "./nodes";
import { notServed, outputs } from "./outputs";
import { makeProject } from "./project";
import { type Foundation, serve } from "./serve";
import { startSwarm } from "./start-swarm";

/** Managers and workers behind a Load Balancer, with a managed database. */
export function swarm(config: Config, account: Account, place: Place) {
  return finish(config, account, place, raise(config, account, place));
}

/** What DigitalOcean provides. */
export function raise(
  config: Config,
  account: Account,
  place: Place,
): Foundation & { readonly ground: Ground } {
  const ground = layGround(config, account, place);
  // First of all: it takes the longest.
  const managed = makeManaged(config, ground);
  const nodes = makeNodes(config, account, ground);
  const cluster = startSwarm(config, ground.network.tag, nodes);
  const ingress = makeIngress(config, account, ground, nodes);
  makeProject(config, { ground, nodes, ingress, managed });
  return { ground, managed, nodes, cluster, ingress };
}

/** What runs on it, and what operators read. */
export function finish(config: Config, account: Account, place: Place, stack: Foundation) {
  const { cluster } = stack;
  const served =
    cluster === undefined ? notServed() : serve(config, account, place, { ...stack, cluster });
  return outputs(config, account, stack, served);
}
