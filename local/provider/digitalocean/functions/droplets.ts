import { text, type Values } from "../../framework/values";
import { dropletState, type ApiDroplet } from "../resources/droplet-state";
import { lister, single, type Invoke } from "./lookup";

const droplet = (one: ApiDroplet): Values => ({
  ...dropletState(one),
  id: one.id,
  urn: `do:droplet:${one.id}`,
  image: one.image.slug ?? String(one.image.id),
  ipv6AddressPrivate: "",
  gpuPartitionMode: "",
});

export const getDroplet: Invoke = async (client, args) => {
  if (args.id !== undefined) {
    const { droplet: found } = await client.get<{ droplet: ApiDroplet }>(
      `/droplets/${text(args.id)}`,
    );
    return droplet(found);
  }
  const path = args.tag ? `/droplets?tag_name=${encodeURIComponent(text(args.tag))}` : "/droplets";
  const found = await client.all<ApiDroplet>(path, "droplets");
  const named = found.filter(({ name }) => args.tag !== undefined || name === args.name);
  return {
    ...droplet(
      single(
        named,
        `droplet with ${args.tag ? `tag ${text(args.tag)}` : `name ${text(args.name)}`}`,
      ),
    ),
    ...(args.tag ? { tag: args.tag } : {}),
  };
};

const DROPLET_KEYS = [
  "id",
  "name",
  "urn",
  "region",
  "image",
  "size",
  "disk",
  "vcpus",
  "memory",
  "priceHourly",
  "priceMonthly",
  "status",
  "locked",
  "createdAt",
  "vpcUuid",
  "ipv4Address",
  "ipv4AddressPrivate",
  "ipv6Address",
  "ipv6AddressPrivate",
  "backups",
  "ipv6",
  "privateNetworking",
  "monitoring",
  "volumeIds",
  "tags",
];

export const getDroplets = lister("droplets", "/droplets", "droplets", DROPLET_KEYS, droplet);
