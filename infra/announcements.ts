import type { Account } from "./account";
import { existingDroplet } from "./account-faults";
import type { Config } from "./config";
import { volumeName } from "./names";

/** Says before anything happens what a change interrupts or makes final; one line each. */
export function announcements(config: Config, account: Account): string[] {
  const lines: string[] = [];
  for (const [node, { size }] of Object.entries(config.nodes)) {
    const droplet = existingDroplet(node, config, account);
    if (droplet !== undefined && droplet.size !== size) {
      lines.push(
        `${node} is powered off for about a minute: ${droplet.size} → ${size} (its disk stays, so it can go back)`,
      );
    }
  }
  const present = account.volume?.sizeGib;
  const next = config.database.volumeGib;
  if (present !== undefined && next > present) {
    lines.push(
      `Volume ${volumeName(config.stack)} grows while in use, for good: ${present} GiB → ${next} GiB`,
    );
  }
  return lines;
}
