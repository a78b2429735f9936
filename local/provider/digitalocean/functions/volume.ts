import { text } from "../../framework/values";
import type { ApiVolume } from "../resources/volume";
import { single, type Invoke } from "./lookup";

export const getVolume: Invoke = async (client, args) => {
  const query = args.region ? `&region=${text(args.region)}` : "";
  const found = await client.all<ApiVolume>(
    `/volumes?name=${encodeURIComponent(text(args.name))}${query}`,
    "volumes",
  );
  const named = found.filter(
    (one) =>
      one.name === args.name &&
      (!args.region || one.region.slug === text(args.region).toLowerCase()),
  );
  const volume = single(named, `volume with name ${text(args.name)}`);
  return {
    id: volume.id,
    name: volume.name,
    region: volume.region.slug,
    size: volume.size_gigabytes,
    urn: `do:volume:${volume.id}`,
    description: volume.description,
    filesystemType: volume.filesystem_type,
    filesystemLabel: volume.filesystem_label,
    dropletIds: volume.droplet_ids ?? [],
    tags: volume.tags ?? [],
  };
};
