import type { ResourceType } from "../../framework/provider";
import { set, string } from "../../framework/schema";
import { texts } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { goTime } from "../spelling";
import { until } from "../wait";

interface ApiPeering {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly vpc_ids: readonly string[];
  readonly created_at: string;
}

type Answer = { readonly vpc_peering: ApiPeering };

// P vpcpeering/resource_vpcpeering.go: Delete.
const FREE_MS = 2 * 60 * 1000;
const GONE_MS = 10 * 60 * 1000;

const existing = ({ vpc_peering: peering }: Answer) => ({
  id: peering.id,
  state: {
    name: peering.name,
    status: peering.status,
    vpcIds: peering.vpc_ids,
    createdAt: goTime(peering.created_at),
  },
});

/** Joins two VPCs. Creating does not wait until traffic flows, as officially. */
export const vpcPeering: ResourceType<ApiClient> = {
  inputs: { name: string(), vpcIds: set(string(), { required: true, replace: true }) },
  outputs: ["status", "createdAt"],
  autoname: true,
  async create(client, inputs) {
    const { vpc_peering: made } = await client.post<Answer>("/vpc_peerings", {
      name: inputs.name,
      vpc_ids: texts(inputs.vpcIds),
    });
    return existing(
      (await client.find<Answer>(`/vpc_peerings/${made.id}`)) ?? { vpc_peering: made },
    );
  },
  async read(client, id) {
    const found = await client.find<Answer>(`/vpc_peerings/${id}`);
    return found && existing(found);
  },
  async update(client, id, { news }) {
    await client.patch(`/vpc_peerings/${id}`, { name: news.name });
    return existing(await client.get<Answer>(`/vpc_peerings/${id}`));
  },
  async delete(client, id) {
    const deadline = Date.now() + FREE_MS;
    await until(client, `VPC peering ${id} to be free`, async () => {
      try {
        await client.remove(`/vpc_peerings/${id}`);
        return true;
      } catch (error) {
        if (hasStatus(error, 403) && Date.now() < deadline) {
          return undefined;
        }
        throw error;
      }
    });
    await until(
      client,
      `VPC peering ${id} to be deleted`,
      async () => ((await client.find(`/vpc_peerings/${id}`)) ? undefined : true),
      GONE_MS,
    );
  },
};
