import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PostgresPool } from "../../../examples/notes/src/postgres-pool";
import { Postgres, postgresBin } from "./harness";

const bin = postgresBin();
if (!bin) console.warn("SKIPPED the sample app's pool: no server (apt-get install postgresql-15)");

(bin ? describe : describe.skip)("a pool whose sessions end", () => {
  let postgres: Postgres;
  let pool: PostgresPool;

  beforeAll(async () => {
    postgres = await Postgres.start(bin ?? "");
    pool = new PostgresPool({ connectionString: postgres.url, max: 2 });
    // Counts tries, for a sequence takes no part in transactions, and ends the session in the first ones.
    await pool.query(`CREATE FUNCTION ended_before(tries bigint) RETURNS bigint LANGUAGE plpgsql AS $$
      DECLARE try bigint := nextval('tries');
      BEGIN
        IF try < tries THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); END IF;
        RETURN try;
      END $$`);
    await pool.query("CREATE TABLE written (try bigint)");
  }, 60_000);
  beforeEach(() =>
    pool.query("DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries; TRUNCATE written"),
  );
  afterAll(async () => {
    await pool.end();
    postgres.stop();
  });

  const written = async () => (await pool.read("SELECT try FROM written")).rows;

  it("asks again, over each connection that it may have and a new one", async () => {
    await pool.query("INSERT INTO written SELECT ended_before(3)");
    expect(await written()).toEqual([{ try: "3" }]);
  });

  it("gives up where a new session ends, too", async () => {
    await expect(pool.query("INSERT INTO written SELECT ended_before(100)")).rejects.toMatchObject({
      code: "57P01",
    });
    expect(await written()).toEqual([]);
  });

  it("does a transaction again as a whole, and one that ended between two statements", async () => {
    let times = 0;
    const result = await pool.transaction(async (client) => {
      times += 1;
      await client.query("INSERT INTO written VALUES ($1)", [times]);
      if (times === 1) await client.query("SELECT ended_before(2)");
      if (times === 2) {
        const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const ended = new Promise((resolve) => client.once("end", resolve));
        await pool.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
        await ended;
        await client.query("SELECT 1");
      }
      return "done";
    });
    expect([result, times]).toEqual(["done", 3]);
    expect(await written()).toEqual([{ try: "3" }]);
  });

  it("tells every other error as it is, and keeps nothing of the transaction", async () => {
    const failing = pool.transaction(async (client) => {
      await client.query("INSERT INTO written VALUES (1)");
      await client.query("SELECT 1 / 0");
    });
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    expect(await written()).toEqual([]);
  });

  it("reads again after a connection that just broke, and writes nothing a second time", async () => {
    const { port, broken, close } = await breaking(Number(new URL(postgres.url).port));
    const direct = new URL(postgres.url);
    direct.port = String(port);
    const unsteady = new PostgresPool({ connectionString: direct.href, max: 2 });
    try {
      expect((await unsteady.read("SELECT 'broken twice' AS it")).rows).toEqual([
        { it: "broken twice" },
      ]);
      expect(broken()).toBe(2);
      const writing = unsteady.query("INSERT INTO written SELECT 1 /* broken four times */");
      await expect(writing).rejects.toThrow(/Connection terminated|ECONNRESET|EPIPE/);
      expect(broken()).toBe(3);
    } finally {
      await unsteady.end();
      close();
    }
  });
});

/** A way to a server on which connections break without a word: at the first statements that say so, two and then two more. */
async function breaking(to: number) {
  let broken = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = connect(to, "127.0.0.1");
    for (const socket of [client, onward]) sockets.add(socket.on("error", () => undefined));
    onward.pipe(client);
    client.on("data", (chunk: Buffer) => {
      const most = chunk.includes("broken twice") ? 2 : chunk.includes("broken four times") ? 4 : 0;
      if (broken >= most) return onward.write(chunk);
      broken += 1;
      onward.destroy();
      return client.destroy();
    });
    client.on("close", () => onward.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    broken: () => broken,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
