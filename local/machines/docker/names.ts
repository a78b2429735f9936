import { createHash } from "node:crypto";

/** Label that marks every Docker object of one instance; `reset` removes by it. */
export const INSTANCE_LABEL = "archipelago.instance";
/** Label that says what an object is for: one of `Role`. */
export const ROLE_LABEL = "archipelago.role";
/** Label of a VPC's network: the directory of the local DigitalOcean that made it. */
export const DIRECTORY_LABEL = "archipelago.directory";
/** Label with the API's id of what the object stands for. */
export const ID_LABEL = "archipelago.id";

export type Role =
  | "droplet"
  | "vpc"
  | "volumes"
  | "helper"
  | "mirror"
  | "names"
  | "load-balancer"
  | "database"
  | "registry"
  | "spaces";

/** Docker object name, `archipelago-<instance>-<part>-…`. */
export function objectName(instance: string, ...parts: readonly (string | number)[]): string {
  return ["archipelago", instance, ...parts].join("-");
}

/** Labels of an object; `id` only where it stands for something in the API. */
export function objectLabels(
  instance: string,
  role: Role,
  id?: string | number,
): Record<string, string> {
  return {
    [INSTANCE_LABEL]: instance,
    [ROLE_LABEL]: role,
    ...(id === undefined ? {} : { [ID_LABEL]: String(id) }),
  };
}

export function dropletName(instance: string, dropletId: number): string {
  return objectName(instance, "droplet", dropletId);
}

export function vpcName(instance: string, vpcId: string): string {
  return objectName(instance, "vpc", vpcId);
}

/** Common start of the names of an instance's bridges, so that rules hold before a bridge exists. */
export function bridgePrefix(instance: string): string {
  return `ar${instance}-`;
}

/** Interface name of a VPC's bridge: 15 characters, all that the kernel allows. */
export function bridgeName(instance: string, vpcId: string): string {
  const digest = createHash("sha256").update(vpcId).digest("hex");
  return `${bridgePrefix(instance)}${digest.slice(0, 6)}`;
}

/** nftables table of an instance. */
export function tableName(instance: string): string {
  return `archipelago_${instance}`;
}

/** @throws {Error} when `instance` is not the six hex characters that all names are made of. */
export function checkInstance(instance: string): void {
  if (!/^[0-9a-f]{6}$/.test(instance)) {
    throw new Error(`instance must be 6 hex characters, got "${instance}"`);
  }
}
