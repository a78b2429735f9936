/** What Droplets reach of a drill's own process: who is told of alarms, and a place for backups that can fall silent. */
import {
  createServer,
  type IncomingMessage,
  request as pass,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Watched } from "./alarm";
import type { Ground } from "./ground";

const ALARM = "/alarm";
const HEARTBEAT = "/heartbeat";

const alarm = z.object({ text: z.string() });

export class Doorway {
  /** What the webhook was told. */
  private readonly alarms: string[] = [];
  /** How often the heartbeat was asked for. */
  heartbeats = 0;
  private isSilent = false;
  private url = "";

  private constructor(
    private readonly server: Server,
    private readonly place: URL,
  ) {}

  /** Begins to listen, and has the drill's Droplets led there. */
  static async open(ground: Ground): Promise<Doorway> {
    const { SPACES_ENDPOINT_URL } = await ground.spaces();
    const server = createServer();
    const doorway = new Doorway(server, new URL(SPACES_ENDPOINT_URL));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === ALARM) void doorway.hear(request, response);
      else if (request.url === HEARTBEAT) doorway.beat(response);
      else doorway.passOn(request, response);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    // A drill that ends before its time need not close it.
    server.unref();
    doorway.url = await ground.leadDropletsTo((server.address() as AddressInfo).port);
    return doorway;
  }

  /** For Droplets: an S3 server, which is the account's. */
  get endpoint(): string {
    return this.url;
  }

  /** For Droplets. */
  get webhook(): string {
    return `${this.url}${ALARM}`;
  }

  /** For Droplets. */
  get heartbeat(): string {
    return `${this.url}${HEARTBEAT}`;
  }

  /** The webhook, and the place that answers nobody when it shall not. */
  readonly watched: Watched = {
    heard: () => Promise.resolve(this.alarms),
    silence: (isSilent) => {
      this.isSilent = isSilent;
      return Promise.resolve();
    },
  };

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.alarms.push(alarm.parse(JSON.parse(Buffer.concat(chunks).toString())).text);
    response.writeHead(204).end();
  }

  private beat(response: ServerResponse): void {
    this.heartbeats += 1;
    response.writeHead(204).end();
  }

  /** With the name of the host that was signed. */
  private passOn(request: IncomingMessage, response: ServerResponse): void {
    if (this.isSilent) {
      request.socket.destroy();
      return;
    }
    const { hostname, port } = this.place;
    const { method, url: path, headers } = request;
    const through = pass({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    through.on("error", () => response.destroy());
    request.pipe(through);
  }
}
