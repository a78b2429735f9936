import type { Config } from "../config";
import { databaseNames, hasManaged, poolSize } from "../databases";
import { type Fault, show } from "../faults";
import { memoryGib } from "../plans";

/** Fewer sessions than that for a database are no use to anybody. */
const LEAST_SESSIONS = 3;

/** https://docs.digitalocean.com/products/databases/postgresql/how-to/add-standby-nodes/ */
const STANDBY_GIB = 2;

export function databaseFaults(config: Config): Fault[] {
  const { database, topology } = config;
  const { engine, size, nodes } = database;
  const at = "archipelago:database";
  const faults: Fault[] = [];
  if (topology === "ha" && engine === "container") {
    const rule = "must be managed or none in the ha topology: a container has no standby";
    faults.push({ path: `${at}.engine`, rule, got: show(engine) });
  }
  faults.push(...migrationFaults(at, database));
  if (!hasManaged(database)) return [...faults, ...ownDatabaseFaults(config)];
  if (topology === "ha" && nodes === 1) {
    const rule = "must be 2 or 3 in the ha topology: one node has no standby";
    faults.push({ path: `${at}.nodes`, rule, got: "1" });
  }
  faults.push(...standbyFaults(at, size, nodes));
  const count = databaseNames(config).length;
  if (poolSize(size, count) < LEAST_SESSIONS) {
    faults.push({
      path: `${at}.size`,
      rule: `must be larger: ${count} databases share the sessions that its memory allows`,
      got: show(size),
    });
  }
  return [...faults, ...ownDatabaseFaults(config)];
}

function migrationFaults(
  at: string,
  { engine, migrateTo, migratedFrom }: Config["database"],
): Fault[] {
  if (migrateTo !== undefined && engine !== "container") {
    const rule = "must be left out unless the engine is container: only that one can be moved from";
    return [{ path: `${at}.migrateTo`, rule, got: show(migrateTo) }];
  }
  if (migratedFrom === undefined || engine === "managed") return [];
  const rule = "must be left out unless the engine is managed: nothing else is moved to";
  return [{ path: `${at}.migratedFrom`, rule, got: show(migratedFrom) }];
}

function standbyFaults(at: string, size: string, nodes: number): Fault[] {
  if (nodes === 1 || memoryGib(size) >= STANDBY_GIB) return [];
  const rule = `must have at least ${STANDBY_GIB} GB of memory, which standbys need`;
  return [{ path: `${at}.size`, rule, got: show(size), remedy: "for example db-s-1vcpu-2gb" }];
}

function ownDatabaseFaults({ services, database }: Config): Fault[] {
  const own = Object.entries(services).filter(([, service]) => service.database === "own");
  return own.flatMap(([name]): Fault[] => {
    const path = `archipelago:services.${name}.database`;
    if (database.engine === "none") {
      return [{ path, rule: "must be none, because archipelago:database is", got: show("own") }];
    }
    // Their names are DigitalOcean's and ours.
    if (!["app", "defaultdb", "doadmin"].includes(name)) return [];
    return [{ path, rule: `must be shared: no database of its own can be called ${name}` }];
  });
}

export function cacheFaults({ cache }: Config): Fault[] {
  if (cache.engine !== "managed") return [];
  return standbyFaults("archipelago:cache", cache.size, cache.nodes);
}

export function registryFaults({ registry }: Config): Fault[] {
  const { kind, server, username, password } = registry;
  const at = "archipelago:registry";
  const faults: Fault[] = [];
  if (kind === "other" && server === undefined) {
    faults.push({
      path: `${at}.server`,
      rule: "is missing; it must be a registry such as ghcr.io/acme",
    });
  }
  if (kind !== "other" && server !== undefined) {
    faults.push({ path: `${at}.server`, rule: `must be left out where kind is ${kind}` });
  }
  if ((username === undefined) !== (password === undefined)) {
    const missing = username === undefined ? "username" : "password";
    faults.push({ path: `${at}.${missing}`, rule: "is missing; a login needs both" });
  }
  return faults;
}
