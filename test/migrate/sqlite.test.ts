import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteFile } from "../../scripts/migrate/sqlite/file";
import { load, readTarget } from "../../scripts/migrate/sqlite/load";
import { type Choices, preflight } from "../../scripts/migrate/sqlite/preflight";
import { DJANGO, EF_CORE, GITEA, HOME_ASSISTANT, NEXTCLOUD, RAILS } from "./fixtures";
import { PostgresServer } from "./servers";

let server: PostgresServer;
let dir: string;
let count = 0;

beforeAll(async () => {
  server = await PostgresServer.start();
  dir = mkdtempSync(join(tmpdir(), "migrate-sqlite-"));
}, 60_000);
afterAll(() => {
  server.stop();
  rmSync(dir, { recursive: true, force: true });
});

function sqlite(sql: string): string {
  const file = join(dir, `${count++}.db`);
  const { status, stderr } = spawnSync("sqlite3", ["-bail", file], { input: sql });
  if (status !== 0) throw new Error(stderr.toString());
  return file;
}

const NOTHING: Choices = { wishes: {}, without: [], replace: false };

async function newDatabase(): Promise<string> {
  const name = `db${count++}`;
  await server.database(name);
  return name;
}

/** Everything that the command does with a file, but for what it prints. */
async function migrate(
  file: string,
  database: string,
  choices: Partial<Choices> = {},
  rehearse = false,
) {
  return SqliteFile.copyOf(file, async (copy) => {
    const psql = server.psql(database);
    try {
      const look = await preflight(
        copy,
        (names) => readTarget(psql, names),
        { ...NOTHING, ...choices },
        () => undefined,
      );
      const said = (list: typeof look.faults) => list.map(({ at, says }) => `${at} ${says}`);
      const faults = said(look.faults);
      const tables =
        faults.length > 0 ? [] : await load(copy, psql, look, rehearse, () => undefined);
      return { tables, faults, notes: said(look.notes) };
    } finally {
      await psql.end();
    }
  });
}

async function ask(database: string, sql: string): Promise<string[]> {
  const psql = server.psql(database);
  try {
    return await psql.run(sql);
  } finally {
    await psql.end();
  }
}

const typesOf = (table: string) =>
  `SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
   WHERE attrelid = '${table}'::regclass AND attnum > 0 ORDER BY attnum;`;

test("a Django file arrives with the types that Django has on PostgreSQL, keys, indexes and counters", async () => {
  const database = await newDatabase();
  const { faults, tables } = await migrate(sqlite(DJANGO), database);
  expect(faults).toEqual([]);
  expect(tables.map(({ table, rows }) => `${table} ${rows}`)).toEqual([
    "django_migrations 1",
    "auth_user 2",
    "shop_order 3",
  ]);
  expect(await ask(database, typesOf("shop_order"))).toEqual([
    "id uuid",
    "total numeric",
    "paid boolean",
    "day date",
    "slot time without time zone",
    "meta jsonb",
    "picture bytea",
    "weight double precision",
    "count bigint",
    "note text",
    "user_id bigint",
    "parent_id uuid",
  ]);
  const [row] = await ask(
    database,
    `SELECT json_agg(o ORDER BY id)->0 FROM shop_order o WHERE id::text LIKE '%2';`,
  );
  expect(JSON.parse(row ?? "")).toMatchObject({
    total: 19.99,
    paid: true,
    slot: "08:30:00",
    meta: { b: [1, 2.5, 1000, { ä: "é\n" }], a: null, longer: true },
    picture: "\\x00ff0a5c09",
    note: 'tab\tline\nback\\slash "quote" äöü 😀',
  });
  // AUTOINCREMENT had given out 41.
  expect(await ask(database, "SELECT nextval(pg_get_serial_sequence('auth_user', 'id'));")).toEqual(
    ["42"],
  );
  const keys = await ask(
    database,
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'shop_order'::regclass ORDER BY 1;",
  );
  expect(keys).toEqual([
    "FOREIGN KEY (parent_id) REFERENCES shop_order(id) DEFERRABLE INITIALLY DEFERRED",
    "FOREIGN KEY (user_id) REFERENCES auth_user(id) DEFERRABLE INITIALLY DEFERRED",
    "PRIMARY KEY (id)",
  ]);
  const [index] = await ask(database, "SELECT pg_get_indexdef('one_open_order'::regclass);");
  expect(index).toContain(
    "UNIQUE INDEX one_open_order ON public.shop_order USING btree (user_id, day) WHERE (NOT paid)",
  );
});

