import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { RequestError } from "./body";
import type { Database } from "./database";
import type { Files } from "./files";
import { renderErrorPage } from "./page";
import { type Answer, type Route, type Shown, appRoutes } from "./routes";
import type { Sessions } from "./sessions";

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
};

/** The request handler of the app: HTML for people, the same under `/api` as JSON. */
export function createApp(
  database: Database,
  sessions: Sessions,
  files: Files | undefined,
  shown: Shown,
) {
  const routes = appRoutes(database, sessions, files, shown);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? "/", "http://app").pathname;
    const wantsJson = path.startsWith("/api/") || path === "/healthz";
    try {
      await send(response, await dispatch(routes, path, request));
    } catch (error) {
      sendError(response, error, wantsJson);
    }
  };
}

async function dispatch(
  routes: readonly Route[],
  path: string,
  request: IncomingMessage,
): Promise<Answer> {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const matching = routes.filter((route) => route.path.test(path));
  const route = matching.find((one) => one.method === method);
  const match = route?.path.exec(path);
  if (route && match) return route.handle(request, match[1] ?? "");
  throw matching.length > 0
    ? new RequestError(405, `use ${matching.map((one) => one.method).join(" or ")} here`)
    : new RequestError(404, "there is no such page");
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if (answer.cookie !== undefined) response.setHeader("set-cookie", answer.cookie);
  if ("seeOther" in answer) {
    response.writeHead(303, { ...HEADERS, location: answer.seeOther }).end();
  } else if ("html" in answer) {
    response
      .writeHead(200, { ...HEADERS, "content-type": "text/html; charset=utf-8" })
      .end(answer.html);
  } else if ("file" in answer) {
    const { file, name } = answer;
    response.writeHead(200, {
      ...HEADERS,
      // What somebody uploaded is never shown as a page of ours.
      "content-disposition": `attachment; filename="${name}"`,
      "x-content-type-options": "nosniff",
      "content-type": file.type,
      "content-length": file.size,
    });
    await pipeline(Readable.fromWeb(file.body as ReadableStream), response);
  } else {
    response
      .writeHead(answer.status ?? 200, { ...HEADERS, "content-type": "application/json" })
      .end(`${JSON.stringify(answer.json)}\n`);
  }
}

/** The database's own words go to the log, never to the client. */
function sendError(response: ServerResponse, error: unknown, json: boolean): void {
  const known = error instanceof RequestError;
  const status = known ? error.status : 503;
  const message = known
    ? error.message
    : "The database does not answer right now. Please try again.";
  if (!known) console.error(error instanceof Error ? error.message : error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // The rest of a body that was refused is not read, so the connection cannot be used again.
  if (status === 413) response.setHeader("connection", "close");
  const type = json ? "application/json" : "text/html; charset=utf-8";
  response
    .writeHead(status, { ...HEADERS, "content-type": type })
    .end(json ? `${JSON.stringify({ error: message })}\n` : renderErrorPage(status, message));
}
