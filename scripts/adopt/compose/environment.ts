/** An environment of the compose file as variables, secrets, and what a start wrapper exports. */
import type { NeededSecret, Notes } from "./conversion";
import { looksSecret } from "./secrets";

/** Servers of the compose file that Archipelago brings itself, by their names there. */
export interface OwnServers {
  readonly postgres: ReadonlyMap<string, PostgresLogin>;
  readonly caches: ReadonlySet<string>;
}

export interface PostgresLogin {
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
}

/** Names that hosts have in the compose file, and those they get. */
export type Hosts = ReadonlyMap<string, string>;

export interface Environment {
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: readonly NeededSecret[];
  /** Lines of the shell that give the app what stands in files. */
  readonly exports: readonly string[];
  /** Variables that the exports set. */
  readonly exported: readonly string[];
  /** Whether the service speaks to the database or the cache. */
  readonly usesDatabase: boolean;
  readonly usesCache: boolean;
}

type Given = Readonly<Record<string, string | null>>;

const URL_OF = /^([a-z][a-z0-9+.-]*):\/\/(?:[^@/]*@)?([^:/?#]+)(?::\d+)?(\/[^?#]*)?(\?.*)?$/i;
const PASSWORD_OF_URL = `"$(sed 's#^[^:]*://[^:]*:\\([^@]*\\)@.*#\\1#' "$DATABASE_URL_FILE")"`;

/** @param canWrap whether the service's start is known, so that files can be turned into variables before it. */
export function convertEnvironment(
  service: string,
  given: Given,
  { servers, hosts, canWrap }: { servers: OwnServers; hosts: Hosts; canWrap: boolean },
  notes: Notes,
): Environment {
  const variables: Record<string, string> = {};
  const secrets: NeededSecret[] = [];
  const exports: string[] = [];
  const exported: string[] = [];
  const parts = postgresParts(given, servers);
  let usesDatabase = parts.size > 0;
  let usesCache = false;

  const fromFile = (name: string, line: string, what: string, todo: string) => {
    if (canWrap) {
      exports.push(line);
      exported.push(name);
      notes.changed(`environment.${name}`, `${what}; the start command puts it into ${name} again`);
    } else notes.todo(`environment.${name}`, what, todo);
  };

  for (const [name, value] of Object.entries(given)) {
    const part = parts.get(name);
    const url = value === null ? undefined : ownUrl(value, servers);
    if (url?.server === "postgres") {
      usesDatabase = true;
      fromFile(
        name,
        fromUrlFile(name, "DATABASE_URL_FILE", url),
        "the database's URL stands in the file that DATABASE_URL_FILE names, with a password of its own",
        "have the app read that file",
      );
    } else if (url?.server === "cache") {
      usesCache = true;
      fromFile(
        name,
        fromUrlFile(name, "CACHE_URL_FILE", url),
        "the cache's URL stands in the file that CACHE_URL_FILE names, with a password of its own",
        "have the app read that file",
      );
    } else if (part === "password") {
      fromFile(
        name,
        `export ${name}=${PASSWORD_OF_URL}`,
        "the database's password is made for you, and stands only in the URL in the file that DATABASE_URL_FILE names",
        "have the app read that URL",
      );
    } else if (part !== undefined) {
      variables[name] = part;
    } else if (value === null) {
      notes.todo(
        `environment.${name}`,
        "has no value here",
        "set it in the stack file, if the app needs it",
      );
    } else if (looksSecret(name, value)) {
      const secret = secretName(name);
      secrets.push({ service, name: secret, known: value !== "" });
      const what = `it looks like a secret: its value is encrypted, and stands in the file /run/secrets/${secret}`;
      if (!canWrap) variables[fileVariable(name)] ??= `/run/secrets/${secret}`;
      fromFile(
        name,
        `export ${name}="$(cat /run/secrets/${secret})"`,
        what,
        `have the app read the file that ${fileVariable(name)} names (many official images do), or export it in the image's entrypoint`,
      );
    } else if (servers.caches.has(value)) {
      usesCache = true;
      notes.todo(
        `environment.${name}`,
        "the cache wants a password, which stands only in the URL in the file that CACHE_URL_FILE names",
        "have the app read that URL",
      );
    } else variables[name] = withHosts(name, value, hosts);
  }
  return { variables, secrets, exports, exported, usesDatabase, usesCache };
}

/** Host, port, user and name of the database where an app takes them apart: by what their values are. */
function postgresParts(given: Given, { postgres }: OwnServers): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  const hosts = Object.entries(given).filter(
    ([name, value]) =>
      /HOST|SERVER|ADDR/i.test(name) && value !== null && postgres.has(value.split(":")[0] ?? ""),
  );
  for (const [name, value] of hosts) {
    parts.set(name, value?.includes(":") === true ? "pgbouncer:6432" : "pgbouncer");
    const login = postgres.get(value?.split(":")[0] ?? "");
    const prefix = name.replace(/_*(HOST(NAME)?|SERVER|ADDR(ESS)?)$/i, "");
    for (const [other, said] of Object.entries(given)) {
      if (other === name || !other.startsWith(prefix)) continue;
      const rest = other.slice(prefix.length).replace(/^_+/, "");
      if (/^PORT$/i.test(rest)) parts.set(other, "6432");
      else if (/PASS(WD|WORD)?$/i.test(rest)) parts.set(other, "password");
      else if (/USER(NAME)?$/i.test(rest) && said === login?.user) parts.set(other, "app");
      else if (/(NAME|DB|DATABASE)$/i.test(rest) && said === login?.database)
        parts.set(other, "app");
    }
  }
  return parts;
}

interface OwnUrl {
  readonly server: "postgres" | "cache";
  readonly scheme: string;
  readonly path: string;
  readonly query: string;
}

function ownUrl(value: string, { postgres, caches }: OwnServers): OwnUrl | undefined {
  const [, scheme = "", host = "", path = "", query = ""] = URL_OF.exec(value) ?? [];
  const common = { scheme, path, query };
  if (postgres.has(host)) return { server: "postgres", ...common };
  return caches.has(host) ? { server: "cache", ...common } : undefined;
}

/** The database is called otherwise; a number of Redis' databases and what follows the question mark are the app's. */
function fromUrlFile(name: string, file: string, { server, scheme, path, query }: OwnUrl): string {
  const rest = server === "cache" ? `${path}${query}` : query;
  const plain = server === "cache" ? "redis" : "postgres";
  if (scheme === plain && rest === "") return `export ${name}="$(cat "$${file}")"`;
  return `url="$(cat "$${file}")"; export ${name}="${scheme}://\${url#*://}${quoted(rest)}"`;
}

/** Inside double quotes of the shell. */
const quoted = (text: string) => text.replaceAll(/[\\"$`]/g, "\\$&");

/** Puts the new name of a service where its old one stands as a host. */
function withHosts(variable: string, value: string, hosts: Hosts): string {
  const whole = /HOST|SERVER|ADDR/i.test(variable) ? hosts.get(value) : undefined;
  if (whole !== undefined) return whole;
  return [...hosts].reduce((text, [old, name]) => {
    const literal = old.replaceAll(/[^A-Za-z0-9_-]/g, "\\$&");
    const pattern = new RegExp(`(//|@|,|^)${literal}(?=:\\d)|(//|@)${literal}(?=[/,]|$)`, "g");
    return text.replaceAll(
      pattern,
      (_, first?: string, second?: string) => `${first ?? second ?? ""}${name}`,
    );
  }, value);
}

/** The convention of Docker's official images, and that of Gitea and Forgejo. */
const fileVariable = (name: string) =>
  /^(GITEA|FORGEJO)__/.test(name) ? `${name}__FILE` : `${name}_FILE`;

/** As a file below /run/secrets. */
function secretName(name: string): string {
  return name
    .replaceAll(/[^A-Za-z0-9_.-]/g, "-")
    .replaceAll(/^[_.-]+|[_.-]+$/g, "")
    .slice(0, 64);
}
