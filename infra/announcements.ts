import { hasManaged } from "./databases";
import type { Account } from "./account";
import type { Config } from "./config";
import { servicesWithVolume, usesVolume } from "./fleet";
import { fleetPlan } from "./fleet-plan";
import { BASTION, databaseName, volumeName } from "./names";
import { nameOfSecond } from "./second-site";

/** Says before anything happens what a change interrupts or makes final, and what a stack lacks; one line each. */
export function announcements(config: Config, account: Account): string[] {
  return [
    ...nodeLines(config, account),
    ...frontLines(config, account),
    ...quorumLines(config),
    ...volumeLines(config, account),
    ...databaseLines(config, account),
    ...migrationLines(config),
    ...filesLines(config),
    ...backupLines(config),
  ];
}

function nodeLines(config: Config, account: Account): string[] {
  const { replaced, resized } = fleetPlan(config, account);
  return [
    ...resized.map(
      ({ node, why }) =>
        `${node} is powered off for about a minute: ${why} (its disk stays, so it can go back)`,
    ),
    ...replaced.map(
      ({ node, why }) => `${node} is replaced by a new Droplet, which ${handover(node)}: ${why}`,
    ),
  ];
}

/** A stack that runs gets another way in. */
function frontLines({ ingress, domain, stack, protect }: Config, account: Account): string[] {
  const { fleet, droplets } = account;
  const [isBalanced, wasBalanced] = [ingress === "load-balancer", fleet.balancerNodes > 0];
  if (droplets.length === 0 || isBalanced === wasBalanced) return [];
  const before = isBalanced
    ? `the Reserved IP ${fleet.reservedIp ?? ""}`.trim()
    : "the Load Balancer";
  const after = isBalanced ? "a Load Balancer" : "the Reserved IP";
  if (domain === undefined) {
    const keep = isBalanced ? "; with archipelago:ingress: floating-ip it stays" : "";
    return [
      `the app's address changes to that of ${after}, and without archipelago:domain nothing leads visitors of ${before} there${keep}`,
    ];
  }
  const lines = [
    `requests move from ${before} to ${after}: ${domain.name} leads there once the app answers at it, then \`up\` waits ${domain.ttlSeconds} s (the record's TTL) in which both take requests, and closes the old way last; connections that are still open there are cut then`,
  ];
  if (!isBalanced && protect) {
    const urn = `urn:pulumi:${stack}::archipelago::archipelago:ingress:LoadBalancer$digitalocean:index/loadBalancer:LoadBalancer::front`;
    lines.push(
      `the Load Balancer is protected, so that \`up\` ends before anything changes; to let it go: pulumi state unprotect '${urn}' --stack ${stack}`,
    );
  }
  return lines;
}

/** The bastion of either site is no member of a swarm. */
const handover = (node: string) =>
  node === BASTION || node === nameOfSecond(BASTION)
    ? "takes over before the old one goes"
    : "joins before the old one leaves";

function quorumLines({ topology, nodes }: Config): string[] {
  const managers = Object.entries(nodes).filter(([, { role }]) => role === "manager");
  if (topology === "single-node" || managers.length !== 1) return [];
  return [
    `one manager is no safety: while ${managers[0]?.[0]} is away the app goes on with the tasks it has, and nothing can be changed; archipelago:managers: 3 outlives the loss of one`,
  ];
}

function volumeLines(config: Config, { volume }: Account): string[] {
  if (volume === undefined) return [];
  const name = volumeName(config.stack);
  const lines: string[] = [];
  const next = config.database.volumeGib;
  if (next > volume.sizeGib) {
    lines.push(`Volume ${name} grows while in use, for good: ${volume.sizeGib} GiB → ${next} GiB`);
  }
  if (!usesVolume(config)) {
    lines.push(
      `Volume ${name} is kept, with whatever is on it, though nothing uses it any more: it is yours to delete`,
    );
  }
  return lines;
}

function databaseLines(
  { stack, database, topology, protect }: Config,
  { fleet }: Account,
): string[] {
  const present = fleet.database;
  if (present === undefined) return [];
  if (!hasManaged(database)) {
    const fate = protect
      ? "is protected, so that `up` ends before it is deleted"
      : "is deleted, with all that is in it";
    return [`Database Cluster ${databaseName(stack)} ${fate}: its data is not moved`];
  }
  if (present.size === database.size) return [];
  const of = (nodes: number, size: string) => `${nodes} × ${size}`;
  const change = `${of(present.nodes, present.size)} → ${of(database.nodes, database.size)}`;
  const blip = topology === "ha" || present.nodes > 1 ? "seconds" : "up to some minutes";
  return [`the database fails over once while it is resized, ${blip} without writes: ${change}`];
}

function migrationLines({ database: { migrateTo } }: Config): string[] {
  if (migrateTo === undefined) return [];
  return [
    "once `npm run migrate -- postgres` has switched, the managed server keeps every change for the way back, with no limit but its disk: `npm run status` says how much, and archipelago:database: { engine: managed, migratedFrom: container } ends it",
  ];
}

function backupLines(config: Config): string[] {
  const { backup, database, files, machines } = config;
  if (backup !== undefined) {
    if (machines === "simulated") {
      return [
        "archipelago:backup makes no backups here: where machines are simulated there is no data",
      ];
    }
    return [
      ...(backup.alarm === undefined
        ? ["nobody is told when backups stop: archipelago:backup.alarm says whom to tell"]
        : []),
      ...(files.enabled && !files.versioning && !backup.files
        ? [
            "archipelago:files is in no backup: what is deleted there is gone, unless files.versioning keeps it",
          ]
        : []),
      ...(database.migrateTo === undefined
        ? []
        : [
            "archipelago:backup is of the container's database: once `npm run migrate -- postgres` has switched, what the app writes is only in DigitalOcean's own daily backups",
          ]),
    ];
  }
  const holds = database.engine !== "none" || servicesWithVolume(config).length > 0;
  if (!holds || machines === "simulated") return [];
  const there =
    database.engine === "managed"
      ? "there are no backups but DigitalOcean's own, which go with the cluster and the account"
      : "there are no backups";
  return [`${there}: archipelago:backup makes them, and \`npm run backup -- keygen\` the key`];
}

function filesLines({ files, machines }: Config): string[] {
  if (!files.enabled || machines === "real") return [];
  return [
    "archipelago:files makes no bucket here: where machines are simulated nothing keeps files",
  ];
}
