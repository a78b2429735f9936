import { z } from "zod";
import type { Context } from "../protocol/resource";
import type { Properties } from "../protocol/values";
import { persist } from "../swarm/failures";
import { swarmOf } from "../swarm/process";
import * as shape from "./inputs";

const argsSchema = z.strictObject({
  clusterId: shape.nonEmptyText,
  clusterKey: shape.nonEmptyText,
  tag: shape.nonEmptyText,
  bastion: shape.jumpHost.optional(),
  candidates: z.array(shape.connection),
});

const WAIT_SECONDS = 60;

/** See `livingManager` in `sdk`. */
export async function getLivingManager(args: Properties, context: Context): Promise<Properties> {
  const { candidates, ...identity } = argsSchema.parse(args);
  const { nodes } = swarmOf(identity);
  nodes.remember(candidates);
  const connection = await persist("a living manager", WAIT_SECONDS, context, async () => {
    // The first that lives, in the order given: the docker provider is left alone as long as that one is well.
    for (const candidate of candidates) {
      if (await nodes.isManager(candidate)) return { done: candidate };
    }
    return { done: (await nodes.find(context)).connection };
  });
  return { connection };
}
