import type { Account, ExistingDroplet } from "./account";
import type { Config } from "./config";
import { firstNode, machinesOf, usesVolume } from "./fleet";
import { dropletName } from "./names";
import { nameOfSecond, secondSiteOf } from "./second-site";

/** What an `up` does with the Droplets of a stack, those of a second site included. */
export interface FleetPlan {
  /** Nodes that get a Droplet where they have none. */
  readonly created: readonly string[];
  /** Nodes that get another Droplet, the new one first. */
  readonly replaced: readonly { readonly node: string; readonly why: string }[];
  /** Nodes that are powered off, changed and powered on. */
  readonly resized: readonly { readonly node: string; readonly why: string }[];
  /** Names of Droplets that go because no node is called so any more. */
  readonly removed: readonly string[];
  readonly now: number;
  /** Everything new comes before anything old goes. */
  readonly peak: number;
  readonly after: number;
}

/** The Droplet of a node, if it exists. */
export function existingDroplet(
  node: string,
  { stack }: Pick<Config, "stack">,
  { droplets }: Pick<Account, "droplets">,
): ExistingDroplet | undefined {
  return droplets.find(({ name }) => name === dropletName(stack, node));
}

/** The node whose Droplet must stay, because a Volume in use can be attached to one Droplet only. */
export function pinnedNode(config: Config): string | undefined {
  return usesVolume(config) ? firstNode(config) : undefined;
}

export function fleetPlan(config: Config, account: Account): FleetPlan {
  const first = sitePlan(config, account);
  const site = secondSiteOf(config, account);
  const second = site && sitePlan(site.config, site.account);
  const plan = second ? together(first, second) : first;
  const peak = plan.now + plan.created.length + replacedAtOnce(plan.replaced.length, config);
  return { ...plan, peak };
}

type SitePlan = Omit<FleetPlan, "peak">;

function together(first: SitePlan, second: SitePlan): SitePlan {
  const named = (nodes: SitePlan["replaced"]) =>
    nodes.map(({ node, why }) => ({ node: nameOfSecond(node), why }));
  return {
    created: [...first.created, ...second.created.map(nameOfSecond)],
    replaced: [...first.replaced, ...named(second.replaced)],
    resized: [...first.resized, ...named(second.resized)],
    removed: [...first.removed, ...second.removed],
    now: first.now + second.now,
    after: first.after + second.after,
  };
}

function sitePlan(config: Config, { droplets }: Pick<Account, "droplets">): SitePlan {
  const created: string[] = [];
  const replaced: { node: string; why: string }[] = [];
  const resized: { node: string; why: string }[] = [];
  for (const [node, { size }] of Object.entries(machinesOf(config))) {
    if (isHeld(node, config)) continue;
    const droplet = existingDroplet(node, config, { droplets });
    const resize = `${droplet?.size} → ${size}`;
    if (droplet === undefined) created.push(node);
    else if (node === pinnedNode(config)) {
      if (droplet.size !== size) resized.push({ node, why: resize });
    } else if (droplet.size !== size) replaced.push({ node, why: resize });
    else if (isOtherImage(droplet, config)) {
      replaced.push({ node, why: `${droplet.image} → ${config.image}` });
    }
  }
  const wanted = Object.keys(machinesOf(config)).map((node) => dropletName(config.stack, node));
  const removed = droplets.map(({ name }) => name).filter((name) => !wanted.includes(name));
  return { created, replaced, resized, removed, now: droplets.length, after: wanted.length };
}

/** Whether its Droplet stays as it is while other nodes are replaced. */
export function isHeld(node: string, { roll }: Pick<Config, "roll">): boolean {
  return roll?.held.includes(node) ?? false;
}

/** A roll replaces one node at a time. Other user data cannot be told from a Droplet. */
function replacedAtOnce(replaced: number, { roll }: Config): number {
  return roll === undefined ? replaced : Math.min(1, replaced + Number(roll.userData));
}

/** An image that DigitalOcean has withdrawn is known by its number only. */
export function isOtherImage({ image }: ExistingDroplet, config: Pick<Config, "image">): boolean {
  return image !== config.image && !/^\d+$/.test(image);
}

/** @returns e.g. `Droplets: 5 now → 6 after, 9 at most in between (the account may have 25)`. */
export function describePlan({ now, peak, after }: FleetPlan, { fleet }: Account): string {
  const limit = fleet.droplets && `; the account may have ${fleet.droplets.limit}`;
  const most = peak > Math.max(now, after) ? `, ${peak} at most in between` : "";
  return `Droplets: ${now} now → ${after} after${most}${limit ?? ""}`;
}
