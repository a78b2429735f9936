import { type Access, accessTo } from "./access";
import type { Reading, Source } from "./source";
import type { Context } from "./context";
import { actForOwners, databasesOf } from "./databases";
import { askOnce, countTables, freeze, literal, Session } from "./postgres";

/** Each database of the server. */
export async function databaseSources({ settings, secrets }: Context): Promise<Source[]> {
  const { server } = settings;
  if (server === undefined) return [];
  const access = accessTo(server, secrets);
  const sources: Source[] = [];
  for (const name of await databasesOf(server, access)) {
    if (server.kind === "managed") await actForOwners(access, name);
    const size = `SELECT pg_database_size(${literal(name)})`;
    sources.push({
      kind: "database",
      name,
      file: `database-${name}.dump.zst.age`,
      size: Number((await askOnce(access, name, size))[0]),
      open: () => dump(access, name),
    });
  }
  return sources;
}

/** A logical dump in PostgreSQL's custom format, with the rows and sums of the same moment. */
async function dump(access: Access, name: string): Promise<Reading> {
  const session = Session.open(access, name);
  try {
    const snapshot = await freeze(session);
    const counted = countTables(session);
    counted.catch(() => undefined);
    return {
      from: {
        command: ["pg_dump", "-Fc", "-Z0", `--snapshot=${snapshot}`, "-d", name],
        ...access,
      },
      finish: async () => ({ tables: await counted }),
      close: () => session.close(),
    };
  } catch (error) {
    session.kill();
    throw error;
  }
}
