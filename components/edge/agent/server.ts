import { rmSync } from "node:fs";
import { type RequestListener, type Server, createServer } from "node:http";
import { join } from "node:path";
import type { EdgeSettings } from "../settings";
import type { Agent } from "./agent";

const CHALLENGE_PREFIX = "/.well-known/acme-challenge/";

/** Answers the ACME server's question, or 404. */
export function challengeListener(challenges: ReadonlyMap<string, string>): RequestListener {
  return (request, response) => {
    const path = request.url ?? "";
    const answer = path.startsWith(CHALLENGE_PREFIX)
      ? challenges.get(path.slice(CHALLENGE_PREFIX.length))
      : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "text/plain" });
    response.end(answer ?? "no such challenge\n");
  };
}

/**
 * `/livez`: 200 while HAProxy runs what the settings say (Docker's health check; 503 makes a deploy fail with the reason).
 * `/healthz`: 503 as soon as an alarm is on. `/status`: everything, as JSON.
 */
export function statusListener(agent: Pick<Agent, "status">): RequestListener {
  return (request, response) => {
    const status = agent.status();
    const answers: Record<string, readonly [number, unknown]> = {
      "/livez": [status.proxy.applied ? 200 : 503, status.proxy],
      "/healthz": [
        status.proxy.applied && status.alarms.length === 0 ? 200 : 503,
        { proxy: status.proxy, alarms: status.alarms },
      ],
      "/status": [200, status],
    };
    const [code, body] = answers[request.url ?? ""] ?? [404, { error: "no such page" }];
    response.writeHead(code, { "content-type": "application/json" });
    response.end(`${JSON.stringify(body, null, 2)}\n`);
  };
}

/** Opens both servers: challenges on the unix socket that HAProxy knows, status on loopback. */
export async function listen(
  settings: EdgeSettings,
  challenges: RequestListener,
  status: RequestListener,
): Promise<Server[]> {
  const socket = join(settings.runDir, "agent.sock");
  rmSync(socket, { force: true });
  return Promise.all([
    listening(createServer(challenges), (server, done) => server.listen(socket, done)),
    listening(createServer(status), (server, done) =>
      server.listen(settings.listen.agent, "127.0.0.1", done),
    ),
  ]);
}

function listening(
  server: Server,
  start: (server: Server, done: () => void) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    start(server, () => resolve(server));
  });
}
