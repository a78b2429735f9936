import type { Account } from "../account";
import type { Config } from "../config";
import { type Ground, layGround, type Place } from "./ground";
import { type Ingress, makeIngress } from "./ingress";
import { makeManaged } from "./managed";
import { makeNodes } from "./nodes";
import { notServed, outputs, type Served } from "./outputs";
import { makeProject } from "./project";
import { laySecondGround, raiseSecond, secondIngress, type SecondStack } from "./second-site";
import { type Foundation, serve } from "./serve";
import { startSwarm } from "./start-swarm";

/** Managers and workers behind a Load Balancer, with a managed database. */
export function swarm(config: Config, account: Account, place: Place) {
  return finish(config, account, place, raise(config, account, place));
}

/** What DigitalOcean provides. */
export function raise(config: Config, account: Account, place: Place): Stack {
  const ground = layGround(config, account, place);
  const secondGround = laySecondGround(config, account, ground, place);
  // Before the nodes: it takes the longest.
  const managed = makeManaged(config, ground, secondGround, place);
  const nodes = makeNodes(config, account, ground);
  const cluster = startSwarm(config, ground, nodes);
  const second = secondGround && raiseSecond(secondGround);
  const ingress = makeIngress(config, account, ground, nodes, second);
  makeProject(config, { ground, nodes, ingress, managed, second });
  return { ground, managed, nodes, cluster, ingress, second };
}

type Stack = Foundation & {
  readonly ground: Ground;
  readonly ingress: Ingress;
  readonly second: SecondStack | undefined;
};

/** What runs on it, and what operators read. */
export function finish(config: Config, account: Account, place: Place, stack: Stack) {
  const { cluster, second } = stack;
  const served =
    cluster === undefined ? notServed() : serve(config, account, place, { ...stack, cluster });
  stack.ingress.lead(served.done);
  if (second) serveSecond(place, stack, second, served);
  return outputs(config, account, stack, served);
}

/** The same services again, once the first site's are well: its database is migrated by then. */
function serveSecond(place: Place, first: Stack, second: SecondStack, { done }: Served): void {
  const { config, account, nodes, cluster } = second;
  if (cluster === undefined) return;
  const site = { ...second.site, beforeServices: [...done] };
  const ingress = secondIngress(second, first.ingress);
  serve(config, account, place, { nodes, cluster, ingress, managed: first.managed }, site);
}
