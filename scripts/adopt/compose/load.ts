/** Reads compose files as Compose does: variables, includes, extends, profiles, overrides. */
import * as fs from "node:fs";
import * as path from "node:path";
import { isCollection, isScalar, parseDocument, Scalar, visit } from "yaml";
import { Fault } from "../../../local/fault";
import { parseEnvFile } from "./env-file";
import { interpolate, type Lookup } from "./interpolate";
import { mergeFiles, mergeService, Override, RESET, settled } from "./merge";
import { isMapping, isTrue, listOf, type Mapping, mappingOf, textOf, variablesOf } from "./values";

/** What the compose files say together. */
export interface ComposeProject {
  readonly name: string;
  /** Directory that relative paths start at; those of services are absolute already. */
  readonly directory: string;
  readonly services: Readonly<Record<string, Mapping>>;
  /** Names of services that only a profile brings in, which was not asked for. */
  readonly inactive: readonly string[];
  /** Everything else at the top: networks, volumes, secrets, configs, `x-…`. */
  readonly top: Mapping;
  /** Variables that have neither a value nor a default. */
  readonly missing: readonly string[];
  /** Files that a service's `env_file` names and that are not there. */
  readonly absent: readonly { readonly service: string; readonly file: string }[];
}

export interface LoadOptions {
  /** Profiles to switch on; `*` = all. @default $COMPOSE_PROFILES */
  readonly profiles?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Reader {
  readonly lookup: Lookup;
  readonly missing: Set<string>;
}

/**
 * @param files the first one's directory is the project's; later ones override earlier ones. Of one file by itself its
 * `compose.override.yaml` is read too, where there is one, as `docker compose` does without `-f`.
 * @throws {Fault} when a file is not there, is no YAML, or wants a variable that is not set.
 */
export function loadProject(
  files: readonly string[],
  { env, profiles }: LoadOptions,
): ComposeProject {
  const [first = ""] = files;
  const directory = path.dirname(path.resolve(first));
  const all = files.length === 1 ? [first, ...overrideOf(first)] : files;
  const reader = readerFor([path.join(directory, ".env")], env);
  const merged = mappingOf(
    settled(mergeFiles(all.map((file) => readFile(path.resolve(file), directory, reader)))),
  );
  const { services, name, ...top } = merged;
  const wanted = profiles ?? (reader.lookup("COMPOSE_PROFILES") ?? "").split(",").filter(Boolean);
  const every = Object.entries(mappingOf(services)).map(
    ([service, said]) => [service, mappingOf(said)] as const,
  );
  const active = every.filter(([, { profiles: asked }]) => isWanted(asked, wanted));
  const absent: { service: string; file: string }[] = [];
  return {
    name: textOf(name) ?? reader.lookup("COMPOSE_PROJECT_NAME") ?? path.basename(directory),
    directory,
    services: Object.fromEntries(
      active.map(([service, said]) => [
        service,
        withEnvironment(said, reader, (file) => absent.push({ service, file })),
      ]),
    ),
    inactive: every.filter((one) => !active.includes(one)).map(([service]) => service),
    top,
    missing: [...reader.missing],
    absent,
  };
}

function overrideOf(file: string): string[] {
  const { dir, name, ext } = path.parse(file);
  const candidates = [".yaml", ".yml", ext].map((one) => path.join(dir, `${name}.override${one}`));
  return candidates.filter((candidate) => fs.existsSync(candidate)).slice(0, 1);
}

/** Looks variables up in the shell, then in `.env`. */
function readerFor(envFiles: readonly string[], env: LoadOptions["env"]): Reader {
  const missing = new Set<string>();
  const shell: Lookup = (name) => env[name];
  const values = envFiles
    .filter((file) => fs.existsSync(file))
    .map((file) => parseEnvFile(fs.readFileSync(file, "utf8"), shell, (name) => missing.add(name)));
  const file: Record<string, string> = Object.assign({}, ...values) as Record<string, string>;
  return { lookup: (name) => env[name] ?? file[name], missing };
}

/** One file with its includes, variables in place, its services' paths absolute and what they extend filled in. */
function readFile(file: string, directory: string, reader: Reader): Mapping {
  const said = readYaml(file, reader);
  const { include, version: _, ...own } = said;
  const included = listOf(include).map((entry) => readInclude(entry, path.dirname(file), reader));
  const services = Object.fromEntries(
    Object.entries(mappingOf(own.services)).map(([name, service]) => [
      name,
      isMapping(service) ? extended(service, own, directory, reader, [`${file}#${name}`]) : service,
    ]),
  );
  return mergeFiles([...included, { ...own, services }]);
}

function readInclude(entry: unknown, from: string, reader: Reader): Mapping {
  const said = isMapping(entry) ? entry : { path: entry };
  const files = listOf(said.path).map((one) => path.resolve(from, textOf(one) ?? ""));
  const directory = path.resolve(
    from,
    textOf(said.project_directory) ?? path.dirname(files[0] ?? ""),
  );
  const envFiles = listOf(said.env_file).map((one) => path.resolve(from, textOf(one) ?? ""));
  const own = readerFor(envFiles.length > 0 ? envFiles : [path.join(directory, ".env")], {});
  const inner: Reader = {
    lookup: (name) => reader.lookup(name) ?? own.lookup(name),
    missing: reader.missing,
  };
  return mergeFiles(files.map((file) => readFile(file, directory, inner)));
}

/** A service over what it extends. */
function extended(
  service: Mapping,
  file: Mapping,
  directory: string,
  reader: Reader,
  seen: readonly string[],
): Mapping {
  const { extends: base, ...own } = service;
  const here = absolute(own, directory);
  if (base === undefined) return here;
  const { file: otherFile, service: name = "" } = isMapping(base)
    ? { file: textOf(base.file), service: textOf(base.service) }
    : { file: undefined, service: textOf(base) };
  const place = otherFile === undefined ? undefined : path.resolve(directory, otherFile);
  const source = place === undefined ? file : readYaml(place, reader);
  const mark = `${place ?? seen[0]?.split("#")[0]}#${name}`;
  const found = mappingOf(source.services)[name];
  if (!isMapping(found))
    throw new Fault(`A service extends "${name}", which ${mark.split("#")[0]} does not have.`);
  if (seen.includes(mark)) throw new Fault(`The service "${name}" extends itself.`);
  const from = place === undefined ? directory : path.dirname(place);
  return mergeService(extended(found, source, from, reader, [...seen, mark]), here);
}

/** With paths that do not hang on where the file is. */
function absolute(service: Mapping, directory: string): Mapping {
  const at = (value: unknown) => path.resolve(directory, textOf(value) ?? ".");
  const ways: Readonly<Record<string, (value: unknown) => unknown>> = {
    build: (build) =>
      isMapping(build) ? { ...build, context: at(build.context) } : { context: at(build) },
    env_file: (files) =>
      listOf(files).map((one) =>
        isMapping(one) ? { ...one, path: at(one.path) } : { path: at(one) },
      ),
    volumes: (volumes) => listOf(volumes).map((one) => absoluteMount(one, directory)),
  };
  return Object.fromEntries(
    Object.entries(service).map(([key, value]) => {
      const way = ways[key];
      if (way === undefined || value === RESET) return [key, value];
      return [key, value instanceof Override ? new Override(way(value.value)) : way(value)];
    }),
  );
}

/** `./data:/data:ro`. A path by itself is one in the container. */
function absoluteMount(mount: unknown, directory: string): unknown {
  if (isMapping(mount)) {
    const { type, source } = mount;
    if (type !== "bind") return mount;
    return { ...mount, source: path.resolve(directory, textOf(source) ?? "") };
  }
  const text = textOf(mount) ?? "";
  const [source = "", ...rest] = text.split(":");
  if (rest.length === 0 || !/^[./]/.test(source)) return text;
  return [path.resolve(directory, source), ...rest].join(":");
}

function isWanted(asked: unknown, wanted: readonly string[]): boolean {
  const own = listOf(asked).map(textOf);
  return own.length === 0 || wanted.includes("*") || own.some((one) => wanted.includes(one ?? ""));
}

/** `env_file` below `environment`. A variable without a value is taken from outside. */
function withEnvironment(
  service: Mapping,
  { lookup, missing }: Reader,
  absent: (file: string) => void,
): Mapping {
  const { env_file: files, ...rest } = service;
  let values: Record<string, string | null> = {};
  for (const entry of listOf(files)) {
    const { path: file, required } = mappingOf(entry);
    const name = textOf(file) ?? "";
    if (fs.existsSync(name)) {
      const text = fs.readFileSync(name, "utf8");
      values = { ...values, ...parseEnvFile(text, lookup, (one) => missing.add(one)) };
    } else if (required === undefined || isTrue(required)) absent(name);
  }
  values = { ...values, ...variablesOf(service.environment) };
  const environment = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value ?? lookup(name) ?? null]),
  );
  return { ...rest, ...(Object.keys(environment).length > 0 && { environment }) };
}

