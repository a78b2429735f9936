import type Docker from "dockerode";
import type { ImageInspectInfo } from "dockerode";
import type { ResourceType } from "../framework/provider";
import { boolean, map, object, set, string } from "../framework/schema";
import { isZero, members, text } from "../framework/values";
import type { DockerClient } from "./client";
import { found, messageOf } from "./engine-error";
import { buildFields, buildImage } from "./image-build";
import { follow } from "./progress";

const replace = { replace: true } as const;

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

/** An image on the engine, pulled or built there. Other engines of a swarm do not get it. */
export const remoteImage: ResourceType<DockerClient> = {
  inputs: {
    name: string({ required: true, replace: true }),
    build: object(buildFields),
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
