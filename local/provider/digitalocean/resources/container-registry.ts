import type { ResourceType } from "../../framework/provider";
import { boolean, number, string } from "../../framework/schema";
import { integer, text, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { goTime } from "../spelling";

interface ApiRegistry {
  readonly name: string;
  readonly region: string;
  readonly created_at: string;
  readonly storage_usage_bytes?: number;
}

interface ApiSubscription {
  readonly subscription: { readonly tier: { readonly slug: string } };
}

/** Where every registry answers (P registry/resource_container_registry.go: RegistryHostname). */
const HOST = "registry.digitalocean.com";
/** The longest life of credentials, about 50 years (P registry/resource_container_registry_docker_credentials.go). */
const LONGEST_SECONDS = 1576800000;

/** A registry with the account's subscription; `undefined` when there is none of that name. */
export async function registryState(
  client: ApiClient,
  name: string,
): Promise<{ id: string; state: Values } | undefined> {
  const found = await client.find<{ registry: ApiRegistry }>(`/registries/${name}`);
  if (!found) {
    return undefined;
  }
  const { registry } = found;
  const { subscription } = await client.get<ApiSubscription>("/registries/subscription");
  return {
    id: registry.name,
    state: {
      name: registry.name,
      region: registry.region,
      endpoint: `${HOST}/${registry.name}`,
      serverUrl: HOST,
      createdAt: goTime(registry.created_at),
      storageUsageBytes: registry.storage_usage_bytes ?? 0,
      subscriptionTierSlug: subscription.tier.slug,
    },
  };
}

async function existing(client: ApiClient, name: string) {
  const state = await registryState(client, name);
  if (!state) {
    throw new Error(`container registry ${name} vanished`);
  }
  return state;
}

/** The account's container registry. */
export const containerRegistry: ResourceType<ApiClient> = {
  inputs: {
    name: string({ replace: true }),
    region: string({ replace: true, computed: true }),
    subscriptionTierSlug: string({ required: true }),
  },
  outputs: ["createdAt", "endpoint", "serverUrl", "storageUsageBytes"],
  autoname: true,
  async create(client, inputs, creation) {
    const { registry } = await client.post<{ registry: ApiRegistry }>("/registry", {
      name: inputs.name,
      subscription_tier_slug: inputs.subscriptionTierSlug,
      ...(inputs.region ? { region: inputs.region } : {}),
    });
    creation.exists(registry.name);
    return existing(client, registry.name);
  },
  read: (client, id) => registryState(client, id),
  async update(client, id, { news, changed }) {
    if (changed("subscriptionTierSlug")) {
      await client.post("/registries/subscription", { tier_slug: news.subscriptionTierSlug });
    }
    return existing(client, id);
  },
  delete: (client, id) => client.remove(`/registries/${id}`),
};

/** New credentials, as the content of Docker's `config.json`, and when they end. */
async function issue(client: ApiClient, inputs: Values): Promise<Values> {
  const seconds = integer(inputs.expirySeconds);
  const credentials = await client.get<object>(
    `/registries/${text(inputs.registryName)}/docker-credentials` +
      `?read_write=${inputs.write === true}&expiry_seconds=${seconds}`,
  );
  const end = new Date(Date.now() + seconds * 1000);
  return {
    dockerCredentials: JSON.stringify(credentials),
    // Go's RFC 3339 has no fractions.
    credentialExpirationTime: end.toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

/**
 * Docker's credentials for a registry, renewed by a refresh after they have ended.
 *
 * Deleting does not revoke them: that has no place in the API, and the official provider's
 * (cloud.digitalocean.com/v1/oauth/revoke) knows nothing of a local cloud.
 */
export const containerRegistryDockerCredentials: ResourceType<ApiClient> = {
  inputs: {
    registryName: string({ required: true, replace: true }),
    write: boolean({ default: false }),
    expirySeconds: number({ default: LONGEST_SECONDS }),
  },
  outputs: ["dockerCredentials", "credentialExpirationTime"],
  secretOutputs: ["dockerCredentials"],
  validate: ({ expirySeconds }) =>
    typeof expirySeconds === "number" && (expirySeconds < 0 || expirySeconds > LONGEST_SECONDS)
      ? [
          {
            property: "expirySeconds",
            reason: `expected expiry_seconds to be in the range (0 - ${LONGEST_SECONDS}), got ${expirySeconds}`,
          },
        ]
      : [],
  create: async (client, inputs) => ({
    id: text(inputs.registryName),
    state: await issue(client, inputs),
  }),
  async read(client, id, known) {
    const registryName = text(known.registryName) || id;
    if (!(await client.find(`/registries/${registryName}`))) {
      return undefined;
    }
    const end = Date.parse(text(known.credentialExpirationTime));
    const inputs = {
      registryName,
      write: known.write ?? false,
      expirySeconds: known.expirySeconds,
    };
    return {
      id: registryName,
      state: {
        ...inputs,
        // Of an import, no end is known.
        ...(end >= Date.now()
          ? {}
          : await issue(client, {
              ...inputs,
              expirySeconds: inputs.expirySeconds ?? LONGEST_SECONDS,
            })),
      },
    };
  },
  update: async (client, id, { news }) => ({ id, state: await issue(client, news) }),
  delete: () => Promise.resolve(),
};
