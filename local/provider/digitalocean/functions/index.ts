import { getAccount, getSshKey, getSshKeys } from "./account";
import { getImage, getImages, getRegions, getSizes } from "./catalogue";
import { getCertificate } from "./certificate";
import { getContainerRegistry } from "./container-registry";
import { getDatabaseCa, getDatabaseCluster, getDatabaseUser } from "./database";
import { getDomain } from "./domain";
import { getDroplet, getDroplets } from "./droplets";
import { getLoadBalancer } from "./load-balancer";
import type { Invoke } from "./lookup";
import { getProject } from "./project";
import { getReservedIp } from "./reserved-ip";
import { getVolume } from "./volume";

const named: Readonly<Record<string, Invoke>> = {
  getAccount,
  getCertificate,
  getContainerRegistry,
  getDatabaseCa,
  getDatabaseCluster,
  getDatabaseUser,
  getDomain,
  getDroplet,
  getDroplets,
  getImage,
  getImages,
  getLoadBalancer,
  getProject,
  getRegions,
  getReservedIp,
  getSizes,
  getSshKey,
  getSshKeys,
  getVolume,
};

/** Every function of the stand-in, by token. */
export const functions: Readonly<Record<string, Invoke>> = Object.fromEntries(
  Object.entries(named).map(([name, invoke]) => [`digitalocean:index/${name}:${name}`, invoke]),
);
