import type { Account, ExistingDroplet, Size } from "./account";
import { contains } from "./cidr";
import type { Config } from "./config";
import { type Fault, show, suggest } from "./faults";
import { nodeWithVolume } from "./fleet";
import { dropletName } from "./names";

/** Faults that only DigitalOcean's catalogue or what already exists can show. */
export function accountFaults(config: Config, account: Account): Fault[] {
  const region = account.regions.find(({ slug }) => slug === config.region);
  return [
    ...regionFaults(config, account),
    ...Object.entries(config.nodes).flatMap(([name, { size }]) =>
      sizeFaults(`archipelago:nodes.${name}.size`, size, region?.slug, account),
    ),
    ...imageFaults(config, account),
    ...sshKeyFaults(config, account),
    ...reservedIpFaults(config, account),
    ...zoneFaults(config, account),
    ...volumeFaults(config, account),
    ...Object.keys(config.nodes).flatMap((name) => replacementFaults(name, config, account)),
  ];
}

/** The Droplet of a node, if it exists. */
export function existingDroplet(
  node: string,
  { stack }: Pick<Config, "stack">,
  { droplets }: Account,
): ExistingDroplet | undefined {
  return droplets.find(({ name }) => name === dropletName(stack, node));
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

/** Refuses what would replace the Droplet with the Volume, which can be attached to one Droplet only. */
function replacementFaults(node: string, config: Config, account: Account): Fault[] {
  const droplet = existingDroplet(node, config, account);
  if (droplet === undefined) return [];
  const faults: Fault[] = [];
  const elsewhere = `a stack stays where it is; bring up another stack there and move to it`;
  if (droplet.region !== config.region) {
    faults.push({
      path: "archipelago:region",
      rule: `must stay ${droplet.region} while ${node} exists`,
      got: show(config.region),
      remedy: elsewhere,
    });
  }
  if (!contains(config.vpcCidr, droplet.ipv4AddressPrivate)) {
    faults.push({
      path: "archipelago:vpcCidr",
      rule: `must stay the range that holds ${node}'s address ${droplet.ipv4AddressPrivate}`,
      got: config.vpcCidr,
      remedy: elsewhere,
    });
  }
  // Other nodes are replaced: they hold nothing that another one could not.
  if (node !== nodeWithVolume(config)) return faults;
  // An image that DigitalOcean has withdrawn is known by its number only.
  if (droplet.image !== config.image && !/^\d+$/.test(droplet.image)) {
    faults.push({
      path: "archipelago:image",
      rule: `must stay ${droplet.image} while ${node} runs on it, because a new image means a new Droplet`,
      got: show(config.image),
      remedy: guidedReplacement(node, config),
    });
  }
  const wanted = config.nodes[node]?.size;
  if (config.topology === "swarm" && wanted !== droplet.size) {
    faults.push({
      path: "archipelago:managers.size",
      rule: `must stay ${droplet.size}: ${node} holds the Volume, and its replacement is not built yet`,
      got: show(wanted),
    });
  }
  const target = account.sizes.find(({ slug }) => slug === config.nodes[node]?.size);
  if (target !== undefined && target.disk < droplet.disk) {
    faults.push({
      path: `archipelago:nodes.${node}.size`,
      rule: `must be a size with a disk of at least ${droplet.disk} GB, the disk ${node} has`,
      got: `${show(target.slug)} (${target.disk} GB)`,
    });
  }
  return faults;
}

/** The way to a new Droplet for a node, with the app away meanwhile and data and address kept. */
function guidedReplacement(node: string, { stack }: Config): string {
  const urn = `urn:pulumi:${stack}::archipelago::archipelago:node:Node$digitalocean:index/droplet:Droplet::${node}`;
  return [
    "to replace it, with the app away for some minutes and its data and address kept:",
    `      pulumi state unprotect '${urn}' --stack ${stack}   (in the cloud)`,
    `      pulumi destroy --target '${urn}' --target-dependents --stack ${stack}`,
    `      pulumi up --stack ${stack}`,
  ].join("\n");
}
