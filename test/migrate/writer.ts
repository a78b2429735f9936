import type { Pool } from "pg";

const running = new Set<Writer>();
// A test that failed has not stopped its own: on and on without a server, it would keep the whole run from ending.
afterAll(() => Promise.all([...running].map((writer) => writer.stop())));

/** An app that writes without a pause to `writes (id uuid)`, and remembers what was acknowledged. */
export class Writer {
  readonly acknowledged: string[] = [];
  readonly errors: string[] = [];
  private going = true;
  private readonly done: Promise<unknown>;

  constructor(private readonly pool: Pool) {
    running.add(this);
    this.done = Promise.all(Array.from({ length: 3 }, (_, index) => this.write(index)));
  }

  private async write(index: number) {
    while (this.going) {
      try {
        // One of the three in a transaction, as apps have them.
        const { rows } =
          index === 0 ? await this.inTransaction() : await this.pool.query<{ id: string }>(INSERT);
        this.acknowledged.push(rows[0]?.id ?? "");
      } catch (error) {
        this.errors.push((error as Error).message);
      }
    }
  }

  private async inTransaction() {
    const client = await this.pool.connect();
    const deaf = () => undefined;
    client.on("error", deaf);
    try {
      await client.query("BEGIN");
      const result = await client.query<{ id: string }>(INSERT);
      await client.query("COMMIT");
      client.removeListener("error", deaf);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async stop() {
    running.delete(this);
    this.going = false;
    await this.done;
    await this.pool.end();
  }
}

/** What an app hears of a session that was ended between its statements: PostgreSQL's word for it, the socket's, or the driver's. */
export const SESSION_ENDED = [
  "terminating connection due to administrator command",
  "Connection terminated unexpectedly",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
  "read ECONNRESET",
  "write EPIPE",
];

const INSERT = "INSERT INTO writes (id) VALUES (gen_random_uuid()) RETURNING id";
