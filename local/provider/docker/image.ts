import * as path from "node:path";
import * as os from "node:os";
import type Docker from "dockerode";
import type { ImageInspectInfo } from "dockerode";
import type { ResourceType } from "../framework/provider";
import { boolean, list, map, number, object, set, string, type Fields } from "../framework/schema";
import { isZero, mapObject, members, text, texts, type Values } from "../framework/values";
import { buildContext } from "./build-context";
import type { DockerClient } from "./client";
import { found, messageOf } from "./engine-error";

const replace = { replace: true } as const;

const build: Fields = {
  context: string({ required: true, replace: true }),
  dockerfile: string({ replace: true, default: "Dockerfile" }),
  tags: list(string()),
  target: string(replace),
  platform: string(replace),
  buildArgs: map(string(), replace),
  labels: map(string(), replace),
  label: map(string()),
  noCache: boolean(replace),
  remove: boolean({ default: true }),
  forceRemove: boolean(replace),
  pullParent: boolean(replace),
  cacheFroms: list(string(), replace),
  cacheTos: list(string(), replace),
  extraHosts: list(string(), replace),
  networkMode: string(replace),
  shmSize: number(replace),
  memory: number(replace),
  memorySwap: number(replace),
  cpuShares: number(replace),
  cpuPeriod: number(replace),
  cpuQuota: number(replace),
  cpuSetCpus: string(replace),
  cpuSetMems: string(replace),
  cgroupParent: string(replace),
  isolation: string(replace),
  squash: boolean(replace),
  securityOpts: list(string(), replace),
  suppressOutput: boolean(replace),
  remoteContext: string(replace),
  sessionId: string(replace),
  buildId: string(replace),
  version: string(replace),
  ulimits: list(
    object({
      name: string({ required: true, replace: true }),
      hard: number({ required: true, replace: true }),
      soft: number({ required: true, replace: true }),
    }),
  ),
  authConfigs: list(
    object({
      hostName: string({ required: true }),
      userName: string(),
      password: string({ secret: true }),
      auth: string(),
      email: string(),
      serverAddress: string(),
      identityToken: string(),
      registryToken: string(),
    }),
  ),
  secrets: list(
    object({
      id: string({ required: true, replace: true }),
      src: string(replace),
      env: string(replace),
    }),
  ),
  additionalContexts: list(string(), replace),
  builder: string(replace),
  buildLogFile: string(replace),
  provenance: string(replace),
  sbom: string(replace),
  useLegacyBuilder: boolean(replace),
};

/** Build settings that need BuildKit, which an engine offers to Docker's own client only. */
const BUILDKIT_ONLY = [
  "secrets",
  "additionalContexts",
  "cacheTos",
  "builder",
  "sbom",
  "provenance",
];

/** Lines of the build's output that an error repeats. */
const LOG_LINES = 20;

const existing = (name: string, image: ImageInspectInfo) => {
  const repository = name.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
  const digests = image.RepoDigests ?? [];
  return {
    id: image.Id + name,
    state: {
      name,
      imageId: image.Id,
      repoDigest: digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0] ?? "",
    },
  };
};

const inspect = (engine: Docker, name: string): Promise<ImageInspectInfo | undefined> =>
  found(engine.getImage(name).inspect());

/** Follows a pull or build to its end. @throws {Error} with the last lines of its output */
async function follow(engine: Docker, what: string, output: NodeJS.ReadableStream): Promise<void> {
  const log: string[] = [];
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(
      output,
      (error) => (error && !failure ? reject(error) : resolve()),
      (event: { stream?: string; error?: string }) => {
        log.push(...(event.stream ?? "").split("\n").filter((line) => line.trim() !== ""));
        failure ??= event.error;
      },
    );
  });
  if (failure) {
    const tail = log.slice(-LOG_LINES).join("\n");
    throw new Error(`${what}: ${failure}${tail ? `\n${tail}` : ""}`);
  }
}

