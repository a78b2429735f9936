import type { ResourceType } from "../../framework/provider";
import { lowerCase, string } from "../../framework/schema";
import { text } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { until } from "../wait";

interface ApiVpc {
  readonly id: string;
  readonly urn: string;
  readonly name: string;
  readonly description: string;
  readonly region: string;
  readonly ip_range: string;
  readonly default: boolean;
  readonly created_at: string;
}

/** A deleted Droplet leaves its VPC a little later; the official provider waits as long (P vpc/resource_vpc.go). */
const MEMBERS_LEAVE_MS = 2 * 60 * 1000;

const existing = (vpc: ApiVpc) => ({
  id: vpc.id,
  state: {
    name: vpc.name,
    region: vpc.region,
    description: vpc.description,
    ipRange: vpc.ip_range,
    vpcUrn: vpc.urn,
    default: vpc.default,
    createdAt: vpc.created_at,
  },
});

export const vpc: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    region: string({ required: true, replace: true, state: lowerCase }),
    description: string(),
    ipRange: string({ replace: true, computed: true }),
  },
  outputs: ["vpcUrn", "default", "createdAt"],
  autoname: true,
  async create(client, inputs) {
    const { vpc: made } = await client.post<{ vpc: ApiVpc }>("/vpcs", {
      name: inputs.name,
      region: lowerCase(text(inputs.region)),
      ...(inputs.description ? { description: inputs.description } : {}),
      ...(inputs.ipRange ? { ip_range: inputs.ipRange } : {}),
    });
    return existing(made);
  },
  async read(client, id) {
    const found = await client.find<{ vpc: ApiVpc }>(`/vpcs/${id}`);
    return found && existing(found.vpc);
  },
  async update(client, id, { olds, news }) {
    const { vpc: updated } = await client.put<{ vpc: ApiVpc }>(`/vpcs/${id}`, {
      name: news.name,
      description: text(news.description),
      default: olds.default === true,
    });
    return existing(updated);
  },
  async delete(client, id) {
    const deadline = Date.now() + MEMBERS_LEAVE_MS;
    await until(client, `the members of VPC ${id} to leave`, async () => {
      try {
        await client.remove(`/vpcs/${id}`);
        return true;
      } catch (error) {
        if (hasStatus(error, 403, 409) && Date.now() < deadline) {
          return undefined;
        }
        throw error;
      }
    });
  },
};
