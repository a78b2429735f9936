/** A compose file as the configuration of a stack. */
import type { DataMount, NeededSecret, Note } from "./conversion";
import { Notes } from "./conversion";
import { convertService, type Converted } from "./convert-service";
import type { PostgresLogin } from "./environment";
import { healthTarget } from "./health";
import { isTopSilent } from "./keys";
import type { ComposeProject } from "./load";
import { frontOf, httpPort, likelyPort, proxiedPorts, traefikHosts, traefikPort } from "./ports";
import { hostNames, newNames, takeReleases } from "./names";
import { imageBase, type Kind } from "./recognise";
import { ownKind, ownServers } from "./servers";
import { type ComposeService, composeService } from "./service";
import { isTrue, mappingOf } from "./values";

export interface ConvertOptions {
  /** Directory that build contexts start at: the checkout. */
  readonly root: string;
  /** DigitalOcean region slug. */
  readonly region: string;
}

export interface Conversion {
  /** What the stack file says under `archipelago:`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly notes: readonly Note[];
  readonly secrets: readonly NeededSecret[];
  /** Data to move: names of services are the stack file's. */
  readonly data: readonly DataMount[];
  /** Whether the compose file has a PostgreSQL whose data is to be moved: its service and database. */
  readonly postgres: { readonly service: string; readonly login: PostgresLogin } | undefined;
}

export function convert(project: ComposeProject, options: ConvertOptions): Conversion {
  const all: Note[] = [];
  const notes = new Notes(all);
  noteProject(project, notes);
  const services = Object.entries(project.services).map(([name, raw]) => composeService(name, raw));
  const kinds = new Map(services.map((service) => [service.name, ownKind(service, notes)]));
  const of = (kind: Kind) => services.filter(({ name }) => kinds.get(name) === kind);
  const { apps, releases } = takeReleases(of("app"), notes);
  const names = newNames(apps, notes);
  const servers = ownServers(of("postgres"), of("cache"), notes);
  for (const each of [...of("proxy"), ...of("helper")]) noteLeftOut(each, kinds, notes);

  const proxied = proxiedPorts(
    of("proxy"),
    apps.map(({ name }) => name),
  );
  const ports = portsOf(apps, proxied, notes);
  const front = frontOf(
    apps.filter(({ name }) => ports.has(name)),
    proxied,
  );
  const hosts = hostNames(apps, names);
  const taken = new Map<string, string>();
  const done: [string, Converted][] = [];
  // Who gets the requests gets the files, too.
  for (const service of [...apps].sort((a, b) => Number(b === front) - Number(a === front))) {
    const name = names.get(service.name) ?? service.name;
    const port = ports.get(service.name);
    const converted = convertService(
      service,
      name,
      {
        root: options.root,
        servers,
        hosts,
        port,
        routes: service === front ? ["/"] : [],
        release: releases.get(service.name),
        taken,
      },
      notes.of(service.name),
    );
    if (converted === undefined) continue;
    if (converted.data?.source) taken.set(converted.data.source, service.name);
    done.push([name, converted]);
    noteWayIn(service, { isFront: service === front, port }, notes.of(service.name));
  }
  noteMemory(apps, notes);
  const order = apps.map(({ name }) => names.get(name) ?? name);
  done.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const usesCache = servers.caches.size > 0;
  const config = {
    topology: "single-node",
    region: options.region,
    database: servers.postgres.size > 0 ? "container" : "none",
    ...(usesCache && { cache: "container" }),
    services: Object.fromEntries(
      done.map(([name, { service, usesDatabase }]) => [
        name,
        { ...service, ...(servers.postgres.size > 0 && !usesDatabase && { database: "none" }) },
      ]),
    ),
  };
  const [[service, login] = []] = servers.postgres;
  return {
    config,
    notes: all,
    secrets: done.flatMap(([, { secrets }]) => secrets),
    data: done.flatMap(([name, { data }]) => (data ? [{ ...data, service: name }] : [])),
    postgres: service !== undefined && login !== undefined ? { service, login } : undefined,
  };
}

