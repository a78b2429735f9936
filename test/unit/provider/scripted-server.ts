import * as http from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Status and JSON; several lines of it where it is a `Stream`. */
export type Answer = readonly [number, unknown];

/** JSON values, one a line, as the Docker Engine reports progress. */
export class Stream {
  constructor(readonly lines: readonly unknown[]) {}
}

/** An HTTP server that answers as it is told, by `GET /path`, and remembers what it was asked. Else it is 404. */
export class ScriptedServer {
  readonly asked: Asked[] = [];
  private readonly server = http.createServer();

  private constructor(answers: Readonly<Record<string, Answer | ((asked: Asked) => Answer)>>) {
    this.server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const asked = { method, url, headers, body };
        this.asked.push(asked);
        const scripted = answers[`${method} ${url.split("?")[0] ?? ""}`];
        const [status, answer] =
          typeof scripted === "function" ? scripted(asked) : (scripted ?? [404, { message: "no" }]);
        const lines = answer instanceof Stream ? answer.lines : [answer];
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          status === 204 ? "" : lines.map((line) => `${JSON.stringify(line)}\r\n`).join(""),
        );
      });
    });
  }

  static async start(
    answers: Readonly<Record<string, Answer | ((asked: Asked) => Answer)>>,
  ): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(answers);
    await new Promise<void>((resolve) => scripted.server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  requests(method: string, start = "/"): Asked[] {
    return this.asked.filter((one) => one.method === method && one.url.startsWith(start));
  }

  /** The JSON bodies of these requests. */
  bodies(method: string, start = "/"): unknown[] {
    return this.requests(method, start).map(({ body }) => JSON.parse(body) as unknown);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
