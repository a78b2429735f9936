import type { IncomingMessage } from "node:http";
import {
  type Fields,
  NAME_LIMIT,
  NOTE_LIMIT,
  REPORT_SECONDS_LIMIT,
  RequestError,
  countField,
  readFields,
  textField,
} from "./body";
import type { Database, Report, Reports } from "./database";
import { fileRoutes, filesShown } from "./file-routes";
import type { FileContent, Files } from "./files";
import { renderPage } from "./page";
import type { Sessions } from "./sessions";
import type { Settings } from "./settings";

const NOTES_SHOWN = 100;
const REPORTS_SHOWN = 5;
const REPORTS_LISTED = 50;
const HEALTH_TIMEOUT_MS = 2000;

/** What a handler answers: JSON, a page, or a redirect after a form. */
export type Answer = { readonly cookie?: string } & (
  | { readonly json: unknown; readonly status?: number }
  | { readonly html: string }
  | { readonly file: FileContent; readonly name: string }
  | { readonly seeOther: string }
);

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: RegExp;
  /** @param id what the path's group matched */
  readonly handle: (request: IncomingMessage, id: string) => Promise<Answer>;
}

export type Shown = Pick<Settings, "node" | "version">;

export function appRoutes(
  database: Database,
  sessions: Sessions,
  files: Files | undefined,
  shown: Shown,
): Route[] {
  return [
    homeRoute(database, sessions, files, shown),
    ...healthRoutes(database, shown),
    ...counterRoutes(database, shown),
    ...latestRoutes(database, shown),
    ...noteRoutes(database),
    ...sessionRoutes(sessions),
    ...reportRoutes(database.reports),
    ...fileRoutes(files),
  ];
}

const HOME = { seeOther: "/" } as const;

function homeRoute(
  database: Database,
  sessions: Sessions,
  files: Files | undefined,
  shown: Shown,
): Route {
  return {
    method: "GET",
    path: /^\/$/,
    handle: async (request) => {
      const [counter, notes, reports, uploads, name] = await Promise.all([
        database.counter(),
        database.notes(NOTES_SHOWN),
        database.reports?.summary(REPORTS_SHOWN),
        files && filesShown(files),
        // The notes are worth showing to a stranger.
        sessions.name(request).catch((error: Error) => {
          console.error(`session: ${error.message}`);
          return null;
        }),
      ]);
      return { html: renderPage({ counter, notes, reports, uploads, name, ...shown }) };
    },
  };
}

function healthRoutes(database: Database, shown: Shown): Route[] {
  return [
    {
      method: "GET",
      path: /^\/healthz$/,
      handle: async () => {
        await within(HEALTH_TIMEOUT_MS, database.ping());
        return { json: { status: "ok", ...shown } };
      },
    },
    { method: "GET", path: /^\/api\/info$/, handle: () => Promise.resolve({ json: shown }) },
  ];
}

function counterRoutes(database: Database, shown: Shown): Route[] {
  return [
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
        return fromForm(request) ? HOME : { json: { counter, ...shown } };
      },
    },
  ];
}

/** A value that never goes back: who was told of one is told of no lower one, whichever node answers. */
function latestRoutes(database: Database, { node }: Shown): Route[] {
  const path = /^\/api\/latest$/;
  return [
    {
      method: "GET",
      path,
      handle: async () => ({ json: { latest: await database.latest(), node } }),
    },
    {
      method: "PUT",
      path,
      handle: async (request) => {
        const value = countField(await readFields(request), "value", Number.MAX_SAFE_INTEGER);
        return { json: { latest: await database.putLatest(value), node } };
      },
    },
  ];
}

function noteRoutes(database: Database): Route[] {
  const add = async (request: IncomingMessage) =>
    database.addNote(textField(await readFields(request), "text", NOTE_LIMIT));
  const remove = async (given: string) => {
    const id = Number(given);
    if (!Number.isSafeInteger(id) || !(await database.deleteNote(id))) {
      throw new RequestError(404, "there is no such note");
    }
    return id;
  };
  return [
    {
      method: "GET",
      path: /^\/api\/notes$/,
      handle: async () => ({ json: { notes: await database.notes(NOTES_SHOWN) } }),
    },
    {
      method: "POST",
      path: /^\/api\/notes$/,
      handle: async (request) => ({ status: 201, json: { note: await add(request) } }),
    },
    { method: "POST", path: /^\/notes$/, handle: async (request) => (await add(request), HOME) },
    {
      method: "DELETE",
      path: /^\/api\/notes\/(\d+)$/,
      handle: async (_request, id) => ({ json: { deleted: await remove(id) } }),
    },
    {
      method: "POST",
      path: /^\/notes\/(\d+)\/delete$/,
      handle: async (_request, id) => (await remove(id), HOME),
    },
  ];
}

function sessionRoutes(sessions: Sessions): Route[] {
  const name = (fields: Fields) => textField(fields, "name", NAME_LIMIT);
  return [
    {
      method: "GET",
      path: /^\/api\/session$/,
      handle: async (request) => ({ json: { name: await sessions.name(request) } }),
    },
    {
      method: "POST",
      path: /^\/(?:api\/)?session$/,
      handle: async (request) => {
        const who = name(await readFields(request));
        const cookie = await sessions.begin(request, who);
        return fromForm(request)
          ? { ...HOME, cookie }
          : { status: 201, json: { name: who }, cookie };
      },
    },
    {
      method: "POST",
      path: /^\/session\/end$/,
      handle: async (request) => ({ ...HOME, cookie: await sessions.end(request) }),
    },
    {
      method: "DELETE",
      path: /^\/api\/session$/,
      handle: async (request) => ({ json: { name: null }, cookie: await sessions.end(request) }),
    },
  ];
}

/** Work for later: asked for here, done by whichever process takes it from the queue. */
function reportRoutes(reports: Reports | undefined): Route[] {
  const queue = () => {
    if (reports === undefined) throw new RequestError(501, "reports need PostgreSQL");
    return reports;
  };
  const ask = async (request: IncomingMessage): Promise<Report> => {
    const there = queue();
    return there.ask(countField(await readFields(request), "seconds", REPORT_SECONDS_LIMIT));
  };
  return [
    {
      method: "GET",
      path: /^\/api\/reports$/,
      handle: async () => ({ json: await queue().summary(REPORTS_LISTED) }),
    },
    {
      method: "POST",
      path: /^\/api\/reports$/,
      handle: async (request) => ({ status: 201, json: { report: await ask(request) } }),
    },
    { method: "POST", path: /^\/reports$/, handle: async (request) => (await ask(request), HOME) },
    {
      method: "GET",
      path: /^\/api\/reports\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
      handle: async (_request, id) => {
        const report = await queue().report(id);
        if (report === undefined) throw new RequestError(404, "there is no such report");
        return { json: { report } };
      },
    },
  ];
}

/** A browser's form on the page; anything else that posts to `/counter` gets JSON. */
const fromForm = (request: IncomingMessage) =>
  !request.url?.startsWith("/api/") && (request.headers.accept ?? "").includes("text/html");

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
