import * as pulumi from "@pulumi/pulumi";
import type { RegistryLogin } from "../../components/registry";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { makeApp } from "./app";
import { archiveOf, savedBy, serveBackup } from "./backup";
import { watchBackup } from "./backup-watch";
import { serveCache } from "./cache";
import { serveDatabase } from "./database";
import { makeEdge } from "./edge";
import type { Place } from "./ground";
import type { Ingress } from "./ingress";
import type { Managed } from "./managed";
import type { Nodes } from "./nodes";
import { makeBuilders, makeSwarm } from "./on-swarm";
import type { Served } from "./outputs";
import { FIRST_SITE, inSite } from "./site";
import { makeToolbox } from "./toolbox";

/** What the services stand on. */
export interface Foundation {
  readonly nodes: Nodes;
  /** Absent where machines are simulated. */
  readonly cluster: swarm.Cluster | undefined;
  readonly ingress: Omit<Ingress, "lead">;
  readonly managed: Managed;
}

/**
 * The app and what it needs, as services of the swarm, in this order: every node has joined → network, secrets and
 * configs → database and cache → release commands → services → edge → the front address answers.
 */
export function serve(
  config: Config,
  account: Account,
  place: Place,
  { nodes, cluster, ingress, managed }: Foundation & { readonly cluster: swarm.Cluster },
  site = FIRST_SITE,
): Served {
  const login = registryLogin(config, managed);
  const onSwarm = makeSwarm(config, nodes, cluster, login, place, site);
  const builders = makeBuilders(config, nodes, place, site);
  const repository = repositoryOf(config, managed);
  const saved = savedBy(config, managed, site);
  const toolbox = saved && makeToolbox(onSwarm, repository, builders);
  const archive =
    saved && toolbox && config.database.engine === "container"
      ? archiveOf(config, saved, toolbox)
      : undefined;
  const database = serveDatabase(config, account, managed.postgres, onSwarm, archive);
  const backup =
    saved && toolbox
      ? [
          serveBackup(config, saved, toolbox, onSwarm, database),
          ...watchBackup(config, saved, toolbox, onSwarm),
        ]
      : [];
  const cache = serveCache(config, managed.cache, onSwarm);
  const { targets, images } = makeApp(config, {
    onSwarm,
    login,
    database,
    cache,
    files: managed.files,
    root: place.root,
    repository,
    builders,
  });
  const app = new swarm.Rollout(
    "app",
    {
      connection: onSwarm.connection,
      services: [...targets, ...backup],
      triggers: [...onSwarm.triggers],
    },
    inSite(site),
  );
  const edge = makeEdge(config, account, onSwarm, app);
  const front = new swarm.Rollout(
    "front",
    {
      connection: onSwarm.connection,
      services: [...edge.targets],
      url: ingress.probe,
      // A change of the app alone is looked at from the front as well.
      triggers: [...onSwarm.triggers, ...targets.map(({ version }) => version)],
    },
    { ...inSite(site), dependsOn: [app, edge, ...ingress.ready] },
  );
  return { url: ingress.url, images, done: [front] };
}

function registryLogin({ registry }: Config, managed: Managed): RegistryLogin | undefined {
  if (managed.registry !== undefined) return managed.registry.login;
  const { server, username, password } = registry;
  if (server === undefined || username === undefined || password === undefined) return undefined;
  return { address: server.split("/")[0] ?? server, username, password: pulumi.secret(password) };
}

/** Where images are pushed. */
function repositoryOf({ registry }: Config, managed: Managed): pulumi.Output<string> | undefined {
  if (managed.registry !== undefined) return managed.registry.repository;
  return registry.server === undefined ? undefined : pulumi.output(registry.server);
}
