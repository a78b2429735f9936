import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Address that the client connects from. @default 127.0.0.1 */
  readonly from?: string;
  /** @default a connection of its own */
  readonly agent?: Agent;
}

export function ask(port: number, path: string, options: Ask = {}): Promise<Answer> {
  const { method = "GET", headers, from = "127.0.0.1", agent } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        localAddress: from,
        agent: agent ?? false,
        ...(headers && { headers }),
      },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
        response.once("error", reject);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(method === "POST" ? "body" : undefined);
  });
}

const loads = new Set<Load>();
// A test that failed has not stopped its own: on and on against nobody, it would keep the whole run from ending.
afterAll(() => Promise.all([...loads].map((load) => load.stop())));

/** Clients that ask for the same path again and again until told to stop, with every answer counted. */
export class Load {
  /** Statuses and error messages, with how often each came. */
  readonly answers: Record<string, number> = {};
  private running = true;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly clients: Promise<void>[];

  constructor(port: number, path: string) {
    const kinds: Ask[] = [
      {},
      { method: "POST" },
      { agent: this.agent },
      { agent: this.agent, method: "POST" },
    ];
    loads.add(this);
    this.clients = kinds.map((kind) => this.client(port, path, kind));
  }

  get total(): number {
    return Object.values(this.answers).reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<Record<string, number>> {
    this.running = false;
    loads.delete(this);
    await Promise.all(this.clients);
    this.agent.destroy();
    return this.answers;
  }

  private async client(port: number, path: string, kind: Ask): Promise<void> {
    while (this.running) {
      const outcome = await ask(port, path, kind).then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      );
      this.answers[outcome] = (this.answers[outcome] ?? 0) + 1;
    }
  }
}
