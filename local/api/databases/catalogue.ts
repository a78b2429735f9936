import { regions } from "../catalogue/regions";
import { unprocessable } from "../errors";

/** Engines that the local DigitalOcean has. */
export const engines = ["pg", "valkey"] as const;
export type Engine = (typeof engines)[number];

interface EngineFacts {
  readonly versions: readonly string[];
  readonly defaultVersion: string;
  /** Port of the server; of pools it is the next. */
  readonly port: number;
  /** The user and the database that each cluster has; they cannot be deleted. */
  readonly administrator: string;
  readonly defaultDatabase: string;
  readonly sizes: readonly string[];
}

const shared = ["1vcpu-1gb", "1vcpu-2gb", "2vcpu-4gb", "4vcpu-8gb", "6vcpu-16gb"].map(
  (plan) => `db-s-${plan}`,
);
const large = ["db-s-8vcpu-32gb", "db-s-16vcpu-64gb"];
const general = ["2vcpu-8gb", "4vcpu-16gb", "8vcpu-32gb", "16vcpu-64gb", "32vcpu-128gb"];
const memory = ["2vcpu-16gb", "4vcpu-32gb", "8vcpu-64gb", "16vcpu-128gb"];
const premium = [
  "1vcpu-1gb",
  "1vcpu-2gb",
  "2vcpu-4gb",
  "2vcpu-8gb",
  "4vcpu-8gb",
  "4vcpu-16gb",
  "8vcpu-32gb",
  "16vcpu-64gb",
];

/** `GET /v2/databases/options` of DigitalOcean's API description. */
export const facts: Readonly<Record<Engine, EngineFacts>> = {
  pg: {
    versions: ["13", "14", "15", "16", "17"],
    defaultVersion: "17",
    port: 25060,
    administrator: "doadmin",
    defaultDatabase: "defaultdb",
    sizes: [
      ...shared,
      ...general.map((plan) => `gd-${plan}`),
      ...memory.map((plan) => `so1_5-${plan}`),
      ...premium.flatMap((plan) => [`db-intel-${plan}`, `db-amd-${plan}`]),
    ],
  },
  valkey: {
    versions: ["8"],
    defaultVersion: "8",
    port: 25061,
    administrator: "default",
    defaultDatabase: "",
    sizes: [...shared, ...large, ...memory.map((plan) => `m-${plan}`)],
  },
};

/** GiB of storage that come with GiB of memory; https://www.digitalocean.com/pricing/managed-databases */
const baseStorageGib: Readonly<Record<number, number>> = {
  1: 10,
  2: 30,
  4: 60,
  8: 140,
  16: 290,
  32: 600,
  64: 1120,
  128: 2240,
};

export interface Plan {
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly storageMib: number;
}

/** What a size's name says of it: `db-s-2vcpu-4gb`. */
export function planOf(size: string): Plan {
  const [, vcpus = "0", gib = "0"] = /-(\d+)vcpu-(\d+)gb$/.exec(size) ?? [];
  const memoryGib = Number(gib);
  return {
    vcpus: Number(vcpus),
    memoryGib,
    storageMib: (baseStorageGib[memoryGib] ?? 0) * 1024,
  };
}

/** Standbys want 2 GB at least; https://docs.digitalocean.com/products/databases/postgresql/how-to/add-standby-nodes/ */
const standbyMemoryGib = 2;
const mostNodes = 3;

/** @throws {ApiError} 422 when there is no cluster of that size with as many nodes. */
export function checkLayout(engine: Engine, size: string, nodes: number): void {
  const { sizes } = facts[engine];
  if (!sizes.includes(size))
    throw unprocessable(`invalid size: ${size}; for ${engine} there are ${sizes.join(", ")}`);
  if (nodes < 1 || nodes > mostNodes)
    throw unprocessable(`invalid num_nodes: there are 1 to ${mostNodes}`);
  if (nodes > 1 && planOf(size).memoryGib < standbyMemoryGib)
    throw unprocessable(`invalid num_nodes: standby nodes are not available for ${size}`);
}

const layouts = (engine: Engine) =>
  [1, 2, 3].map((nodes) => ({
    num_nodes: nodes,
    sizes: facts[engine].sizes.filter(
      (size) => nodes === 1 || planOf(size).memoryGib >= standbyMemoryGib,
    ),
  }));

/** What can be made; a version that has no body here is left out. */
export function optionsView(offered: (engine: Engine, version: string) => boolean) {
  const available = regions.filter((region) => region.available).map(({ slug }) => slug);
  const versionsOf = (engine: Engine) =>
    facts[engine].versions.filter((version) => offered(engine, version));
  const byEngine = <T>(view: (engine: Engine) => T) =>
    Object.fromEntries(engines.map((engine) => [engine, view(engine)]));
  return {
    options: byEngine((engine) => ({
      regions: available,
      versions: versionsOf(engine),
      layouts: layouts(engine),
    })),
    version_availability: byEngine((engine) =>
      versionsOf(engine).map((version) => ({
        version,
        end_of_life: null,
        end_of_availability: null,
      })),
    ),
  };
}
