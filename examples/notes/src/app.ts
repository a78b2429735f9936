import type { IncomingMessage, ServerResponse } from "node:http";
import { RequestError, readNoteText } from "./body";
import type { Database } from "./database";
import { renderErrorPage, renderPage } from "./page";
import type { Settings } from "./settings";

const NOTES_SHOWN = 100;
const HEALTH_TIMEOUT_MS = 2000;

/** What a handler answers: JSON, a page, or a redirect after a form. */
type Answer =
  | { readonly json: unknown; readonly status?: number }
  | { readonly html: string }
  | { readonly seeOther: string };

type Handler = (request: IncomingMessage, match: RegExpExecArray) => Promise<Answer>;

interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: RegExp;
  readonly handle: Handler;
}

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
};

/** The request handler of the app: HTML for people, the same under `/api` as JSON. */
export function createApp(
  database: Database,
  { node, version }: Pick<Settings, "node" | "version">,
) {
  const routes = appRoutes(database, { node, version });
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? "/", "http://app").pathname;
    const wantsJson = path.startsWith("/api/") || path === "/healthz";
    try {
      send(response, await dispatch(routes, path, request));
    } catch (error) {
      sendError(response, error, wantsJson);
    }
  };
}

function appRoutes(
  database: Database,
  shown: { readonly node: string; readonly version: string },
): Route[] {
  const deleteNote: Handler = async (_request, match) => {
    const id = Number(match[1]);
    if (!Number.isSafeInteger(id) || !(await database.deleteNote(id))) {
      throw new RequestError(404, "there is no such note");
    }
    return { json: { deleted: id } };
  };
  return [
    {
      method: "GET",
      path: /^\/$/,
      handle: async () => {
        const [counter, notes] = await Promise.all([
          database.counter(),
          database.notes(NOTES_SHOWN),
        ]);
        return { html: renderPage({ counter, notes, ...shown }) };
      },
    },
    {
      method: "GET",
      path: /^\/healthz$/,
      handle: async () => {
        await within(HEALTH_TIMEOUT_MS, database.ping());
        return { json: { status: "ok", ...shown } };
      },
    },
    { method: "GET", path: /^\/api\/info$/, handle: async () => Promise.resolve({ json: shown }) },
    {
      method: "GET",
      path: /^\/api\/counter$/,
      handle: async () => ({ json: { counter: await database.counter() } }),
    },
    {
      method: "POST",
      path: /^\/(?:api\/)?counter$/,
      handle: async (request) => {
        const counter = await database.increment();
        return fromForm(request) ? { seeOther: "/" } : { json: { counter, ...shown } };
      },
    },
    {
      method: "GET",
      path: /^\/api\/notes$/,
      handle: async () => ({ json: { notes: await database.notes(NOTES_SHOWN) } }),
    },
    {
      method: "POST",
      path: /^\/api\/notes$/,
      handle: async (request) => ({
        status: 201,
        json: { note: await database.addNote(await readNoteText(request)) },
      }),
    },
    {
      method: "POST",
      path: /^\/notes$/,
      handle: async (request) => {
        await database.addNote(await readNoteText(request));
        return { seeOther: "/" };
      },
    },
    { method: "DELETE", path: /^\/api\/notes\/(\d+)$/, handle: deleteNote },
    {
      method: "POST",
      path: /^\/notes\/(\d+)\/delete$/,
      handle: async (request, match) => {
        await deleteNote(request, match);
        return { seeOther: "/" };
      },
    },
  ];
}

/** A browser's form on the page; anything else that posts to `/counter` gets JSON. */
const fromForm = (request: IncomingMessage) =>
  !request.url?.startsWith("/api/") && (request.headers.accept ?? "").includes("text/html");

async function dispatch(
  routes: readonly Route[],
  path: string,
  request: IncomingMessage,
): Promise<Answer> {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const matching = routes.filter((route) => route.path.test(path));
  const route = matching.find((one) => one.method === method);
  const match = route?.path.exec(path);
  if (route && match) return route.handle(request, match);
  throw matching.length > 0
    ? new RequestError(405, `use ${matching.map((one) => one.method).join(" or ")} here`)
    : new RequestError(404, "there is no such page");
}

function send(response: ServerResponse, answer: Answer): void {
  if ("seeOther" in answer) {
    response.writeHead(303, { ...HEADERS, location: answer.seeOther }).end();
  } else if ("html" in answer) {
    response
      .writeHead(200, { ...HEADERS, "content-type": "text/html; charset=utf-8" })
      .end(answer.html);
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

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