/** @throws {Fault} when the file is not there or is no mapping in YAML. */
function readYaml(file: string, { lookup, missing }: Reader): Mapping {
  if (!fs.existsSync(file)) throw new Fault(`There is no file ${file}.`);
  const document = parseDocument(fs.readFileSync(file, "utf8"), {
    merge: true,
    logLevel: "silent",
  });
  const [error] = document.errors;
  if (error) throw new Fault(`${file}: ${error.message}`);
  visit(document, {
    Node(_, node) {
      if (!isScalar(node) && !isCollection(node)) return undefined;
      if (node.tag === "!reset") return new Scalar(RESET);
      if (node.tag === "!override") return new Scalar(new Override(node.toJS(document)));
      return undefined;
    },
  });
  const said = withValues(document.toJS(), lookup, missing);
  if (!isMapping(said))
    throw new Fault(`${file} is no compose file: it must be a mapping with services.`);
  return said;
}

function withValues(value: unknown, lookup: Lookup, missing: Set<string>): unknown {
  if (typeof value === "string") return interpolate(value, lookup, (name) => missing.add(name));
  if (Array.isArray(value)) return value.map((one) => withValues(one, lookup, missing));
  if (value instanceof Override) return new Override(withValues(value.value, lookup, missing));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, withValues(one, lookup, missing)]),
  );
}
