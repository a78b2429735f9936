/** Database and cache of a compose file, which Archipelago brings itself. */
import type { Notes } from "./conversion";
import type { OwnServers, PostgresLogin } from "./environment";
import { imageBase, imageMajor, type Kind, kindOf } from "./recognise";
import type { ComposeService } from "./service";
import { listOf, textOf, wordsOf } from "./values";

/** PostgreSQL of `database: container`. */
const POSTGRES_VERSION = 15;

/** A cache that keeps its data on a volume is taken for what it is: a store, which stays a service of its own. */
export function ownKind(service: ComposeService, notes: Notes): Kind {
  const kind = kindOf(service);
  if (kind !== "cache") return kind;
  const keeps =
    service.mounts.some(({ target }) => target === "/data" || target === "/var/lib/valkey") ||
    (service.command ?? []).join(" ").includes("--appendonly yes");
  if (!keeps) return "cache";
  notes
    .of(service.name)
    .changed(
      "volumes",
      "it keeps what it is told (jobs in a queue, say), which archipelago:cache does not: it stays a service with a volume, found by its name",
      "cache: managed keeps it too, and fails over",
    );
  return "app";
}

export function ownServers(
  databases: readonly ComposeService[],
  caches: readonly ComposeService[],
  notes: Notes,
): OwnServers {
  for (const service of databases)
    notePostgres(service, databases[0] === service, notes.of(service.name));
  for (const service of caches) {
    notes
      .of(service.name)
      .changed(
        "services",
        "it is archipelago:cache: a Valkey that is found by the URL in a file, and forgets everything when it restarts",
      );
    if (listOf(service.raw.ports).length > 0)
      notes.of(service.name).changed("ports", "it is closed to the world");
  }
  const logins = databases.map((service): [string, PostgresLogin] => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = service.environment;
    const user = POSTGRES_USER ?? "postgres";
    return [
      service.name,
      { user, password: POSTGRES_PASSWORD ?? undefined, database: POSTGRES_DB ?? user },
    ];
  });
  return {
    postgres: new Map(withOtherNames(databases, logins)),
    caches: new Set(
      caches.flatMap((service) => [
        service.name,
        textOf(service.raw.container_name) ?? service.name,
      ]),
    ),
  };
}

/** A container is found by its name, too. */
function withOtherNames(
  services: readonly ComposeService[],
  logins: readonly [string, PostgresLogin][],
): [string, PostgresLogin][] {
  const others = services.flatMap(({ name, raw }): [string, PostgresLogin][] => {
    const other = textOf(raw.container_name);
    const login = logins.find(([service]) => service === name)?.[1];
    return other === undefined || login === undefined ? [] : [[other, login]];
  });
  return [...logins, ...others];
}

function notePostgres(service: ComposeService, isFirst: boolean, notes: Notes): void {
  const { image = "", raw, mounts } = service;
  if (!isFirst) {
    notes.lost(
      "services",
      "a stack has one PostgreSQL server",
      "give a service a database of its own in it: database: own",
    );
    return;
  }
  notes.changed(
    "services",
    `it is archipelago:database: container, PostgreSQL ${POSTGRES_VERSION} on the stack's Volume, behind PgBouncer; the app's user and database are called app`,
  );
  const major = imageMajor(image);
  if (major !== undefined && major > POSTGRES_VERSION) {
    notes.todo(
      "image",
      `PostgreSQL ${major} becomes ${POSTGRES_VERSION}`,
      "a dump of the older server's tools (pg_dump 15) fits; see that the app needs nothing newer",
    );
  }
  const base = imageBase(image);
  if (base !== "postgres" && base !== "postgresql") {
    notes.lost(
      "image",
      `the extensions of ${base} are not in the plain PostgreSQL`,
      "see that the app does without them",
    );
  }
  if (listOf(raw.ports).length > 0) {
    notes.changed("ports", "it is closed to the world", "npm run ssh is the way in");
  }
  const scripts = mounts.filter(({ target }) => target.startsWith("/docker-entrypoint-initdb.d"));
  if (scripts.length > 0) {
    notes.lost(
      "volumes",
      "scripts in /docker-entrypoint-initdb.d do not run",
      "do it in the app's release command",
    );
  }
  if (raw.command !== undefined) {
    notes.lost(
      "command",
      `its settings are made for the node's memory, not by ${(wordsOf(raw.command) ?? []).slice(0, 3).join(" ")} …`,
    );
  }
}
