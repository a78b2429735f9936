import type { ResourceType } from "../../framework/provider";
import { boolean, number, object, set, string } from "../../framework/schema";
import { members, texts, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { fromApi, goTime, toApi } from "../spelling";
import { until } from "../wait";

interface ApiPool {
  readonly id: string;
  readonly name: string;
  readonly config: object;
  readonly droplet_template: object;
  readonly current_utilization?: object | null;
  readonly status: string;
  readonly created_at: string;
  readonly updated_at: string;
}

type Answer = { readonly autoscale_pool: ApiPool };

// P dropletautoscale/resource_droplet_autoscale.go: Create and Delete.
const ACTIVE_MS = 15 * 60 * 1000;
const GONE_MS = 60 * 1000;

const poolPath = (id: string): string => `/droplets/autoscale/${id}`;

/** `publicNetworking` is accepted but never sent, as officially (FACTS 20). */
function request(inputs: Values): Values {
  const { publicNetworking: _, sshKeys, tags, ...template } = members(inputs.dropletTemplate);
  return {
    name: inputs.name,
    config: toApi(members(inputs.config)),
    droplet_template: { ...toApi(template), ssh_keys: texts(sshKeys), tags: texts(tags) },
  };
}

/** The image stays as the program spelled it: the API answers with its ID. */
function existing({ autoscale_pool: pool }: Answer, known: Values) {
  const template = fromApi(pool.droplet_template);
  const { image, publicNetworking } = members(known.dropletTemplate);
  return {
    id: pool.id,
    state: {
      name: pool.name,
      config: fromApi(pool.config),
      dropletTemplate: { ...template, image: image ?? template.image, publicNetworking },
      currentUtilizations: pool.current_utilization ? [fromApi(pool.current_utilization)] : [],
      status: pool.status,
      createdAt: goTime(pool.created_at),
      updatedAt: goTime(pool.updated_at),
    },
  };
}

/** The pool once it and all its Droplets are active. */
async function whenActive(client: ApiClient, id: string): Promise<Answer> {
  return until(
    client,
    `Droplet autoscale pool ${id} to become active`,
    async () => {
      const now = await client.get<Answer>(poolPath(id));
      if (now.autoscale_pool.status !== "active") {
        return undefined;
      }
      const droplets = await client.all<{ status: string }>(`${poolPath(id)}/members`, "droplets");
      return droplets.every(({ status }) => status === "active") ? now : undefined;
    },
    ACTIVE_MS,
  );
}

/**
 * Droplets that DigitalOcean adds and removes by load. Deleting it destroys them; unlike the official provider
 * it waits the state `deleting` out, where that one fails (FACTS 20).
 */
export const dropletAutoscale: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    config: object(
      {
        minInstances: number(),
        maxInstances: number(),
        targetNumberInstances: number(),
        targetCpuUtilization: number(),
        targetMemoryUtilization: number(),
        cooldownMinutes: number(),
      },
      { required: true },
    ),
    dropletTemplate: object(
      {
        size: string({ required: true }),
        region: string({ required: true }),
        image: string({ required: true }),
        sshKeys: set(string(), { required: true }),
        tags: set(string()),
        vpcUuid: string(),
        projectId: string(),
        withDropletAgent: boolean(),
        ipv6: boolean(),
        publicNetworking: boolean(),
        userData: string(),
      },
      { required: true },
    ),
  },
  outputs: ["currentUtilizations", "status", "createdAt", "updatedAt"],
  autoname: true,
  async create(client, inputs, creation) {
    const made = await client.post<Answer>("/droplets/autoscale", request(inputs));
    creation.exists(made.autoscale_pool.id);
    return existing(await whenActive(client, made.autoscale_pool.id), inputs);
  },
  async read(client, id, known) {
    const found = await client.find<Answer>(poolPath(id));
    return found && existing(found, known);
  },
  async update(client, id, { news }) {
    await client.put(poolPath(id), request(news));
    return existing(await client.get<Answer>(poolPath(id)), news);
  },
  async delete(client, id) {
    await client.remove(`${poolPath(id)}/dangerous`, { "X-Dangerous": "true" });
    await until(
      client,
      `Droplet autoscale pool ${id} to be deleted`,
      async () => ((await client.find(poolPath(id))) ? undefined : true),
      GONE_MS,
    );
  },
};