async function pull(client: DockerClient, name: string, platform: unknown): Promise<void> {
  const engine = await client.engine();
  const reference = /(@|:[^/]+$)/.test(name) ? name : `${name}:latest`;
  const failure = `unable to pull image ${name}`;
  let output: NodeJS.ReadableStream;
  try {
    output = await engine.pull(reference, {
      authconfig: client.authOf(name),
      ...(platform ? { platform: text(platform) } : {}),
    });
  } catch (error) {
    throw new Error(`${failure}: ${messageOf(error)}`, { cause: error });
  }
  await follow(engine, failure, output);
}

async function buildImage(client: DockerClient, name: string, args: Values): Promise<void> {
  const engine = await client.engine();
  const unsupported = BUILDKIT_ONLY.filter((property) => !isZero(args[property]));
  if (unsupported.length > 0) {
    throw new Error(
      `build.${unsupported.join(", build.")} need BuildKit, which the local stand-in does not offer`,
    );
  }
  const options = mapObject(
    {
      dockerfile: args.dockerfile,
      t: [name, ...texts(args.tags)],
      target: args.target,
      platform: args.platform,
      buildargs: args.buildArgs,
      labels: { ...members(args.label), ...members(args.labels) },
      nocache: args.noCache,
      rm: args.remove,
      forcerm: args.forceRemove,
      pull: args.pullParent === true ? "true" : undefined,
      cachefrom: args.cacheFroms,
      extrahosts: isZero(args.extraHosts) ? undefined : texts(args.extraHosts).join(","),
      networkmode: args.networkMode,
      shmsize: args.shmSize,
      memory: args.memory,
      memswap: args.memorySwap,
      cpushares: args.cpuShares,
      cpuperiod: args.cpuPeriod,
      cpuquota: args.cpuQuota,
      cpusetcpus: args.cpuSetCpus,
      squash: args.squash,
      q: args.suppressOutput,
    },
    (value) => value,
  );
  const context = path.resolve(text(args.context).replace(/^~(?=\/|$)/, os.homedir()));
  const output = await engine.buildImage(buildContext(context, text(args.dockerfile)), options);
  await follow(engine, `unable to build image ${name}`, output);
}

/** An image on the engine, pulled or built there. Other engines of a swarm do not get it. */
export const remoteImage: ResourceType<DockerClient> = {
  inputs: {
    name: string({ required: true, replace: true }),
    build: object(build),
    platform: string(replace),
    pullTriggers: set(string(), replace),
    triggers: map(string(), replace),
    keepLocally: boolean(),
    forceRemove: boolean(),
  },
  outputs: ["imageId", "repoDigest"],
  async create(client, inputs) {
    const engine = await client.engine();
    const name = text(inputs.name);
    if (!isZero(inputs.build)) {
      await buildImage(client, name, members(inputs.build));
    } else if (!(await inspect(engine, name))) {
      await pull(client, name, inputs.platform);
    }
    const image = await inspect(engine, name);
    if (!image) {
      throw new Error(`unable to find or pull image ${name}`);
    }
    return existing(name, image);
  },
  async read(client, id, known) {
    const name = text(known.name) || id.replace(/^sha256:[0-9a-f]{64}/, "");
    const image = await inspect(await client.engine(), name);
    return image && existing(name, image);
  },
  async update(client, _id, { news }) {
    const engine = await client.engine();
    const name = text(news.name);
    if (!(await inspect(engine, name))) {
      await pull(client, name, news.platform);
    }
    const image = await inspect(engine, name);
    if (!image) {
      throw new Error(`unable to find or pull image ${name}`);
    }
    return existing(name, image);
  },
  async delete(client, _id, state) {
    if (state.keepLocally === true) {
      return;
    }
    const engine = await client.engine();
    await found(engine.getImage(text(state.name)).remove({ force: state.forceRemove === true }));
  },
};
