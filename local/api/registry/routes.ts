import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, notFound, preconditionFailed, unprocessable } from "../errors";
import { parse } from "../input";
import { RegistryContents } from "./contents";
import {
  accessOf,
  registryHost,
  type RegistryRecord,
  registryView,
  subscribe,
  subscriptionOf,
  subscriptionView,
} from "./model";
import { repositoryRoutes } from "./repository-routes";
import { allowsRepositories, registryRegions, tiers, tierSlugs } from "./tiers";

interface RegistryPath {
  Params: { registry: string };
}

const name = z
  .string({ error: "name is required" })
  .regex(/^[a-z0-9-]{1,63}$/, "name must be 1 to 63 lowercase letters, digits and dashes");

const creation = z.object({
  name,
  subscription_tier_slug: z.enum(tierSlugs).nullish(),
  region: z.string().nullish(),
});

/** https://docs.digitalocean.com/products/container-registry/details/limits/ */
const mostRegistries = { starter: 1, basic: 1, professional: 10 } as const;

/**
 * The account's container registries.
 *
 * https://docs.digitalocean.com/reference/api/digitalocean/#tag/Container-Registries
 */
export function registryRoutes(app: FastifyInstance, context: Context): void {
  const { store, registry: server, now } = context;
  const bases = ["/v2/registry", "/v2/registries"] as const;

  const find = (wanted: string): RegistryRecord => {
    const found = store.registries.get(wanted);
    if (!found) throw notFound("registry does not exist");
    return found;
  };
  /** The one that the older paths mean. */
  const only = (): RegistryRecord => {
    const [first] = store.registries.all();
    if (!first) throw notFound("registry does not exist");
    return first;
  };
  const contentsOf = (wanted: string) => new RegistryContents(server, find(wanted).name);
  const view = (record: RegistryRecord) => {
    const subscription = subscriptionOf(store);
    return {
      ...registryView(record),
      ...(subscription && { subscription: subscriptionView(subscription) }),
    };
  };

  const create = async (body: unknown): Promise<RegistryRecord> => {
    const input = parse(creation, body);
    const region = input.region || "nyc3";
    if (!registryRegions.includes(region))
      throw unprocessable(`region must be one of ${registryRegions.join(", ")}`);
    const record: RegistryRecord = { name: input.name, region, createdAt: now().toISOString() };
    store.transaction(() => {
      const tier = input.subscription_tier_slug ?? subscriptionOf(store)?.tier ?? "starter";
      if (store.registries.get(record.name)) throw conflict("registry name is already in use");
      if (store.registries.count() >= mostRegistries[tier])
        throw preconditionFailed(`the ${tier} tier has at most ${mostRegistries[tier]} registries`);
      store.registries.put(record.name, record);
      subscribe(store, tier, record.createdAt);
    });
    try {
      await server.sync();
    } catch (error) {
      store.transaction(() => store.registries.remove(record.name));
      throw error;
    }
    return record;
  };

  const remove = async ({ name: gone }: RegistryRecord) => {
    const contents = contentsOf(gone);
    // With the last registry the server goes, and all its images.
    if (store.registries.count() > 1)
      for (const repository of await contents.repositories())
        for (const { digest } of await contents.manifests(repository))
          await contents.deleteManifest(repository, digest);
    store.transaction(() => store.registries.remove(gone));
    await server.sync();
  };

  /** Docker's `config.json`. The local server knows one login, for reading and writing, that does not end. */
  const credentials = () => {
    const access = accessOf(store);
    if (!access) throw notFound("registry does not exist");
    const auth = Buffer.from(`${access.username}:${access.password}`).toString("base64");
    return { auths: { [registryHost]: { auth } } };
  };

  app.get("/v2/registry", () => ({ registry: view(only()) }));
  app.get("/v2/registries", () => ({ registries: store.registries.all().map(view) }));
  for (const base of bases)
    app.post(base, async (request, reply) => {
      const record = await create(request.body);
      return reply.code(201).send({ registry: view(record) });
    });
  app.get<RegistryPath>("/v2/registries/:registry", ({ params }) => ({
    registry: registryView(find(params.registry)),
  }));
  app.delete("/v2/registry", async (_request, reply) => {
    await remove(only());
    return reply.code(204).send();
  });
  app.delete<RegistryPath>("/v2/registries/:registry", async (request, reply) => {
    await remove(find(request.params.registry));
    return reply.code(204).send();
  });

  app.get("/v2/registry/docker-credentials", () => {
    only();
    return credentials();
  });
  app.get<RegistryPath>("/v2/registries/:registry/docker-credentials", ({ params }) => {
    find(params.registry);
    return credentials();
  });

  const mostRepositories = async (): Promise<number> => {
    const names = store.registries.all().map((each) => each.name);
    const counts = names.map(async (each) => (await contentsOf(each).repositories()).length);
    return Math.max(0, ...(await Promise.all(counts)));
  };
  const options = async () => {
    const count = await mostRepositories();
    return {
      options: {
        available_regions: registryRegions,
        subscription_tiers: tierSlugs.map((slug) => {
          const eligible = allowsRepositories(slug, count);
          return {
            ...tiers[slug],
            eligible,
            ...(!eligible && { eligibility_reasons: ["OverRepositoryLimit"] }),
          };
        }),
      },
    };
  };
  const subscription = () => {
    const found = subscriptionOf(store);
    if (!found) throw notFound("subscription does not exist");
    return { subscription: subscriptionView(found) };
  };
  const resubscribe = async (body: unknown) => {
    const { tier_slug: tier } = parse(z.object({ tier_slug: z.enum(tierSlugs) }), body);
    if (
      store.registries.count() > mostRegistries[tier] ||
      !allowsRepositories(tier, await mostRepositories())
    )
      throw preconditionFailed(`the ${tier} tier does not hold what the account has`);
    store.transaction(() => subscribe(store, tier, now().toISOString()));
    return subscription();
  };

  for (const base of bases) {
    app.get(`${base}/options`, options);
    app.get(`${base}/subscription`, subscription);
    app.post(`${base}/subscription`, ({ body }) => resubscribe(body));
    app.post(`${base}/validate-name`, (request, reply) => {
      const input = parse(z.object({ name }), request.body);
      if (store.registries.get(input.name)) throw conflict("registry name is already in use");
      return reply.code(204).send();
    });
    repositoryRoutes(app, base, contentsOf);
  }
}
