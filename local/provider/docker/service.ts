import type Docker from "dockerode";
import type { ResourceType } from "../framework/provider";
import { isZero, items, members, text, type Values } from "../framework/values";
import type { DockerClient, RegistryAuth } from "./client";
import { nanoseconds } from "./duration";
import { found, messageOf } from "./engine-error";
import { poll } from "./poll";
import { pinned } from "./pin-image";
import { converge } from "./service-converge";
import { serviceFields } from "./service-fields";
import { serviceSpec } from "./service-spec";
import { serviceState } from "./service-state";

/** How long a service may take to expose its endpoint (K resource_docker_service_funcs.go: read). */
const READ_TIMEOUT_MS = 30 * 1000;
/** Two updates at once: swarm refuses the one with the older version (moby/moby#30794). */
const OUT_OF_SEQUENCE_RETRIES = 10;

async function readService(client: DockerClient, id: string) {
  const engine = await client.engine();
  let gone = false;
  const state = await poll(READ_TIMEOUT_MS, client.signal, async () => {
    const service = (await found(engine.getService(id).inspect())) as Values | undefined;
    gone = service === undefined;
    return service ? serviceState(service) : {};
  });
  if (gone) {
    return undefined;
  }
  if (!state) {
    throw new Error(`service ${id} does not expose its endpoint`);
  }
  return { id, state };
}

async function existing(client: DockerClient, id: string) {
  const service = await readService(client, id);
  if (!service) {
    throw new Error(`service ${id} vanished`);
  }
  return service;
}

function authOf(client: DockerClient, inputs: Values): RegistryAuth | undefined {
  const auth = members(inputs.auth);
  return isZero(auth)
    ? client.authOf(text(members(members(inputs.taskSpec).containerSpec).image))
    : {
        username: text(auth.username),
        password: text(auth.password),
        serveraddress: text(auth.serverAddress),
      };
}

/** The containers of a service on the engine we talk to, while it still exists. */
async function containersOf(engine: Docker, id: string): Promise<string[]> {
  // Docker answers 404 to a filter that names a service it does not have.
  const tasks = await found(engine.listTasks({ filters: JSON.stringify({ service: [id] }) }));
  return items(tasks)
    .map((task) => members(members(task).Status))
    .filter(({ State }) => State !== "shutdown")
    .map(({ ContainerStatus }) => text(members(ContainerStatus).ContainerID))
    .filter((container) => container !== "");
}

/** Removes a service and, where `stopGracePeriod` is set, waits that long for its containers to end. */
async function removeService(client: DockerClient, id: string, state: Values): Promise<void> {
  const engine = await client.engine();
  const container = members(members(state.taskSpec).containerSpec);
  const graceMs = nanoseconds(text(container.stopGracePeriod)) / 1e6;
  const containers = graceMs > 0 ? await containersOf(engine, id) : [];
  await found(engine.getService(id).remove());
  for (const one of containers) {
    const ended = await poll(graceMs, client.signal, async () =>
      (await found(engine.getContainer(one).inspect())) ? undefined : true,
    );
    if (!ended) {
      await found(engine.getContainer(one).remove({ force: true, v: true })).catch(
        (error: unknown) => {
          if (!/already in progress/.test(messageOf(error))) {
            throw error;
          }
        },
      );
    }
  }
}

export const service: ResourceType<DockerClient> = {
  inputs: serviceFields,
  outputs: [],
  autoname: true,
  validate: (inputs) =>
    members(inputs.mode).global === true && !isZero(inputs.convergeConfig)
      ? [{ property: "convergeConfig", reason: "convergeConfig conflicts with mode.global" }]
      : [],
  async create(client, inputs, creation) {
    const engine = await client.engine();
    const spec = await pinned(client, serviceSpec(inputs), authOf(client, inputs));
    // With one argument dockerode would send the whole spec as credentials.
    const made = (await engine.createService(
      authOf(client, inputs) as Docker.AuthConfig,
      spec,
    )) as unknown as { id?: string; ID?: string };
    const id = made.id ?? made.ID ?? "";
    creation.exists(id);
    if (!isZero(inputs.convergeConfig)) {
      try {
        await converge(client, id, members(inputs.convergeConfig));
      } catch (error) {
        await removeService(client, id, {});
        creation.gone();
        throw error;
      }
    }
    return existing(client, id);
  },
  read: (client, id) => readService(client, id),
  async update(client, id, { news }) {
    const engine = await client.engine();
    const spec = serviceSpec(news);
    for (let attempt = 1; ; attempt++) {
      const { Version } = (await engine.getService(id).inspect()) as { Version: { Index: number } };
      try {
        // Without query and body apart, dockerode would put all of it into the address, credentials too.
        await engine.getService(id).update({
          authconfig: authOf(client, news),
          _query: { version: Version.Index },
          _body: spec,
        });
        break;
      } catch (error) {
        if (attempt > OUT_OF_SEQUENCE_RETRIES || !/out of sequence/.test(messageOf(error))) {
          throw error;
        }
      }
    }
    if (!isZero(news.convergeConfig)) {
      await converge(client, id, members(news.convergeConfig));
    }
    return existing(client, id);
  },
  delete: removeService,
};
