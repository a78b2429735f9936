import { z } from "zod";
import { count, flag, integer, mapping } from "../fields";
import { sizeSlug } from "./patterns";

export const DEFAULT_SIZE = "s-2vcpu-4gb";

/** Managers agree by majority: an even number is no safer than one less. */
const MANAGER_COUNTS = [1, 3, 5, 7] as const;
const MOST_WORKERS = 1000;

/** What is said of one node by its name. */
export const node = mapping(
  {
    size: sizeSlug(
      `Droplet size. Default: its pool's, in \`single-node\` ${DEFAULT_SIZE}. The node that holds the Volume resizes in place, powered off for about a minute; any other is replaced, the new one first.`,
    ).optional(),
    retired: flag(
      "Take this node out for good: its pool is filled up with the next number. Its name is free again once it is gone.",
    ).default(false),
  },
  "A Droplet.",
);

const poolSize = sizeSlug("Size of its Droplets. A change replaces them, new ones first.").default(
  DEFAULT_SIZE,
);

/** The number by itself is enough: `managers: 3`. */
export const managers = z
  .preprocess(
    countOnly,
    mapping(
      {
        count: count(MANAGER_COUNTS, "How many; more than half of them must be well."),
        size: poolSize,
      },
      "Managers of `swarm` and `ha`, manager-1, manager-2 and so on. They run the app, too. Default: 3.",
    ),
  )
  .meta({ type: ["integer", "object"] });

/** The number by itself is enough: `workers: 2`. */
export const workers = z
  .preprocess(
    countOnly,
    mapping(
      { count: integer(0, MOST_WORKERS, "How many."), size: poolSize },
      "Workers of `swarm` and `ha`, worker-1, worker-2 and so on. Default: 2.",
    ),
  )
  .meta({ type: ["integer", "object"] });

function countOnly(value: unknown): unknown {
  return typeof value === "object" && value !== null ? value : { count: value };
}
