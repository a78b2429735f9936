import { statfs } from "node:fs/promises";
import type { DatabaseServer } from "../settings";
import { type Access, accessTo } from "./access";
import type { Context } from "./context";
import { actForOwners, adminDatabase } from "./databases";
import type { Command } from "./flow";
import { askOnce, literal, quoted, Session } from "./postgres";

/** Databases that are made beside others, and take their places. */

const GIB = 2 ** 30;

/** Sessions of the old database end within this. */
const EMPTY_TIMEOUT_SECONDS = 20;

/** DigitalOcean lets nobody write to a disk that is nearly full. */
const USABLE = 0.9;

/** A server's administrator, who makes and renames databases. */
export class Administrator {
  readonly access: Access;
  private readonly database: string;

  constructor(
    private readonly server: DatabaseServer,
    { secrets }: Pick<Context, "secrets">,
  ) {
    this.access = accessTo(server, secrets);
    this.database = adminDatabase(server);
  }

  ask(sql: string): Promise<string[]> {
    return askOnce(this.access, this.database, sql);
  }

  open(): Session {
    return Session.open(this.access, this.database);
  }

  async exists(name: string): Promise<boolean> {
    const sql = `SELECT 1 FROM pg_database WHERE datname = ${literal(name)}`;
    return (await this.ask(sql)).length > 0;
  }

  /** @returns what a database says of itself. */
  async markOf(name: string): Promise<string | undefined> {
    const sql = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ${literal(name)}`;
    return (await this.ask(sql))[0];
  }

  async mark(name: string, text: string): Promise<void> {
    await this.ask(`COMMENT ON DATABASE ${quoted(name)} IS ${literal(text)}`);
  }

  async drop(name: string): Promise<void> {
    await this.ask(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
  }

  /**
   * An empty database for what `name` holds or held: with its owner and whoever may do something there, where it is; else it is that of
   * the role of its name.
   */
  async create(beside: string, name: string): Promise<void> {
    const isThere = await this.exists(name);
    const [owner] = isThere
      ? await this.ask(
          `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${literal(name)}`,
        )
      : await this.ask(`SELECT rolname FROM pg_roles WHERE rolname = ${literal(name)}`);
    const roles =
      this.server.kind === "managed"
        ? await actForOwners(this.access, isThere ? name : this.database, [name, owner ?? name])
        : [];
    await this.ask(
      `CREATE DATABASE ${quoted(beside)} OWNER ${owner ? quoted(owner) : "CURRENT_USER"} TEMPLATE template0`,
    );
    await this.ask(`REVOKE ALL ON DATABASE ${quoted(beside)} FROM PUBLIC`);
    for (const grant of isThere ? await this.grantsOf(name, beside) : []) await this.ask(grant);
    // Who owns something there must be allowed to make it: what a dump says of the schema comes last.
    for (const role of roles.filter((each) => each !== owner)) {
      await askOnce(this.access, beside, `GRANT ALL ON SCHEMA public TO ${quoted(role)}`);
    }
  }

  /** What others may do with a database, as statements for another one. */
  private grantsOf(name: string, other: string): Promise<string[]> {
    return this.ask(
      `SELECT format('GRANT %s ON DATABASE %I TO %s', a.privilege_type, ${literal(other)}, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
       FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.datname = ${literal(name)}`,
    );
  }

  /**
   * Gives a database the name of another one, which keeps its contents under a name of its own. New sessions wait for milliseconds.
   *
   * @param old the other one's new name; undefined where there is none to keep.
   * @returns whether there was one.
   */
  async takePlace(beside: string, place: string, old: string | undefined): Promise<boolean> {
    const session = this.open();
    const closed = (name: string, yes: boolean) =>
      `ALTER DATABASE ${quoted(name)} ALLOW_CONNECTIONS ${yes ? "false" : "true"}`;
    try {
      if (old === undefined || !(await this.exists(place))) {
        await session.ask(`ALTER DATABASE ${quoted(beside)} RENAME TO ${quoted(place)}`);
        return false;
      }
      try {
        await session.ask(closed(place, true));
        await empty(session, place);
        await session.ask(
          `BEGIN; ALTER DATABASE ${quoted(place)} RENAME TO ${quoted(old)}; ALTER DATABASE ${quoted(beside)} RENAME TO ${quoted(place)}; COMMIT`,
        );
        await session.ask(closed(old, false));
      } catch (error) {
        await this.ask(closed(place, false)).catch(() => undefined);
        throw error;
      }
      return true;
    } finally {
      await session.close();
    }
  }

  /**
   * Everything twice, and the log of writing it, must fit beside what is there.
   *
   * @throws {Error} when it does not.
   */
  async mustFit(bytes: number): Promise<void> {
    const needed = bytes * 1.1 + Math.min(bytes, GIB);
    const free = await this.freeBytes();
    if (free >= needed) return;
    const gib = (count: number) => `${(Math.max(0, count) / GIB).toFixed(2)} GiB`;
    const raise = this.server.kind === "container" ? "volumeGib" : "size";
    throw new Error(
      `not enough room: the restored databases need ${gib(needed)} beside the old ones, and ${gib(free)} are free; ` +
        `raise archipelago:database.${raise} and run \`up\`, or drop databases that an earlier restore kept`,
    );
  }

  private async freeBytes(): Promise<number> {
    if (this.server.kind === "container") {
      const { bavail, bsize } = await statfs(this.server.directory);
      return bavail * bsize;
    }
    const [used] = await this.ask(
      "SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database WHERE has_database_privilege(oid, 'CONNECT')",
    );
    return this.server.diskBytes * USABLE - Number(used);
  }
}

/**
 * What `pg_restore` is told. Who owns what, and who may do what, comes with the dump.
 *
 * @param beside the database.
 */
export const restoreCommand = (access: Access, beside: string): Command => ({
  command: ["pg_restore", "--exit-on-error", "-d", beside],
  ...access,
});

/** Ends the sessions of a database that takes no new ones. Those of superusers, who are DigitalOcean's, are waited for. */
async function empty(session: Session, database: string): Promise<void> {
  const deadline = Date.now() + EMPTY_TIMEOUT_SECONDS * 1000;
  const sql = `SELECT count(*), count(CASE WHEN m.rolsuper OR NOT r.rolsuper THEN pg_terminate_backend(a.pid) END)
    FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid JOIN pg_roles m ON m.rolname = current_user WHERE a.datname = ${literal(database)}`;
  while (!(await session.ask(sql))[0]?.startsWith("0|")) {
    if (Date.now() > deadline) {
      const whose = `SELECT string_agg(DISTINCT usename, ', ') FROM pg_stat_activity WHERE datname = ${literal(database)}`;
      throw new Error(`sessions of ${database} do not end: ${(await session.ask(whose))[0] ?? ""}`);
    }
    await session.ask("SELECT pg_sleep(0.05)");
  }
}