test("a Rails file arrives; what is otherwise in PostgreSQL is named", async () => {
  const database = await newDatabase();
  const { faults, notes } = await migrate(sqlite(RAILS), database);
  expect(faults).toEqual([]);
  expect(await ask(database, typesOf("users"))).toEqual([
    "id bigint",
    "email character varying",
    "admin boolean",
    "active boolean",
    "balance numeric(10,2)",
    "rate double precision",
    "avatar bytea",
    "settings jsonb",
    "born_on date",
    "created_at timestamp without time zone",
  ]);
  expect(
    await ask(
      database,
      "INSERT INTO users (created_at) VALUES (now()) RETURNING id, admin, active, balance, email;",
    ),
  ).toEqual(["5|f|t|0.00|"]);
  expect(notes.join("\n")).toContain(
    "users, index index_users_on_email compares without case: in PostgreSQL it is an index of lower(email)",
  );
  expect(notes.join("\n")).toContain(
    "posts.title was declared varchar(20), its longest text has 36 characters: text",
  );
});

test("a Gitea-like file arrives: 64-bit numbers, times with offsets, tables without row numbers", async () => {
  const database = await newDatabase();
  const { faults } = await migrate(sqlite(GITEA), database, {
    wishes: { "user.created_unix": "timestamptz" },
  });
  expect(faults).toEqual([]);
  expect(
    await ask(database, `SET timezone TO 'UTC'; SELECT size, updated FROM repository ORDER BY id;`),
  ).toEqual([
    "9223372036854775807|2024-03-01 10:11:12+00",
    "-9223372036854775808|2024-03-01 10:11:12.5+00",
  ]);
  expect(
    await ask(database, `SET timezone TO 'UTC'; SELECT created_unix FROM "user" WHERE id = 1;`),
  ).toEqual(["2024-03-01 10:11:12+00"]);
});

test.each([
  {
    app: "Home Assistant",
    schema: HOME_ASSISTANT,
    table: "states",
    types:
      "state_id bigint, entity_id text, state character varying(255), attributes text, event_id bigint, last_changed text, last_updated_ts double precision, old_state_id bigint, context_id_bin bytea, metadata_id bigint",
  },
  {
    app: "Nextcloud",
    schema: NEXTCLOUD,
    table: "oc_filecache",
    types:
      "fileid bigint, storage bigint, path character varying(4000), path_hash character varying(32), size bigint, encrypted bigint, ratio double precision, etag text",
  },
  {
    app: "ASP.NET",
    schema: EF_CORE,
    table: '"AspNetUsers"',
    types:
      "Id text, UserName text, EmailConfirmed bigint, LockoutEnd text, Balance text, Avatar bytea",
  },
])("a file with the odd types of $app arrives whole", async ({ schema, table, types }) => {
  const database = await newDatabase();
  const { faults, tables } = await migrate(sqlite(schema), database);
  expect(faults).toEqual([]);
  expect(tables.length).toBeGreaterThan(1);
  expect((await ask(database, typesOf(table))).join(", ")).toBe(types);
});

