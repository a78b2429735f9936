import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { badRequest, notFound, unprocessable } from "../errors";
import { findImage } from "../images/model";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";
import { note } from "./history";
import { fill } from "./members";
import {
  type AutoscalePoolRecord,
  desiredCount,
  eventView,
  membersOf,
  memberView,
  type PoolConfig,
  type PoolTemplate,
  poolView,
  stayingOf,
} from "./model";

interface PoolPath {
  Params: { pool: string };
}

const count = (name: string, most: number) => {
  const error = `config.${name} must be an integer from 1 to ${most}`;
  return z.int({ error }).min(1, { error }).max(most, { error });
};
const share = (name: string) => {
  const error = `config.${name} must be a number from 0.05 to 1`;
  return z.number({ error }).min(0.05, { error }).max(1, { error }).nullish();
};
const cooldown = "config.cooldown_minutes must be an integer from 5 to 20";

/** Limits are those of the API's description. */
const fixed = z.strictObject({ target_number_instances: count("target_number_instances", 1000) });
const byLoad = z.strictObject({
  min_instances: count("min_instances", 500),
  max_instances: count("max_instances", 1000),
  target_cpu_utilization: share("target_cpu_utilization"),
  target_memory_utilization: share("target_memory_utilization"),
  cooldown_minutes: z
    .int({ error: cooldown })
    .min(5, { error: cooldown })
    .max(20, { error: cooldown })
    .nullish(),
});

const required = (name: string) =>
  z.string({ error: `${name} is required` }).min(1, `${name} is required`);

const poolInput = z.object({
  name: required("name"),
  config: z.record(z.string(), z.unknown(), { error: "config is required" }),
  droplet_template: z.object(
    {
      name: z.string().nullish(),
      region: required("droplet_template.region"),
      size: required("droplet_template.size"),
      image: z.union([z.string(), z.number()], { error: "droplet_template.image is required" }),
      ssh_keys: z
        .array(z.union([z.string(), z.number()]), {
          error: "droplet_template.ssh_keys is required",
        })
        .min(1, "droplet_template.ssh_keys must name a key"),
      tags: z.array(z.string()).nullish(),
      vpc_uuid: z.string().nullish(),
      with_droplet_agent: z.boolean().nullish(),
      project_id: z.string().nullish(),
      ipv6: z.boolean().nullish(),
      user_data: z.string().nullish(),
      public_networking: z.boolean().nullish(),
    },
    { error: "droplet_template is required" },
  ),
});

