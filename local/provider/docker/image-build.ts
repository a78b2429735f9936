import * as os from "node:os";
import * as path from "node:path";
import { boolean, list, map, number, object, string, type Fields } from "../framework/schema";
import { isZero, mapObject, members, text, texts, type Values } from "../framework/values";
import { buildContext } from "./build-context";
import type { DockerClient } from "./client";
import { follow } from "./progress";

const replace = { replace: true } as const;

/** `build` of both image types (K resource_docker_image.go). */
export const buildFields: Fields = {
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

/** Builds on the engine. @throws {Error} with the last lines of the build's output */
export async function buildImage(client: DockerClient, name: string, args: Values): Promise<void> {
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
