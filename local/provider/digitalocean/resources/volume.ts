import type { ResourceType } from "../../framework/provider";
import { lowerCase, number, string } from "../../framework/schema";
import { integer, text, texts } from "../../framework/values";
import type { ApiClient } from "../client";
import { retag, tagSet } from "../tags";
import { act } from "../wait";

export interface ApiVolume {
  readonly id: string;
  readonly name: string;
  readonly region: { readonly slug: string };
  readonly size_gigabytes: number;
  readonly description: string;
  readonly filesystem_type: string;
  readonly filesystem_label: string;
  readonly droplet_ids: readonly number[] | null;
  readonly tags: readonly string[] | null;
}

/** Empty texts are left as they were (P volume/resource_volume.go: Read). */
function existing({ volume }: { volume: ApiVolume }) {
  return {
    id: volume.id,
    state: {
      name: volume.name,
      region: volume.region.slug,
      size: volume.size_gigabytes,
      volumeUrn: `do:volume:${volume.id}`,
      tags: [...(volume.tags ?? [])],
      dropletIds: [...(volume.droplet_ids ?? [])],
      ...(volume.description ? { description: volume.description } : {}),
      filesystemType: volume.filesystem_type,
      filesystemLabel: volume.filesystem_label,
      ...(volume.filesystem_type ? { initialFilesystemType: volume.filesystem_type } : {}),
      ...(volume.filesystem_label ? { initialFilesystemLabel: volume.filesystem_label } : {}),
    },
  };
}

export const volume: ResourceType<ApiClient> = {
  inputs: {
    name: string({ replace: true }),
    region: string({ required: true, replace: true, state: lowerCase }),
    size: number({ required: true }),
    description: string({ replace: true }),
    snapshotId: string({ replace: true }),
    filesystemType: string({ computed: true }),
    initialFilesystemType: string({ replace: true }),
    initialFilesystemLabel: string({ replace: true }),
    tags: tagSet(),
  },
  outputs: ["volumeUrn", "dropletIds", "filesystemLabel"],
  autoname: true,
  refuse(olds, news) {
    if (typeof news.size === "number" && news.size < integer(olds.size)) {
      throw new Error(
        `volumes \`size\` can only be expanded and not shrunk (${integer(olds.size)} GiB to ${news.size} GiB)`,
      );
    }
  },
  async create(client, inputs) {
    return existing(
      await client.post<{ volume: ApiVolume }>("/volumes", {
        name: inputs.name,
        region: lowerCase(text(inputs.region)),
        size_gigabytes: inputs.size,
        description: text(inputs.description),
        snapshot_id: inputs.snapshotId,
        filesystem_type: text(inputs.initialFilesystemType ?? inputs.filesystemType),
        filesystem_label: text(inputs.initialFilesystemLabel),
        tags: texts(inputs.tags),
      }),
    );
  },
  async read(client, id) {
    const found = await client.find<{ volume: ApiVolume }>(`/volumes/${id}`);
    return found && existing(found);
  },
  async update(client, id, { olds, news, changed }) {
    if (changed("size")) {
      await act(client, `resizing Volume ${id}`, `/volumes/${id}/actions`, {
        type: "resize",
        size_gigabytes: news.size,
        region: lowerCase(text(news.region)),
      });
    }
    if (changed("tags")) {
      await retag(client, { id, type: "volume" }, olds.tags, news.tags);
    }
    return existing(await client.get<{ volume: ApiVolume }>(`/volumes/${id}`));
  },
  delete: (client, id) => client.remove(`/volumes/${id}`),
};
