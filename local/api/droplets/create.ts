import { z } from "zod";
import { beginAction, type ActionRecord } from "../actions/model";
import { findRegion } from "../catalogue/regions";
import { findSize } from "../catalogue/sizes";
import type { Context } from "../context";
import { unprocessable } from "../errors";
import { findImage } from "../images/model";
import { tagList } from "../input";
import { assign } from "../projects/model";
import { takePublicAddress } from "../reserved-ips/model";
import { findSshKey } from "../ssh-keys/model";
import { ensureTags } from "../tags/model";
import { findVolume } from "../volumes/model";
import { defaultVpc, findVpc, type VpcRecord } from "../vpcs/model";
import { takePrivateAddress } from "../vpcs/private-address";
import { backupPolicy, hostname, hostnameRule, ipv6Of, toBackupPolicy } from "./actions";
import type { DropletRecord } from "./model";

/** https://docs.digitalocean.com/products/droplets/how-to/provide-user-data/ */
const maxUserDataBytes = 64 * 1024;

/** https://docs.digitalocean.com/reference/api/ "Create a New Droplet" */
const maxNames = 10;

const invalid = (what: string) => `You specified an invalid ${what} for Droplet creation.`;

export const dropletCreation = z.object({
  name: z.string().nullish(),
  names: z.array(z.string()).nullish(),
  region: z.string().nullish(),
  size: z.string({ error: invalid("size") }),
  image: z.union([z.string(), z.number()], { error: invalid("image") }),
  ssh_keys: z.array(z.union([z.string(), z.number()])).nullish(),
  backups: z.boolean().nullish(),
  backup_policy: backupPolicy.nullish(),
  ipv6: z.boolean().nullish(),
  monitoring: z.boolean().nullish(),
  tags: tagList,
  user_data: z.string().nullish(),
  volumes: z.array(z.union([z.string(), z.object({ id: z.string() })])).nullish(),
  vpc_uuid: z.string().nullish(),
  with_droplet_agent: z.boolean().nullish(),
  public_networking: z.boolean().nullish(),
});

type Input = z.output<typeof dropletCreation>;

function chooseVpc(context: Context, input: Input): VpcRecord {
  const { store } = context;
  if (!input.vpc_uuid) {
    const region = input.region || "nyc3";
    if (!findRegion(region)?.available) throw unprocessable(invalid("region"));
    return defaultVpc(context, region);
  }
  const vpc = findVpc(store, input.vpc_uuid);
  if (!vpc) throw unprocessable("You specified an invalid VPC for Droplet creation.");
  if (input.region && !findRegion(input.region)?.available) throw unprocessable(invalid("region"));
  if (input.region && input.region !== vpc.region)
    throw unprocessable("The VPC and the Droplet must be in the same region.");
  return vpc;
}

function chooseKeys({ store }: Context, given: readonly (string | number)[]): string[] {
  const found = given.map((each) => ({ each, key: findSshKey(store, each) }));
  const unknown = found.filter(({ key }) => !key).map(({ each }) => each);
  if (unknown.length > 0)
    throw unprocessable(`${unknown.join(", ")} are invalid key identifiers for Droplet creation.`);
  return found.flatMap(({ key }) => (key ? [key.publicKey] : []));
}

function chooseVolumes({ store }: Context, input: Input, region: string): string[] {
  const ids = (input.volumes ?? []).map((each) => (typeof each === "string" ? each : each.id));
  for (const id of ids) {
    const volume = findVolume(store, id);
    if (!volume) throw unprocessable(`Volume ${id} does not exist.`);
    if (volume.region !== region)
      throw unprocessable("Droplet and Volume must be in the same region.");
    if (volume.dropletId !== undefined || volume.busy)
      throw unprocessable("Storage Volumes can only be attached to one Droplet at a time.");
  }
  return ids;
}

export interface Created {
  readonly droplet: DropletRecord;
  readonly action: ActionRecord;
}

/** Checks the rules and begins the creation of one or several Droplets; call inside a transaction. */
export function createDroplets(context: Context, input: Input): Created[] {
  const { store, limits, now } = context;
  const names = input.names ?? [input.name ?? ""];
  if (names.length === 0 || names.length > maxNames)
    throw unprocessable(`names must have 1 to ${maxNames} entries`);
  for (const name of names)
    if (!hostname.test(name) || name.length > 255) throw unprocessable(hostnameRule);
  if (Buffer.byteLength(input.user_data ?? "") > maxUserDataBytes)
    throw unprocessable("User data is too long: at most 64 KiB are allowed.");
  const size = findSize(input.size);
  if (!size) throw unprocessable(invalid("size"));
  const image = findImage(store, input.image);
  if (!image) throw unprocessable(invalid("image"));
  const vpc = chooseVpc(context, input);
  const region = vpc.region;
  if (image.own && !image.own.regions.includes(region))
    throw unprocessable("The image is not available in the selected region.");
  if ((image.base?.minDiskGib ?? image.own?.minDiskGib ?? 0) > size.diskGib)
    throw unprocessable("This size is not available because it has a smaller disk.");
  if (store.droplets.count() + names.length > limits.droplets)
    throw unprocessable("creating this/these droplet(s) will exceed your droplet limit");
  const sshPublicKeys = chooseKeys(context, input.ssh_keys ?? []);
  const volumes = chooseVolumes(context, input, region);
  if (volumes.length > 0 && names.length > 1)
    throw unprocessable("Volumes cannot be attached while several Droplets are created.");
  const tags = ensureTags(context, input.tags ?? []);

  return names.map((name) => {
    const id = store.nextId("droplet");
    const droplet: DropletRecord = {
      id,
      name,
      region,
      size: size.slug,
      diskGib: size.diskGib,
      imageId: image.base?.id ?? image.own?.id ?? 0,
      baseImage: image.base?.slug ?? image.own?.baseSlug ?? "",
      status: "new",
      tags,
      vpcId: vpc.id,
      privateIp: takePrivateAddress(context, vpc.id),
      publicIp: input.public_networking === false ? undefined : takePublicAddress(context),
      ipv6: input.ipv6 ? ipv6Of(id) : undefined,
      backupPolicy: input.backups ? toBackupPolicy(input.backup_policy) : undefined,
      monitoring: input.monitoring === true,
      agent: input.with_droplet_agent !== false,
      userData: input.user_data || undefined,
      sshPublicKeys,
      deleting: false,
      failure: undefined,
      createdAt: now().toISOString(),
    };
    store.droplets.put(id, droplet);
    for (const volume of volumes) store.volumes.patch(volume, { dropletId: id });
    assign(context, `do:droplet:${id}`);
    const action = beginAction(
      context,
      "droplet.create",
      { dropletId: id },
      { type: "create", resourceId: id, resourceType: "droplet", region, dropletId: id },
    );
    return { droplet, action };
  });
}