/** What is known before any service is looked at. */
function noteProject({ top, inactive, missing, absent }: ComposeProject, notes: Notes): void {
  for (const key of Object.keys(top).filter((key) => !isTopSilent(key))) {
    notes.lost(key, "a stack file has nothing like it");
  }
  for (const [network, said] of Object.entries(mappingOf(top.networks))) {
    if (isTrue(mappingOf(said).internal)) {
      notes.changed(
        `networks.${network}.internal`,
        "all services share one private network, and may reach the internet",
      );
    }
  }
  for (const name of inactive) {
    notes
      .of(name)
      .changed(
        "profiles",
        "it is left out, because its profile was not asked for",
        "--profile brings it in",
      );
  }
  for (const name of missing) {
    notes.todo(
      `\${${name}}`,
      "is not set here, and empty in what was written",
      `set it in .env or the environment, and run this again`,
    );
  }
  for (const { service, file } of absent) {
    notes
      .of(service)
      .todo(
        "env_file",
        `${file.split("/").at(-1)} is not there, so its variables are unknown`,
        "put it there and run this again",
      );
  }
}

function noteLeftOut(
  { name, image = "" }: ComposeService,
  kinds: ReadonlyMap<string, Kind>,
  notes: Notes,
) {
  const isProxy = kinds.get(name) === "proxy";
  notes
    .of(name)
    .changed(
      "services",
      isProxy
        ? `${imageBase(image)} is left out: the stack's edge takes the requests, with HTTPS once archipelago:domain names the app's domain`
        : `${imageBase(image)} is left out: it looks after one Docker host, and nodes look after themselves`,
      isProxy ? "rules beyond routes, limits and copies are to be made by the app" : undefined,
    );
}

function portsOf(
  services: readonly ComposeService[],
  proxied: ReadonlyMap<string, number>,
  notes: Notes,
): ReadonlyMap<string, number> {
  const found = portsBy(services, (service) => {
    const hints = {
      health: healthTarget(service.health)?.port,
      proxied: proxied.get(service.name) ?? traefikPort(service),
    };
    return httpPort(service, hints, notes.of(service.name));
  });
  return found.size > 0 ? found : portsBy(services, likelyPort);
}

/** Compose sets no limit of its own. */
function noteMemory(services: readonly ComposeService[], notes: Notes): void {
  const unlimited = services.filter(({ memoryMib }) => memoryMib === undefined);
  if (unlimited.length === 0) return;
  notes.changed(
    "mem_limit",
    `a task may use 512 MiB unless it says otherwise, and these do not: ${unlimited.map(({ name }) => name).join(", ")}`,
    "set resources.memoryMib of what needs more",
  );
}

function portsBy(
  services: readonly ComposeService[],
  portOf: (service: ComposeService) => number | undefined,
): ReadonlyMap<string, number> {
  const all = services.map((service) => [service.name, portOf(service)] as const);
  return new Map(all.flatMap(([name, port]) => (port === undefined ? [] : [[name, port]])));
}

function noteWayIn(
  service: ComposeService,
  { isFront, port }: { isFront: boolean; port: number | undefined },
  notes: Notes,
): void {
  if (isFront) {
    const [host = "app.example.com"] = traefikHosts(service);
    notes.changed(
      "ports",
      `every request from outside goes to its port ${port}, over ports 80 and 443 of the stack`,
      `for HTTPS add archipelago:domain: ${host}`,
    );
  } else if (port !== undefined && (service.ports.length > 0 || traefikHosts(service).length > 0)) {
    const [host] = traefikHosts(service);
    notes.todo(
      "ports",
      `its port ${port} is reached by other services only`,
      `give it a route: routes: [${host ?? `${service.name}.example.com`}/] or [/${service.name}]`,
    );
  }
}
