import type { Account, Size } from "./account";
import type { Config } from "./config";
import { type Fault, show, suggest } from "./faults";
import { fleetFaults, limitFaults, privacyFaults } from "./rules/fleet-account";
import { secondSiteOf } from "./second-site";

/** Faults that only DigitalOcean's catalogue or what already exists can show. */
export function accountFaults(config: Config, account: Account): Fault[] {
  const second = secondSiteOf(config, account);
  return [
    ...placeFaults(config, account),
    ...(second ? placeFaults(second.config, second.account).map(inSecondSite) : []),
    ...imageFaults(config, account),
    ...sshKeyFaults(config, account),
    ...reservedIpFaults(config, account),
    ...zoneFaults(config, account),
    ...volumeFaults(config, account),
    ...limitFaults(config, account),
    ...privacyFaults(config, account),
    ...fleetFaults(config, account),
    ...(second ? fleetFaults(second.config, second.account).map(inSecondSite) : []),
  ];
}

function placeFaults(config: Config, account: Account): Fault[] {
  const region = account.regions.find(({ slug }) => slug === config.region);
  return [
    ...regionFaults(config, account),
    ...wantedSizes(config).flatMap(([path, size]) => sizeFaults(path, size, region?.slug, account)),
  ];
}

/** Its keys are those of a stack, one level down. */
function inSecondSite(fault: Fault): Fault {
  return { ...fault, path: fault.path.replace("archipelago:", "archipelago:secondSite.") };
}

/** Each size once, at the first node that has it. */
function wantedSizes(config: Config): (readonly [path: string, size: string])[] {
  const { nodes, topology, privateNodes } = config;
  const first = new Map<string, string>();
  for (const [name, { size, role }] of Object.entries(nodes)) {
    const pool = topology === "single-node" ? `nodes.${name}` : `${role}s`;
    if (!first.has(size)) first.set(size, `archipelago:${pool}.size`);
  }
  const { enabled, bastionSize } = privateNodes;
  if (enabled && !first.has(bastionSize))
    first.set(bastionSize, "archipelago:privateNodes.bastionSize");
  return [...first].map(([size, path]) => [path, size]);
}

function regionFaults({ region }: Config, { regions }: Account): Fault[] {
  const open = regions.filter(({ available }) => available).map(({ slug }) => slug);
  if (open.includes(region)) return [];
  const exists = regions.some(({ slug }) => slug === region);
  return [
    {
      path: "archipelago:region",
      rule: exists ? "must be a region that takes new Droplets" : "must be a DigitalOcean region",
      got: show(region),
      remedy: `there are ${[...open].sort().join(", ")}`,
    },
  ];
}

function sizeFaults(
  path: string,
  slug: string,
  region: string | undefined,
  { sizes }: Account,
): Fault[] {
  const offered = (size: Size) => region === undefined || size.regions.includes(region);
  const size = sizes.find((candidate) => candidate.slug === slug);
  if (size?.available && offered(size)) return [];
  const candidates = sizes.filter((candidate) => candidate.available && offered(candidate));
  const near = suggest(
    slug,
    candidates.map((candidate) => candidate.slug),
  );
  const rule =
    size === undefined
      ? "must be a Droplet size"
      : `must be a Droplet size that is available${region === undefined ? "" : ` in ${region}`}`;
  return [{ path, rule, got: show(slug), remedy: near ?? alternatives(size, candidates) }];
}

/** Sizes with the same CPUs, else the cheapest. */
function alternatives(size: Size | undefined, candidates: readonly Size[]): string {
  const alike = candidates.filter(({ vcpus }) => vcpus === size?.vcpus);
  const byPrice = [...(alike.length > 0 ? alike : candidates)].sort(
    (a, b) => a.priceMonthly - b.priceMonthly,
  );
  return `for example ${byPrice
    .slice(0, 3)
    .map(({ slug }) => slug)
    .join(", ")}`;
}

function imageFaults({ image }: Config, account: Account): Fault[] {
  const at = { path: "archipelago:image", got: show(image) };
  if (account.image === undefined) {
    const remedy = suggest(image, account.imageSlugs) ?? "for example debian-12-x64";
    return [{ ...at, rule: "must be an image that DigitalOcean has", remedy }];
  }
  if (/^(debian|ubuntu)$/i.test(account.image.distribution)) return [];
  return [{ ...at, rule: "must be a Debian or Ubuntu image", remedy: "for example debian-12-x64" }];
}

function sshKeyFaults({ sshKeys }: Config, account: Account): Fault[] {
  const names = account.sshKeys.map(({ name }) => name);
  return sshKeys.flatMap((key) => {
    if ("publicKey" in key) return [];
    const known = account.sshKeys.some(
      ({ name, fingerprint }) => name === key.account || fingerprint === key.account,
    );
    if (known) return [];
    return [
      {
        path: key.path,
        rule: "must be a public key, a path to one, or the name or fingerprint of a key in the account",
        got: show(key.account),
        remedy: suggest(key.account, names) ?? `the account has ${names.join(", ") || "none"}`,
      },
    ];
  });
}

function reservedIpFaults(config: Config, account: Account): Fault[] {
  const address = config.floatingIp.existing;
  if (address === undefined) return [];
  const at = { path: "archipelago:floatingIp.existing", got: address };
  if (account.reservedIp === undefined) {
    return [{ ...at, rule: "must be a Reserved IP of the account" }];
  }
  const { region, dropletId } = account.reservedIp;
  if (region !== config.region) {
    return [{ ...at, rule: `must be in ${config.region}`, remedy: `it is in ${region}` }];
  }
  if (dropletId === 0 || account.droplets.some(({ id }) => id === dropletId)) return [];
  return [
    {
      ...at,
      rule: "must not be in use by another stack's Droplet",
      remedy: `it leads to Droplet ${dropletId}; unassign it there first`,
    },
  ];
}

function zoneFaults({ domain }: Config, { zone }: Account): Fault[] {
  if (domain?.dns !== "existing" || zone) return [];
  return [
    {
      path: "archipelago:domain",
      rule: "must be in a zone of the account when domain.dns is existing",
      got: show(domain.zone ?? domain.name),
      remedy: "set domain.zone, or domain.dns to create or none",
    },
  ];
}

function volumeFaults({ database }: Config, { volume }: Account): Fault[] {
  if (volume === undefined || database.volumeGib >= volume.sizeGib) return [];
  return [
    {
      path: "archipelago:database.volumeGib",
      rule: `must be at least ${volume.sizeGib}, the Volume's present size: a Volume never shrinks`,
      got: String(database.volumeGib),
    },
  ];
}
