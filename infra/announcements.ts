import type { Account } from "./account";
import { existingDroplet } from "./account-faults";
import type { Config } from "./config";
import { dropletName, volumeName } from "./names";

/** Says before anything happens what a change interrupts or makes final; one line each. */
export function announcements(config: Config, account: Account): string[] {
  const lines: string[] = [];
  for (const [node, { size }] of Object.entries(config.nodes)) {
    const droplet = existingDroplet(node, config, account);
    if (droplet === undefined || droplet.size === size) continue;
    lines.push(
      config.topology === "single-node"
        ? `${node} is powered off for about a minute: ${droplet.size} → ${size} (its disk stays, so it can go back)`
        : `${node} is replaced by a new Droplet, which joins before the old one leaves: ${droplet.size} → ${size}`,
    );
  }
  lines.push(...swarmAnnouncements(config, account));
  const present = account.volume?.sizeGib;
  const next = config.database.volumeGib;
  if (present !== undefined && next > present) {
    lines.push(
      `Volume ${volumeName(config.stack)} grows while in use, for good: ${present} GiB → ${next} GiB`,
    );
  }
  return lines;
}

function swarmAnnouncements({ topology, nodes, stack }: Config, account: Account): string[] {
  if (topology === "single-node") return [];
  const wanted = Object.values(nodes);
  const managers = wanted.filter(({ role }) => role === "manager").length;
  const kept = account.droplets.filter(({ name, size }) =>
    Object.entries(nodes).some(
      ([node, wish]) => dropletName(stack, node) === name && wish.size === size,
    ),
  ).length;
  // New nodes come before old ones go.
  const peak = account.droplets.length + wanted.length - kept;
  return [
    ...(managers === 1
      ? [
          "one manager keeps no quorum: while manager-1 is away the app goes on, and nothing can be changed",
        ]
      : []),
    ...(account.droplets.length > 0 && peak > wanted.length
      ? [`at its peak this change has ${peak} Droplets, of ${wanted.length} afterwards`]
      : []),
  ];
}
