import type { ResourceType } from "../../framework/provider";
import { string } from "../../framework/schema";
import type { ApiClient } from "../client";

interface ApiTag {
  readonly name: string;
  readonly resources: {
    readonly count: number;
    readonly droplets?: { readonly count: number };
    readonly images?: { readonly count: number };
    readonly volumes?: { readonly count: number };
    readonly volume_snapshots?: { readonly count: number };
    readonly databases?: { readonly count: number };
  };
}

const existing = ({ tag }: { tag: ApiTag }) => ({
  id: tag.name,
  state: {
    name: tag.name,
    totalResourceCount: tag.resources.count,
    dropletsCount: tag.resources.droplets?.count ?? 0,
    imagesCount: tag.resources.images?.count ?? 0,
    volumesCount: tag.resources.volumes?.count ?? 0,
    volumeSnapshotsCount: tag.resources.volume_snapshots?.count ?? 0,
    databasesCount: tag.resources.databases?.count ?? 0,
  },
});

const path = (name: string): string => `/tags/${encodeURIComponent(name)}`;

export const tag: ResourceType<ApiClient> = {
  inputs: { name: string({ replace: true }) },
  outputs: [
    "totalResourceCount",
    "dropletsCount",
    "imagesCount",
    "volumesCount",
    "volumeSnapshotsCount",
    "databasesCount",
  ],
  autoname: true,
  async create(client, inputs) {
    return existing(await client.post<{ tag: ApiTag }>("/tags", { name: inputs.name }));
  },
  async read(client, id) {
    const found = await client.find<{ tag: ApiTag }>(path(id));
    return found && existing(found);
  },
  delete: (client, id) => client.remove(path(id)),
};
