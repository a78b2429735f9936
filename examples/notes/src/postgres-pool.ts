import {
  type ClientBase,
  Pool,
  type PoolClient,
  type PoolConfig,
  type QueryResult,
  type QueryResultRow,
} from "pg";

/** `admin_shutdown`: the server ended the session, and kept nothing of what it had not answered. */
const SESSION_ENDED = "57P01";

/** What is known when a connection just ends: nothing of what became of the statement. */
const CONNECTION_LOST = /^(Connection terminated|Client has encountered a connection error)/;
const LOST_CODES = new Set(["ECONNRESET", "EPIPE", "08P01"]);

/**
 * A connection pool that asks again when a session ended. A server that restarts, a failover and a move of the data end every session, some
 * of them in the moment in which a statement is sent. Behind PgBouncer, which keeps new sessions waiting meanwhile, no visitor needs to notice.
 */
export class PostgresPool {
  private readonly pool: Pool;
  /** Each connection of the pool may have ended, and the one after them is new. */
  private readonly attempts: number;
  /** The first word about the end of a connection. */
  private readonly ended = new WeakMap<ClientBase, Error>();

  constructor(config: PoolConfig & { readonly max: number }) {
    this.pool = new Pool(config);
    this.attempts = config.max + 1;
    // An idle connection that breaks must not end the process: the next query opens another.
    this.pool.on("error", (error) => console.error(`idle database connection: ${error.message}`));
    // One that is in use is told between two statements, when no query is there to fail; a pooler adds words of its own.
    this.pool.on("connect", (client) =>
      client.on("error", (error) => this.ended.has(client) || this.ended.set(client, error)),
    );
  }

  /** A statement that changes nothing: asked again whenever the connection ended. */
  read<Row extends QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    return this.again(() => this.pool.query<Row>(text, values && [...values]), isLost);
  }

  /** Any statement: asked again only when the server said that nothing of it was kept. */
  query<Row extends QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    return this.again(() => this.pool.query<Row>(text, values && [...values]), isUndone);
  }

  /** Commits what `work` does, or nothing of it. The whole of it is done again when the server said that nothing was kept. */
  transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.again(() => this.transactionOnce(work), isUndone);
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  private async transactionOnce<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      client.release();
      return result;
    } catch (error) {
      const cause = [error, this.ended.get(client)].find(isUndone) ?? error;
      // A connection that cannot even roll back is of no use to anybody.
      await client.query("ROLLBACK").then(
        () => client.release(),
        (broken: Error) => client.release(broken),
      );
      throw cause;
    }
  }

  private async again<T>(ask: () => Promise<T>, mayRepeat: (error: unknown) => boolean) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt === this.attempts || !mayRepeat(error)) throw error;
      }
    }
  }
}

const isUndone = (error: unknown) =>
  (error as { code?: unknown } | undefined)?.code === SESSION_ENDED;

function isLost(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return isUndone(error) || LOST_CODES.has(code ?? "") || CONNECTION_LOST.test(message ?? "");
}
