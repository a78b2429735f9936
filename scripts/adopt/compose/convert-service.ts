/** One service of the compose file as a service of the stack file. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { DataMount, NeededSecret, Notes } from "./conversion";
import { isLastStage, startOf } from "./dockerfile";
import { convertEnvironment, type Hosts, type OwnServers } from "./environment";
import { convertHealth } from "./health";
import { noteLosses } from "./losses";
import { keptMount } from "./mounts";
import type { ComposeService } from "./service";
import { textOf } from "./values";

export interface Around {
  /** Directory that build contexts start at: the checkout. */
  readonly root: string;
  readonly servers: OwnServers;
  readonly hosts: Hosts;
  /** Port for HTTP, of a service that has one. */
  readonly port: number | undefined;
  readonly routes: readonly string[];
  /** Command that another service of the compose file ran before this one. */
  readonly release: readonly string[] | undefined;
  /** Volumes that another service has already. */
  readonly taken: ReadonlyMap<string, string>;
}

export interface Converted {
  /** As in a stack file. */
  readonly service: Readonly<Record<string, unknown>>;
  readonly secrets: readonly NeededSecret[];
  readonly data: DataMount | undefined;
  readonly usesDatabase: boolean;
  readonly usesCache: boolean;
}

/** @returns undefined when it can not be kept at all; the notes say why. */
export function convertService(
  said: ComposeService,
  newName: string,
  around: Around,
  notes: Notes,
): Converted | undefined {
  const { port, routes, release, taken } = around;
  const source = sourceOf(said, around.root, notes);
  if (source === undefined) return undefined;
  noteLosses(said, notes);
  const start = startCommand(said);
  const environment = convertEnvironment(
    newName,
    said.environment,
    { servers: around.servers, hosts: around.hosts, canWrap: start !== undefined },
    notes,
  );
  const data = keptMount(said, taken, notes);
  const health = convertHealth(said.health, port, notes);
  const { PORT: told, ...variables } = environment.variables;
  const wrapped = environment.exports.length > 0 && start !== undefined;
  return {
    service: {
      ...source,
      ...(wrapped ? wrap(environment.exports, start) : plainStart(said)),
      ...(port !== undefined && { port }),
      ...(routes.length > 0 && { routes: [...routes] }),
      ...(health && Object.keys(health).length > 0 && { health }),
      ...replicasOf(said, data !== undefined, notes),
      ...(release && {
        release: wrapped ? shell(environment.exports, release) : [...release],
      }),
      ...withVariables(
        told === undefined || told === String(port) ? variables : environment.variables,
      ),
      ...(data && { volume: data.target }),
      ...resourcesOf(said),
    },
    secrets: [...environment.secrets, ...fileSecrets(said, newName, notes)],
    data,
    usesDatabase: environment.usesDatabase,
    usesCache: environment.usesCache,
  };
}

const withVariables = (environment: Readonly<Record<string, string>>) =>
  Object.keys(environment).length > 0 ? { environment } : {};

/** Says nothing of what is in the image. */
const BUILT_ALIKE = [
  "cache_from",
  "cache_to",
  "isolation",
  "labels",
  "network",
  "no_cache",
  "platforms",
  "provenance",
  "pull",
  "sbom",
  "shm_size",
  "tags",
];

/** Image or build. */
function sourceOf({ image, build }: ComposeService, root: string, notes: Notes) {
  if (build === undefined) {
    if (image !== undefined) return { image };
    notes.lost("image", "it has neither an image nor a build");
    return undefined;
  }
  const context = path.relative(root, build.context) || ".";
  if (context.startsWith("..") || path.isAbsolute(context)) {
    notes.lost(
      "build",
      `its sources in ${path.basename(build.context)} are outside this checkout, from where images are built`,
      "put them here (git submodule add <url> apps/<name>, or a copy) and run this on the compose file there; or push an image, and name it with image:",
    );
    return undefined;
  }
  const { context: _, dockerfile, ...more } = build;
  for (const key of Object.keys(more)) {
    if (BUILT_ALIKE.includes(key) || (key === "target" && isOneStage(build))) continue;
    notes.lost(
      `build.${key}`,
      "an image is built of its context and Dockerfile alone",
      buildTodo(key),
    );
  }
  const file = textOf(dockerfile);
  return { build: { context, ...(file !== undefined && { dockerfile: file }) } };
}

type Build = NonNullable<ComposeService["build"]>;

function dockerfileOf({ context, dockerfile }: Build): string | undefined {
  const file = path.resolve(context, textOf(dockerfile) ?? "Dockerfile");
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
}

/** Whether the target is what is built without one. */
function isOneStage(build: Build): boolean {
  return isLastStage(dockerfileOf(build) ?? "", textOf(build.target) ?? "");
}

function buildTodo(key: string): string {
  if (key === "args") return "give each ARG that value as its default in the Dockerfile";
  if (key === "target") return "make it the last stage, or a Dockerfile of its own";
  return "do it in the Dockerfile";
}

interface Start {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** What runs in the container, where that is known: said here, or in the Dockerfile. */
function startCommand({ build, entrypoint, command }: ComposeService): Start | undefined {
  if (entrypoint !== undefined) return { entrypoint, command: command ?? [] };
  if (build === undefined) return undefined;
  const dockerfile = dockerfileOf(build);
  if (dockerfile === undefined || (build.target !== undefined && !isOneStage(build))) {
    return undefined;
  }
  const start = startOf(dockerfile);
  if (start === undefined) return undefined;
  const whole = { entrypoint: start.entrypoint, command: command ?? start.command };
  return whole.entrypoint.length + whole.command.length > 0 ? whole : undefined;
}

/** A shell that puts what stands in files into variables, then becomes the app. */
function wrap(exports: readonly string[], { entrypoint, command }: Start) {
  return { entrypoint: shell(exports, entrypoint), ...args(command) };
}

const shell = (exports: readonly string[], words: readonly string[]) => [
  "/bin/sh",
  "-c",
  [...exports, 'exec "$@"'].join("\n"),
  "sh",
  ...words,
];

const args = (command: readonly string[] | undefined) =>
  command === undefined || command.length === 0 ? {} : { command: [...command] };

const plainStart = ({ entrypoint, command }: ComposeService) => ({
  ...(entrypoint && entrypoint.length > 0 && { entrypoint: [...entrypoint] }),
  ...args(command),
});

function replicasOf({ replicas }: ComposeService, hasVolume: boolean, notes: Notes) {
  if (replicas === undefined || replicas === 1) return {};
  if (replicas === 0) {
    notes.changed("deploy.replicas", "0 is not kept: a service has at least one task");
    return {};
  }
  if (!hasVolume) return { replicas };
  notes.lost(
    "deploy.replicas",
    `${replicas} tasks become one: only one may write to the directory that it keeps`,
    "have the app keep its files in the bucket of archipelago:files",
  );
  return {};
}

function resourcesOf({ cpus, memoryMib }: ComposeService) {
  if (cpus === undefined && memoryMib === undefined) return {};
  return {
    resources: {
      ...(cpus !== undefined && { cpus: Math.max(0.05, cpus) }),
      ...(memoryMib !== undefined && { memoryMib: Math.max(16, memoryMib) }),
    },
  };
}

/** Secrets of compose are files already, under the same path. */
function fileSecrets({ secrets }: ComposeService, service: string, notes: Notes): NeededSecret[] {
  return secrets.map(({ source, target }) => {
    if (target.includes("/")) {
      notes.lost(
        "secrets",
        `${source} stands in /run/secrets, not in ${target}`,
        "have the app read it there",
      );
    }
    return { service, name: path.basename(target), known: true };
  });
}
