import { z } from "zod";
import { beginAction, type ActionRecord } from "../actions/model";
import { findSize } from "../catalogue/sizes";
import type { Context } from "../context";
import { pendingEvent, unprocessable } from "../errors";
import { findImage } from "../images/model";
import type { JobParams } from "../lifecycle";
import { isPending, type BackupPolicy, type DropletRecord } from "./model";

export const backupPolicy = z.object({
  plan: z.enum(["daily", "weekly"]).default("weekly"),
  weekday: z.enum(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", ""]).nullish(),
  hour: z
    .union([z.literal(0), z.literal(4), z.literal(8), z.literal(12), z.literal(16), z.literal(20)])
    .nullish(),
});

export const defaultBackupPolicy: BackupPolicy = { plan: "weekly", weekday: "SUN", hour: 0 };

export const toBackupPolicy = (
  input: z.output<typeof backupPolicy> | null | undefined,
): BackupPolicy =>
  input
    ? {
        plan: input.plan,
        weekday: input.plan === "weekly" ? input.weekday || "SUN" : undefined,
        hour: input.hour ?? 0,
      }
    : defaultBackupPolicy;

export const dropletAction = z.object({
  type: z.string({ error: "Type is required" }),
  name: z.string().nullish(),
  size: z.string().nullish(),
  disk: z.boolean().nullish(),
  image: z.union([z.string(), z.number()]).nullish(),
  backup_policy: backupPolicy.nullish(),
});

type Input = z.output<typeof dropletAction>;

/** https://docs.digitalocean.com/reference/api/ "Droplets": only valid hostname characters. */
export const hostname = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;
export const hostnameRule =
  "Name Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)";

/** The IPv6 address of a Droplet, from the range kept for private use; no packet is carried over it. */
export const ipv6Of = (id: number) =>
  `fd00:d0:0:${Math.floor(id / 65536).toString(16)}::${(id % 65536).toString(16)}`;

interface Plan {
  /** Transition. */
  readonly kind: string;
  readonly params?: JobParams;
  /** Changes that hold from the moment the action is accepted. */
  readonly now?: Partial<DropletRecord>;
}

/** What an action does to this Droplet now; throws when its rules do not allow it. */
function plan({ store }: Context, droplet: DropletRecord, input: Input): Plan {
  const note = (changes: Partial<DropletRecord>): Plan => ({ kind: "droplet.note", now: changes });
  switch (input.type) {
    case "power_on":
      if (droplet.status === "active") throw unprocessable("Droplet is already powered on.");
      return { kind: "droplet.power_on" };
    case "power_off":
      if (droplet.status === "off") throw unprocessable("Droplet is already powered off.");
      return { kind: "droplet.power_off" };
    case "shutdown":
      return { kind: "droplet.shutdown" };
    case "reboot":
      if (droplet.status === "off") throw unprocessable("Droplet is powered off.");
      return { kind: "droplet.reboot" };
    case "power_cycle":
      return { kind: "droplet.power_cycle" };
    case "rename":
      if (!input.name || !hostname.test(input.name) || input.name.length > 255)
        throw unprocessable(hostnameRule);
      return { kind: "droplet.rename", params: { name: input.name } };
    case "snapshot":
      return { kind: "droplet.snapshot", ...(input.name && { params: { name: input.name } }) };
    case "resize":
      return resize(droplet, input);
    case "rebuild":
    case "restore": {
      const image = findImage(store, input.image ?? "");
      if (!image) throw unprocessable("You specified an invalid image for the Droplet.");
      if ((image.own?.minDiskGib ?? 0) > droplet.diskGib)
        throw unprocessable("The image is larger than the Droplet's disk.");
      return {
        kind: "droplet.rebuild",
        params: { imageId: image.base?.id ?? image.own?.id ?? 0 },
      };
    }
    case "enable_backups":
      if (droplet.backupPolicy) throw unprocessable("Backups are already enabled on this Droplet.");
      return note({ backupPolicy: toBackupPolicy(input.backup_policy) });
    case "change_backup_policy":
      if (!droplet.backupPolicy) throw unprocessable("Backups are not enabled on this Droplet.");
      return note({ backupPolicy: toBackupPolicy(input.backup_policy) });
    case "disable_backups":
      if (!droplet.backupPolicy)
        throw unprocessable("Backups are already disabled on this Droplet.");
      return note({ backupPolicy: undefined });
    case "enable_ipv6":
      if (droplet.ipv6) throw unprocessable("This Droplet already has IPv6 enabled.");
      return note({ ipv6: ipv6Of(droplet.id) });
    case "enable_private_networking":
      throw unprocessable("This Droplet already has private networking enabled.");
    // A local machine has no password to reset, and no kernel of its own to change.
    case "password_reset":
      return note({});
    default:
      throw unprocessable(`${input.type} is not a valid Droplet action type.`);
  }
}

function resize(droplet: DropletRecord, input: Input): Plan {
  const size = findSize(input.size ?? "");
  if (!size) throw unprocessable("You specified an invalid size for the Droplet.");
  if (size.slug === droplet.size && !(input.disk && size.diskGib > droplet.diskGib))
    throw unprocessable("The Droplet is already this size.");
  if (droplet.status !== "off")
    throw unprocessable("Droplet is currently on. Please power it off to run this event.");
  if (size.diskGib < droplet.diskGib)
    throw unprocessable("This size is not available because it has a smaller disk.");
  return { kind: "droplet.resize", params: { size: size.slug, disk: input.disk === true } };
}

/** Checks the rules and begins an action on a Droplet; call inside a transaction. */
export function beginDropletAction(
  context: Context,
  droplet: DropletRecord,
  input: Input,
): ActionRecord {
  const { store } = context;
  if (isPending(store, droplet)) throw pendingEvent();
  const { kind, params, now } = plan(context, droplet, input);
  if (now) store.droplets.put(droplet.id, { ...droplet, ...now });
  return beginAction(
    context,
    kind,
    { ...params, dropletId: droplet.id },
    {
      type: input.type,
      resourceId: droplet.id,
      resourceType: "droplet",
      region: droplet.region,
      dropletId: droplet.id,
    },
  );
}
