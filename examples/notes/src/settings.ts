import { readFileSync } from "node:fs";

export interface Settings {
  readonly host: string;
  readonly port: number;
  /** PostgreSQL URL, or a path of a SQLite file. Secret when it is a URL. */
  readonly database:
    | { readonly kind: "postgres"; readonly url: string }
    | { readonly kind: "sqlite"; readonly file: string };
  /** Shown on the page. */
  readonly node: string;
  readonly version: string;
  /** How long requests in flight may take to finish after SIGTERM, milliseconds. */
  readonly drainMs: number;
}

/**
 * The app's settings from its environment.
 *
 * `DATABASE_URL_FILE` (a file, such as a Docker secret) wins over `DATABASE_URL`; without either, `DATABASE_FILE` names
 * a SQLite file. `PORT` @default 3000. `HOST` @default all addresses. `DRAIN_SECONDS` @default 25, less than the stop
 * grace of the service.
 *
 * @throws {Error} when no database is named or a value is no number.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const url = env.DATABASE_URL_FILE
    ? readFileSync(env.DATABASE_URL_FILE, "utf8").trim()
    : env.DATABASE_URL;
  if (!url && !env.DATABASE_FILE) {
    throw new Error("one of DATABASE_URL_FILE, DATABASE_URL or DATABASE_FILE must be set");
  }
  return {
    host: env.HOST ?? "0.0.0.0",
    port: number("PORT", env.PORT, 3000),
    database: url ? { kind: "postgres", url } : { kind: "sqlite", file: env.DATABASE_FILE ?? "" },
    node: env.NODE_NAME || "unknown",
    version: env.APP_VERSION || "dev",
    drainMs: number("DRAIN_SECONDS", env.DRAIN_SECONDS, 25) * 1000,
  };
}

function number(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new Error(`${name} must be a number, got ${text}`);
  return value;
}
