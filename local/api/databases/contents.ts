import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, notFound, preconditionFailed, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { type Engine, facts } from "./catalogue";
import {
  type DatabaseRecord,
  type DatabaseUser,
  findDatabase,
  findOnline,
  newPassword,
  newUser,
} from "./model";
import type { DatabasePath } from "./routes";
import { userView } from "./view";

interface UserPath {
  Params: { database: string; user: string };
}

interface DbPath {
  Params: { database: string; db: string };
}

const settings = z.object({ pg_allow_replication: z.boolean().nullish() }).nullish();

const userInput = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-zA-Z_][a-zA-Z0-9_.-]{0,62}$/,
      "name must begin with a letter or underscore, and have letters, digits, dots, dashes and underscores",
    ),
  settings,
});

const dbInput = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}$/,
      "name must have letters, digits, dashes and underscores",
    ),
});

/** Names that PostgreSQL itself uses. */
const reservedNames: readonly string[] = ["postgres", "template0", "template1"];

/** Users and databases inside clusters. */
export function contentRoutes(app: FastifyInstance, context: Context): void {
  const { store, databases } = context;
  const users = "/v2/databases/:database/users";
  const dbs = "/v2/databases/:database/dbs";

  /**
   * Changes what is inside a cluster, in the state and then in its server.
   *
   * @param undo takes the change back when the server could not follow.
   */
  const change = async (
    id: string,
    changes: (database: DatabaseRecord) => Partial<DatabaseRecord>,
    undo?: (database: DatabaseRecord) => Partial<DatabaseRecord>,
  ) => {
    store.transaction(() => {
      const database = findOnline(store, id);
      store.databases.patch(id, changes(database));
    });
    try {
      await databases.sync(id);
    } catch (error) {
      const database = store.databases.get(id);
      if (database && undo) store.transaction(() => store.databases.patch(id, undo(database)));
      throw error;
    }
  };

  const withoutUser = ({ users: all }: DatabaseRecord, name: string) => ({
    users: all.filter((each) => each.name !== name),
  });
  const findUser = (database: DatabaseRecord, name: string): DatabaseUser => {
    const user = database.users.find((each) => each.name === name);
    if (!user) throw notFound();
    return user;
  };
  const userAnswer = (id: string, name: string) => {
    const database = findDatabase(store, id);
    return { user: userView(database, findUser(database, name)) };
  };
  const changeUser = (id: string, name: string, changes: Partial<DatabaseUser>) =>
    change(id, (database) => {
      findUser(database, name);
      return {
        users: database.users.map((each) => (each.name === name ? { ...each, ...changes } : each)),
      };
    });

  app.get<DatabasePath>(users, (request) => {
    const database = findDatabase(store, request.params.database);
    return paginate(
      request,
      "users",
      database.users.map((user) => userView(database, user)),
    );
  });

  app.post<DatabasePath>(users, async (request, reply) => {
    const { name, settings: wanted } = parse(userInput, request.body);
    const id = request.params.database;
    await change(
      id,
      (database) => {
        if (database.engine === "pg" && reservedNames.includes(name))
          throw unprocessable(`user name ${name} is reserved`);
        if (database.users.some((each) => each.name === name))
          throw conflict(`user ${name} already exists`);
        return { users: [...database.users, newUser(name, wanted?.pg_allow_replication ?? false)] };
      },
      (database) => withoutUser(database, name),
    );
    return reply.code(201).send(userAnswer(id, name));
  });

  app.get<UserPath>(`${users}/:user`, ({ params }) => userAnswer(params.database, params.user));

  app.put<UserPath>(`${users}/:user`, async (request, reply) => {
    const { database: id, user } = request.params;
    const { settings: wanted } = parse(z.object({ settings }), request.body);
    await changeUser(id, user, { allowReplication: wanted?.pg_allow_replication ?? false });
    return reply.code(201).send(userAnswer(id, user));
  });

  app.post<UserPath>(`${users}/:user/reset_auth`, async ({ params }) => {
    await changeUser(params.database, params.user, { password: newPassword() });
    return userAnswer(params.database, params.user);
  });

  app.delete<UserPath>(`${users}/:user`, async (request, reply) => {
    const { database: id, user: name } = request.params;
    await change(id, (database) => {
      findUser(database, name);
      if (name === facts[database.engine].administrator)
        throw unprocessable("the default user cannot be deleted");
      const pool = database.pools.find(({ user }) => user === name);
      if (pool) throw unprocessable(`user ${name} is used by connection pool ${pool.name}`);
      return withoutUser(database, name);
    });
    return reply.code(204).send();
  });

  const requirePg = (engine: Engine) => {
    if (engine !== "pg") throw preconditionFailed(`databases are not supported for ${engine}`);
  };
  const withoutDb = ({ databases: all }: DatabaseRecord, name: string) => ({
    databases: all.filter((each) => each !== name),
  });
  const requireDb = (database: DatabaseRecord, name: string) => {
    if (!database.databases.includes(name)) throw notFound();
    return { db: { name } };
  };

  app.get<DatabasePath>(dbs, (request) => {
    const { engine, databases: all } = findDatabase(store, request.params.database);
    requirePg(engine);
    return paginate(
      request,
      "dbs",
      all.map((name) => ({ name })),
    );
  });

  app.post<DatabasePath>(dbs, async (request, reply) => {
    const { name } = parse(dbInput, request.body);
    await change(
      request.params.database,
      (database) => {
        requirePg(database.engine);
        if (reservedNames.includes(name)) throw unprocessable(`database name ${name} is reserved`);
        if (database.databases.includes(name)) throw conflict(`database ${name} already exists`);
        return { databases: [...database.databases, name] };
      },
      (database) => withoutDb(database, name),
    );
    return reply.code(201).send({ db: { name } });
  });

  app.get<DbPath>(`${dbs}/:db`, ({ params }) =>
    requireDb(findDatabase(store, params.database), params.db),
  );

  app.delete<DbPath>(`${dbs}/:db`, async (request, reply) => {
    const { database: id, db: name } = request.params;
    await change(id, (database) => {
      requireDb(database, name);
      if (name === facts[database.engine].defaultDatabase)
        throw unprocessable("the default database cannot be deleted");
      const pool = database.pools.find((each) => each.database === name);
      if (pool) throw unprocessable(`database ${name} is used by connection pool ${pool.name}`);
      return withoutDb(database, name);
    });
    return reply.code(204).send();
  });
}
