import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { freePort } from "../../scripts/bench/free-port";

/** One request as a task saw it. */
export interface Seen {
  readonly task: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/**
 * Tasks of one app, on loopback addresses of their own and one port, as on an overlay network.
 *
 * `/slow` answers when `release` is called, `/cached/…` with the `Cache-Control` of the query string.
 */
export class Tasks {
  readonly seen: Seen[] = [];
  /** Addresses of tasks that break the connection instead of answering anything but health checks. */
  readonly broken = new Set<string>();
  /** Addresses of tasks that answer, but fail their health check. */
  readonly unwell = new Set<string>();
  private readonly servers = new Map<string, Server>();
  private readonly held: (() => void)[] = [];
  private answers = 0;

  private constructor(readonly port: number) {}

  static async start(addresses: readonly string[]): Promise<Tasks> {
    const port = await freePort();
    const tasks = new Tasks(port);
    await Promise.all(addresses.map((address) => tasks.add(address)));
    return tasks;
  }

  async add(address: string): Promise<void> {
    const server = createServer((request, response) => this.answer(address, request, response));
    this.servers.set(address, server);
    await new Promise<void>((resolve) => server.listen(this.port, address, resolve));
  }

  /** Ends a task as the sample app ends: what is in flight is finished. */
  async remove(address: string): Promise<void> {
    const server = this.servers.get(address);
    this.servers.delete(address);
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  }

  /** Answers every slow request. */
  release(): void {
    for (const answer of this.held.splice(0)) answer();
  }

  get slow(): number {
    return this.held.length;
  }

  stop(): void {
    for (const server of this.servers.values()) {
      server.close();
      server.closeAllConnections();
    }
  }

  private answer(task: string, request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = new URL(request.url ?? "/", "http://task");
    const isHealth = url.pathname === "/healthz";
    if (!isHealth) {
      const { method = "", headers } = request;
      this.seen.push({ task, method, path: url.pathname, headers });
    }
    if (this.unwell.has(task) && isHealth) response.statusCode = 500;
    if (this.broken.has(task) && !isHealth) return void request.socket.destroy();
    const cacheControl = url.searchParams.get("control");
    if (cacheControl !== null) response.setHeader("cache-control", cacheControl);
    const cookie = url.searchParams.get("cookie");
    if (cookie !== null) response.setHeader("set-cookie", cookie);
    if (url.pathname === "/slow") this.held.push(() => response.end(task));
    else response.end(url.pathname.startsWith("/cached") ? `copy ${++this.answers}` : task);
  }
}
