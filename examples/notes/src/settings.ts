import { readFileSync } from "node:fs";

export interface Settings {
  readonly host: string;
  readonly port: number;
  /** PostgreSQL URL, or a path of a SQLite file. Secret when it is a URL. */
  readonly database:
    | { readonly kind: "postgres"; readonly url: string }
    | { readonly kind: "sqlite"; readonly file: string };
  /** Where sessions are kept. @default the database */
  readonly cache?: {
    /** `redis://` or `rediss://`. Secret. */
    readonly url: string;
    /** PEM of the authority that signed the server's certificate. @default the public roots */
    readonly ca?: string;
  };
  /** The bucket for uploaded files. @default none */
  readonly files?: {
    /** Of Spaces or another S3 server, without the bucket. */
    readonly endpoint: string;
    /** That requests are signed for. */
    readonly region: string;
    readonly bucket: string;
    readonly accessKey: string;
    /** Secret. */
    readonly secretKey: string;
  };
  /** Whether the web server works on reports too. @default true */
  readonly worksOnReports: boolean;
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
 * a SQLite file. `CACHE_URL_FILE` or `CACHE_URL`, and `CACHE_CA_FILE`: a Valkey or Redis for sessions. `REPORTS=elsewhere`
 * leaves reports to processes started as `worker`. `FILES_ENDPOINT`, `FILES_REGION`, `FILES_BUCKET`, `FILES_ACCESS_KEY` and
 * `FILES_SECRET_KEY_FILE`: where uploaded files go. `PORT` @default 3000. `HOST` @default all addresses. `DRAIN_SECONDS` @default 25, less than the stop
 * grace of the service.
 *
 * @throws {Error} when no database is named or a value is no number.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const url = fileOf(env.DATABASE_URL_FILE) ?? env.DATABASE_URL;
  const cache = fileOf(env.CACHE_URL_FILE) ?? env.CACHE_URL;
  const ca = fileOf(env.CACHE_CA_FILE);
  if (!url && !env.DATABASE_FILE) {
    throw new Error("one of DATABASE_URL_FILE, DATABASE_URL or DATABASE_FILE must be set");
  }
  return {
    host: env.HOST ?? "0.0.0.0",
    port: number("PORT", env.PORT, 3000),
    database: url ? { kind: "postgres", url } : { kind: "sqlite", file: env.DATABASE_FILE ?? "" },
    ...(cache && { cache: { url: cache, ...(ca && { ca }) } }),
    ...(env.FILES_BUCKET && { files: filesSettings(env) }),
    worksOnReports: env.REPORTS !== "elsewhere",
    node: env.NODE_NAME || "unknown",
    version: env.APP_VERSION || "dev",
    drainMs: number("DRAIN_SECONDS", env.DRAIN_SECONDS, 25) * 1000,
  };
}

function filesSettings(env: NodeJS.ProcessEnv): NonNullable<Settings["files"]> {
  const wanted = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} must be set where FILES_BUCKET is`);
    return value;
  };
  return {
    endpoint: wanted("FILES_ENDPOINT"),
    region: wanted("FILES_REGION"),
    bucket: wanted("FILES_BUCKET"),
    accessKey: wanted("FILES_ACCESS_KEY"),
    secretKey: fileOf(wanted("FILES_SECRET_KEY_FILE")) ?? "",
  };
}

const fileOf = (path: string | undefined) => (path ? readFileSync(path, "utf8").trim() : undefined);

function number(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new Error(`${name} must be a number, got ${text}`);
  return value;
}