/** Clients send what they leave out as null or empty. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== null && value !== undefined && value !== "",
    ),
  ) as { [K in keyof T]: NonNullable<T[K]> | undefined };

function readConfig(config: Readonly<Record<string, unknown>>): PoolConfig {
  if ("target_number_instances" in config) return parse(fixed, config);
  const read = parse(byLoad, config);
  if (read.min_instances > read.max_instances)
    throw unprocessable("config.min_instances must not be greater than config.max_instances");
  return given(read) as PoolConfig;
}

function readTemplate(
  { store }: Context,
  { image: wanted, ssh_keys: keys, tags, ...rest }: z.output<typeof poolInput>["droplet_template"],
): PoolTemplate {
  if (!findRegion(rest.region)?.available)
    throw unprocessable("droplet_template.region is invalid");
  if (rest.project_id && !store.projects.get(rest.project_id))
    throw unprocessable("droplet_template.project_id is invalid");
  const image = findImage(store, wanted);
  return {
    ...(given(rest) as Pick<PoolTemplate, "region" | "size">),
    // Shown by its id, whatever it was called by.
    image: String(image?.base?.id ?? image?.own?.id ?? wanted),
    ssh_keys: keys.map(String),
    tags: tags ?? [],
  };
}

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Droplet-Autoscale-Pools */
export function autoscaleRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;
  const path = "/v2/droplets/autoscale";

  const find = (id: string): AutoscalePoolRecord => {
    const pool = store.autoscalePools.get(id);
    // DigitalOcean's provider knows by this sentence that a pool is gone.
    if (!pool) throw notFound(`autoscale group with id ${id} not found`);
    return pool;
  };
  const answer = (id: string) => ({ autoscale_pool: poolView(store, find(id)) });

  /** Takes a configuration on: its first Droplets at once, so that what is wrong with them is told. Inside a transaction. */
  const apply = (pool: AutoscalePoolRecord): void => {
    const current = stayingOf(store, pool).length;
    store.autoscalePools.put(pool.id, pool);
    const desired = desiredCount(pool.config, current);
    note(context, pool.id, { reason: "CONFIGURATION_CHANGE", current, desired });
    fill(context, pool.id);
    lifecycle.begin("autoscale.converge", { poolId: pool.id });
  };

  app.get(path, (request) => {
    const { name } = request.query as Query;
    const found = store.autoscalePools.filter((pool) => !name || pool.name === name);
    return paginate(
      request,
      "autoscale_pools",
      found.map((pool) => poolView(store, pool)),
    );
  });

  app.post(path, (request, reply) => {
    const input = parse(poolInput, request.body);
    const at = now().toISOString();
    const pool: AutoscalePoolRecord = {
      id: randomUUID(),
      name: input.name,
      config: readConfig(input.config),
      template: readTemplate(context, input.droplet_template),
      generation: 1,
      made: 0,
      members: [],
      history: [],
      status: "active",
      createdAt: at,
      updatedAt: at,
    };
    lifecycle.commit(() => apply(pool));
    return reply.code(202).send(answer(pool.id));
  });

  app.get<PoolPath>(`${path}/:pool`, ({ params }) => answer(params.pool));

  app.put<PoolPath>(`${path}/:pool`, ({ params, body }) => {
    const input = parse(poolInput, body);
    const config = readConfig(input.config);
    const template = readTemplate(context, input.droplet_template);
    lifecycle.commit(() => {
      const pool = find(params.pool);
      if (pool.status === "deleting") throw unprocessable("the autoscale pool is being deleted");
      if (input.name !== pool.name) throw unprocessable("name cannot be updated");
      // Both are made by `readTemplate`, their keys in its order. Their prototypes need not be the same.
      const same = JSON.stringify(template) === JSON.stringify(pool.template);
      apply({
        ...pool,
        config,
        template,
        generation: same ? pool.generation : pool.generation + 1,
        updatedAt: now().toISOString(),
      });
    });
    return answer(params.pool);
  });

  const remove = async (id: string, kind: "autoscale.delete" | "autoscale.delete_dangerous") => {
    const { settled } = lifecycle.commit(() => {
      if (find(id).status === "deleting") return;
      store.autoscalePools.patch(id, { status: "deleting" });
      lifecycle.begin(kind, { poolId: id });
    });
    // Without waits it is gone when its deletion is acknowledged.
    if (lifecycle.scale === 0) await settled;
  };
  const requireDanger = ({ headers }: FastifyRequest) => {
    if (headers["x-dangerous"] !== "true")
      throw badRequest("The X-Dangerous header must be set to true");
  };

  app.delete<PoolPath>(`${path}/:pool`, async (request, reply) => {
    await remove(request.params.pool, "autoscale.delete");
    return reply.code(202).send();
  });

  app.delete<PoolPath>(`${path}/:pool/dangerous`, async (request, reply) => {
    requireDanger(request);
    await remove(request.params.pool, "autoscale.delete_dangerous");
    return reply.code(202).send();
  });

  app.get<PoolPath>(`${path}/:pool/members`, (request) => {
    const members = membersOf(store, find(request.params.pool));
    return paginate(
      request,
      "droplets",
      members.map((member) => memberView(store, member)),
    );
  });

  app.get<PoolPath>(`${path}/:pool/history`, (request) =>
    paginate(request, "history", find(request.params.pool).history.map(eventView)),
  );
}
