import type { CheckFailure } from "../framework/check";
import type { ResourceType } from "../framework/provider";
import { boolean, map, object, string } from "../framework/schema";
import { isZero, members, text, type Values } from "../framework/values";
import type { DockerClient, RegistryAuth } from "./client";
import { inspectDistribution } from "./distribution";
import { messageOf } from "./engine-error";
import { buildFields, buildImage } from "./image-build";
import { follow } from "./progress";

/** `registry.example:5000/app:1` → the repository and the tag. */
function reference(name: string): readonly [string, string] {
  const [, repository = name, tag = "latest"] = /^(.*?)(?::([^/:]+))?$/.exec(name) ?? [];
  return [repository, tag];
}

function authOf(client: DockerClient, inputs: Values): RegistryAuth {
  const auth = members(inputs.authConfig);
  return isZero(auth)
    ? client.authToPush(text(inputs.name))
    : {
        username: text(auth.username),
        password: text(auth.password),
        serveraddress: text(auth.address),
      };
}

/** Pushes from the engine. Gives the digest the registry has it under. */
async function push(client: DockerClient, inputs: Values): Promise<string> {
  const engine = await client.engine();
  const name = text(inputs.name);
  const [repository, tag] = reference(name);
  const failure = `Error pushing docker image ${name}`;
  let output: NodeJS.ReadableStream;
  try {
    const authconfig = authOf(client, inputs);
    output = await engine.getImage(repository).push({ tag, authconfig: authconfig as never });
  } catch (error) {
    throw new Error(`${failure}: ${messageOf(error)}`, { cause: error });
  }
  const told = await follow(engine, failure, output);
  const digest = text(told.find(({ Digest }) => Digest !== undefined)?.Digest);
  if (!digest) {
    throw new Error(`${failure}: the registry told no digest`);
  }
  return digest;
}

/** The registry is asked through the engine: what the node can pull is what counts. */
async function read(client: DockerClient, id: string, inputs: Values) {
  const found = await inspectDistribution(client, text(inputs.name), authOf(client, inputs));
  const digest = found?.Descriptor?.digest;
  return digest ? { id, state: { name: text(inputs.name), sha256Digest: digest } } : undefined;
}

const faults = ({ keepRemotely }: Values): CheckFailure[] =>
  keepRemotely === true
    ? []
    : [
        {
          property: "keepRemotely",
          reason:
            "keepRemotely must be true: the local stand-in deletes nothing from registries, " +
            "which it reaches through the engine only",
        },
      ];

/**
 * An image pushed to a registry by the engine that the provider talks to, with the credentials of the
 * provider's `registryAuth` or its own `authConfig`.
 *
 * Unlike the official provider, which asks the registry from this machine, it asks through the engine; so
 * `insecureSkipVerify` is the engine's setting.
 */
export const registryImage: ResourceType<DockerClient> = {
  inputs: {
    name: string({ replace: true }),
    authConfig: object({
      address: string({ required: true }),
      username: string(),
      password: string({ secret: true }),
    }),
    build: object(buildFields),
    insecureSkipVerify: boolean({ default: false }),
    keepRemotely: boolean({ default: false }),
    triggers: map(string(), { replace: true }),
  },
  outputs: ["sha256Digest"],
  autoname: true,
  validate: faults,
  async create(client, inputs) {
    if (!isZero(inputs.build)) {
      await buildImage(client, text(inputs.name), members(inputs.build));
    }
    const digest = await push(client, inputs);
    return { id: digest, state: { sha256Digest: digest } };
  },
  read: (client, id, known) => read(client, id, known),
  async update(client, id, { olds, news }) {
    return (await read(client, id, news)) ?? { id, state: { sha256Digest: olds.sha256Digest } };
  },
  delete: () => Promise.resolve(),
};
