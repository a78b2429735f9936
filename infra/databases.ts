import type { Config } from "./config";
import { memoryGib } from "./plans";

/** The database that services share. Its user has its name, as each user has the name of its database. */
export const SHARED_DATABASE = "app";

/** https://docs.digitalocean.com/products/databases/postgresql/details/limits/ */
const SESSIONS_PER_GIB = 25;
/** Three are DigitalOcean's own; the rest is for jobs and for an operator when all others are taken. */
const RESERVED_SESSIONS = 7;

/** Name of the database and user of a service with `database: own`. */
export const ownDatabase = (service: string) => service.replaceAll("-", "_");

/** Whether a Database Cluster is part of the stack: as its database, or as the one that it moves to. */
export const hasManaged = ({ engine, migrateTo }: Config["database"]) =>
  engine === "managed" || migrateTo === "managed";

/** @returns the database of a service, if it has one. */
export function databaseOf(
  name: string,
  { services, database }: Pick<Config, "services" | "database">,
): string | undefined {
  const choice = services[name]?.database ?? "none";
  if (database.engine === "none" || choice === "none") return undefined;
  return choice === "own" ? ownDatabase(name) : SHARED_DATABASE;
}

/** Every database of a stack, the shared one first. It is there even when no service uses it yet. */
export function databaseNames(config: Pick<Config, "services" | "database">): string[] {
  if (config.database.engine === "none") return [];
  const names = Object.keys(config.services).flatMap((name) => databaseOf(name, config) ?? []);
  return [...new Set([SHARED_DATABASE, ...names])];
}

/** Sessions of one database's connection pool: an equal share of what the node's memory allows. */
export function poolSize(size: string, databases: number): number {
  return Math.floor((memoryGib(size) * SESSIONS_PER_GIB - RESERVED_SESSIONS) / databases);
}
