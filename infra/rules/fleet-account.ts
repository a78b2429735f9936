import { hasManaged } from "../databases";
import type { Account, ExistingDroplet } from "../account";
import { contains } from "../cidr";
import type { Config } from "../config";
import { type Fault, show } from "../faults";
import { existingDroplet, fleetPlan, isOtherImage, pinnedNode } from "../fleet-plan";
import { dropletName } from "../names";

const ELSEWHERE = "a stack stays where it is; bring up another stack there and move to it";

/** Faults that only the Droplets and databases that a site has already can show. */
export function fleetFaults(config: Config, account: Account): Fault[] {
  return [
    ...placeFaults(config, account),
    ...pinnedFaults(config, account),
    ...databaseFaults(config, account),
  ];
}

/** A stack's Droplets do not move; one of them stands for all. */
function placeFaults(config: Config, { droplets }: Account): Fault[] {
  const [droplet] = droplets;
  if (droplet === undefined) return [];
  const node = droplet.name.slice(dropletName(config.stack, "").length);
  const faults: Fault[] = [];
  if (droplet.region !== config.region) {
    faults.push({
      path: "archipelago:region",
      rule: `must stay ${droplet.region} while ${node} exists`,
      got: show(config.region),
      remedy: ELSEWHERE,
    });
  }
  if (!contains(config.vpcCidr, droplet.ipv4AddressPrivate)) {
    faults.push({
      path: "archipelago:vpcCidr",
      rule: `must stay the range that holds ${node}'s address ${droplet.ipv4AddressPrivate}`,
      got: config.vpcCidr,
      remedy: ELSEWHERE,
    });
  }
  return faults;
}

/** Nodes of one swarm are all reached in the same way. */
export function privacyFaults(
  { privateNodes, nodes, stack }: Config,
  { droplets }: Account,
): Fault[] {
  const names = Object.keys(nodes).map((node) => dropletName(stack, node));
  const other = droplets.find(
    ({ name, ipv4Address }) =>
      names.includes(name) && (ipv4Address === "") !== privateNodes.enabled,
  );
  if (other === undefined) return [];
  const has = privateNodes.enabled ? "a public address" : "none";
  return [
    {
      path: "archipelago:privateNodes",
      rule: `must stay ${String(!privateNodes.enabled)} while ${other.name} exists, which has ${has}`,
      got: show(privateNodes.enabled),
      remedy: "bring up another stack and move to it",
    },
  ];
}

/** Refuses what would take the Volume from under what uses it: it can be attached to one Droplet only. */
function pinnedFaults(config: Config, account: Account): Fault[] {
  const node = pinnedNode(config);
  if (node === undefined) return [];
  const holder = account.droplets.find(({ id }) => account.volume?.dropletIds.includes(id));
  if (holder !== undefined && holder.name !== dropletName(config.stack, node)) {
    const name = holder.name.slice(dropletName(config.stack, "").length);
    const path = `archipelago:nodes.${name}`;
    const rule = "must stay: it holds the Volume, and what runs on that cannot move with it yet";
    return [{ path, rule }];
  }
  const droplet = existingDroplet(node, config, account);
  return droplet === undefined ? [] : dropletFaults(node, droplet, config, account);
}

function dropletFaults(
  node: string,
  droplet: ExistingDroplet,
  config: Config,
  { sizes }: Account,
): Fault[] {
  const faults: Fault[] = [];
  if (isOtherImage(droplet, config)) {
    faults.push({
      path: "archipelago:image",
      rule: `must stay ${droplet.image} while ${node} runs on it, because a new image means a new Droplet`,
      got: show(config.image),
      remedy: guidedReplacement(node, config),
    });
  }
  const target = sizes.find(({ slug }) => slug === config.nodes[node]?.size);
  if (target !== undefined && target.disk < droplet.disk) {
    faults.push({
      path: `archipelago:nodes.${node}.size`,
      rule: `must be a size with a disk of at least ${droplet.disk} GB, the disk ${node} has`,
      got: `${show(target.slug)} (${target.disk} GB)`,
    });
  }
  return faults;
}

/** Everything new comes before anything old goes, and DigitalOcean would refuse in the midst of it. */
export function limitFaults(config: Config, account: Account): Fault[] {
  const { droplets } = account.fleet;
  if (droplets === undefined) return [];
  const { peak, now, replaced } = fleetPlan(config, account);
  // Those of a second site are among the others.
  const others = droplets.others - (account.second?.droplets.length ?? 0);
  const free = droplets.limit - others - now;
  if (peak === now || peak - now <= free) return [];
  return [
    {
      path: "archipelago:managers, workers",
      rule: `must need no more than the ${Math.max(0, free)} further Droplets that the account's limit of ${droplets.limit} allows`,
      got: String(peak - now),
      remedy:
        "ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase, or change fewer nodes at a time" +
        (replaced.length > 1 ? `: npm run roll -- ${config.stack}` : ""),
    },
  ];
}

/** What replaces a Database Cluster, with all that is in it. */
function databaseFaults(config: Config, { fleet, volume }: Account): Fault[] {
  const { database, region } = config;
  const present = fleet.database;
  if (!hasManaged(database)) return [];
  if (present === undefined) return volume === undefined ? [] : unmovedFaults(config);
  if (Number(present.version) > Number(database.version)) {
    const rule = `must be at least ${present.version}, which the database has: it never goes back`;
    return [{ path: "archipelago:database.version", rule, got: show(database.version) }];
  }
  if (present.region === region) return [];
  const rule = `must stay ${present.region} while the database is there`;
  return [{ path: "archipelago:region", rule, got: show(region), remedy: ELSEWHERE }];
}

/** The Volume may have the container's database: another server would begin without a row of it. Or the cluster was lost. */
function unmovedFaults({ database: { engine, migratedFrom }, stack }: Config): Fault[] {
  if (engine !== "managed" || migratedFrom === "none") return [];
  return [
    {
      path: "archipelago:database.engine",
      rule: "must stay container while the container has the data, and there is no Database Cluster",
      got: show(engine),
      remedy: [
        "which of these is it?",
        "      The data is in the container: set archipelago:database: { engine: container, migrateTo: managed }, run up, then",
        `      npm run migrate -- postgres --from ${stack}:container --to ${stack}:managed`,
        "      and then { engine: managed, migratedFrom: container }.",
        `      The Database Cluster was lost: { engine: managed, migratedFrom: none }, run up, then npm run restore -- ${stack}.`,
        "      There never was a database: { engine: managed, migratedFrom: none }",
      ].join("\n"),
    },
  ];
}

/** The way to a new Droplet for a node, with the app away meanwhile and data and address kept. */
function guidedReplacement(node: string, { stack }: Config): string {
  const urn = `urn:pulumi:${stack}::archipelago::archipelago:node:Node$digitalocean:index/droplet:Droplet::${node}`;
  return [
    "to replace it, with the app away for some minutes and its data and address kept:",
    `      pulumi state unprotect '${urn}' --stack ${stack}   (in the cloud)`,
    `      pulumi destroy --target '${urn}' --target-dependents --stack ${stack}`,
    `      pulumi up --stack ${stack}`,
  ].join("\n");
}