test("what PostgreSQL cannot hold stops the migration before it starts, by table, column and row", async () => {
  const database = await newDatabase();
  const file = sqlite(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, day DATE, size INTEGER, price DECIMAL(10,2), at DATETIME);
    INSERT INTO t VALUES (1, 'a' || char(0) || 'b', '2024-02-31', 'many', 1.239, '2024-02-31 10:00:00');
    INSERT INTO t VALUES (2, CAST(x'c328' AS TEXT), '2024-02-29', 'm' || char(0), 1.2, '2024-02-29 10:00:00.1234567');
    CREATE TABLE child (t_id INTEGER REFERENCES t (id));
    INSERT INTO child VALUES (99);
    CREATE VIRTUAL TABLE found USING fts5(body);
    CREATE VIEW v AS SELECT 1;
    CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;`);
  const { faults, notes } = await migrate(file, database);
  const all = faults.join("\n");
  expect(all).toContain("t.name 1 texts have a NUL byte");
  expect(all).toContain("t.name is not UTF-8 in the row with rowid 2");
  expect(all).toContain("t.day 1 values are no date");
  expect(all).toContain("t.size 2 values are no integer");
  expect(all).toContain("t.at 1 values are no datetime");
  expect(all).toContain("t.price 1 values have more digits behind the point than decimal(10,2)");
  expect(all).toContain("child 1 rows refer to rows of t that are not there");
  expect(all).toContain("found is a virtual table");
  expect(notes).toEqual(
    expect.arrayContaining([
      "v is a view: it is not carried over",
      "tr is a trigger: it is not carried over",
    ]),
  );
  expect(
    await ask(
      database,
      "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace;",
    ),
  ).toEqual(["0"]);
});

test("texts of every length and with every character arrive as they are, what COPY and psql take for signs of theirs too", async () => {
  const database = await newDatabase();
  const wide = Array.from({ length: 150 }, (_, place) => `c${place}`);
  const file = sqlite(`
    CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT, more TEXT);
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 70)
    INSERT INTO texts SELECT i, substr('ä€😀x' || replace(hex(zeroblob(40)), '0', 'b'), 1, i), NULL FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 255)
    INSERT INTO texts SELECT 100 + i, 'a' || char(i) || 'b', char(i) FROM n;
    INSERT INTO texts VALUES (500, '\\N', ''), (501, char(10) || '\\.' || char(10), '\\'), (502, 1.5, 2);
    UPDATE texts SET more = NULL WHERE id = 502;
    CREATE TABLE wide (${wide.join(", ")});
    INSERT INTO wide (c0, c99, c149) VALUES (1, 'x', NULL), (2, NULL, 'y');`);
  const { faults, tables } = await migrate(file, database);
  expect(faults).toEqual([]);
  expect(tables.map(({ rows }) => rows)).toEqual([329, 2]);
  const { stdout } = spawnSync("sqlite3", [
    file,
    "SELECT id, hex(text), iif(more IS NULL, 'none', hex(more)) FROM texts ORDER BY id",
  ]);
  expect(
    await ask(
      database,
      "SELECT id, upper(encode(convert_to(text, 'UTF8'), 'hex')), coalesce(upper(encode(convert_to(more, 'UTF8'), 'hex')), 'none') FROM texts ORDER BY id;",
    ),
  ).toEqual(stdout.toString().trim().split("\n"));
  expect(await ask(database, "SELECT c0, c99, c149 FROM wide ORDER BY 1;")).toEqual([
    "1|x|",
    "2||y",
  ]);
});

test("a rehearsal leaves nothing behind, also where the target has the tables", async () => {
  const database = await newDatabase();
  await ask(
    database,
    "CREATE TABLE session (key text PRIMARY KEY, data bytea, expiry int); INSERT INTO session VALUES ('old');",
  );
  const { faults, tables } = await migrate(sqlite(GITEA), database, { replace: true }, true);
  expect(faults).toEqual([]);
  expect(tables).toHaveLength(4);
  expect(await ask(database, "SELECT key FROM session;")).toEqual(["old"]);
  expect(
    await ask(
      database,
      "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information)';",
    ),
  ).toEqual(["1"]);
});

test("tables that the app has made already keep their definition and get the file's rows, if asked", async () => {
  const database = await newDatabase();
  await ask(
    database,
    `CREATE TABLE users (id serial PRIMARY KEY, email varchar(99) NOT NULL, admin boolean, active boolean, balance numeric(12,4), rate real,
       avatar bytea, settings json, born_on date, created_at timestamptz, extra text DEFAULT 'x');
     CREATE TABLE posts (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, title text, state smallint);
     CREATE TABLE likes (post_id int REFERENCES posts);
     CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END';
     CREATE TRIGGER t BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION no();`,
  );
  const file = sqlite(RAILS);
  const refused = await migrate(file, database);
  expect(refused.faults[0]).toContain("users is in the target already, with 0 rows: --replace");
  const { faults } = await migrate(file, database, { replace: true });
  expect(faults).toEqual([]);
  expect(
    await ask(database, "SELECT id, email, balance, rate, extra FROM users ORDER BY id;"),
  ).toEqual(["3|Ada@example.com|10.5000|3.14159|x", "4|grace@example.com|-0.0100||x"]);
  expect(await ask(database, "SELECT nextval('users_id_seq');")).toEqual(["5"]);
  await expect(ask(database, "INSERT INTO posts VALUES (5, 999);")).rejects.toThrow("fired");
  expect(
    await ask(database, "SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1;"),
  ).toEqual(["likes_post_id_fkey", "posts_user_id_fkey"]);
});

test("one changed value is found, and nothing is kept", async () => {
  const database = await newDatabase();
  await ask(
    database,
    `CREATE TABLE session (key text, data bytea, expiry bigint);
     CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.expiry := NEW.expiry + 1; RETURN NEW; END';
     CREATE TRIGGER t BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION meddle();
     ALTER TABLE session ENABLE ALWAYS TRIGGER t;
     INSERT INTO session VALUES ('old');`,
  );
  // Not a trigger of the user's own making alone: the constraint is that the sums differ, whatever changed the value.
  const spoilt = SqliteFile.copyOf(sqlite(GITEA), async (copy) => {
    const psql = server.psql(database);
    const look = await preflight(
      copy,
      (names) => readTarget(psql, names),
      { ...NOTHING, replace: true },
      () => undefined,
    );
    const run = psql.run.bind(psql);
    psql.run = (sql) => run(sql.replace(/ALTER TABLE "session" DISABLE TRIGGER USER;/, ""));
    try {
      await load(copy, psql, look, false, () => undefined);
    } finally {
      await psql.end();
    }
  });
  await expect(spoilt).rejects.toThrow(
    "The table session has 1 rows, of which some are not what the file has",
  );
  expect(await ask(database, "SELECT key FROM session;")).toEqual(["old"]);
});

test("a session that is killed in the middle leaves the target as it was, and the next run does it all", async () => {
  const database = await newDatabase();
  const file = sqlite(`
    CREATE TABLE numbers (id INTEGER PRIMARY KEY, text TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO numbers SELECT i, 'text of row ' || i || ' that is long enough to fill some buffers' FROM n;`);
  const killed = SqliteFile.copyOf(file, async (copy) => {
    let kill: () => void = () => undefined;
    const psql = server.psql(database, database, (child) => (kill = () => child.kill("SIGKILL")));
    const look = await preflight(
      copy,
      (names) => readTarget(psql, names),
      NOTHING,
      () => undefined,
    );
    await load(copy, psql, look, false, ({ rows }) => rows > 0 && kill());
  });
  await expect(killed).rejects.toThrow();
  expect(await ask(database, "SELECT count(*) FROM pg_class WHERE relname = 'numbers';")).toEqual([
    "0",
  ]);
  const { tables } = await migrate(file, database);
  expect(tables).toMatchObject([{ table: "numbers", rows: 20000 }]);
});
