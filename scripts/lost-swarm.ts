/**
 * Forgets what went with a Droplet that somebody removed, or with a swarm whose last Droplet was: the state says of each
 * resource in it `deletedWith` the `Droplet`, or the `swarm:Cluster`.
 *
 * Without this, `pulumi refresh` asks a dead Droplet's engine for each of them and ends with errors, with
 * Docker's own plugin too: it reads all resources at once, so that none knows yet that the Droplets are gone.
 */
import { z } from "zod";
import { lookUp } from "./look-up";
import {
  type Api,
  exportState,
  importState,
  type Resource,
  type RunPulumi,
  withResources,
  without,
} from "./stack-state";

const CLUSTER = "swarm:index:Cluster";
const DROPLET = "digitalocean:index/droplet:Droplet";

/**
 * @returns lines that say what was forgotten; none when each swarm has Droplets.
 * @throws {Error} when the API cannot say, or the stack's state cannot be read or written.
 */
export async function forgetLost(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const state = await exportState(pulumi);
  const resources = state.deployment?.resources ?? [];
  const lines: string[] = [];
  const forgotten = new Set<string>();
  for (const owner of resources) {
    const inside = resources.filter(({ deletedWith }) => deletedWith === owner.urn);
    const loss = inside.length === 0 ? undefined : await lossOf(owner, api);
    if (loss === undefined) continue;
    for (const { urn } of inside) forgotten.add(urn);
    lines.push(
      `${nameOf(owner.urn)}: ${loss}; forgot what went with it (${inside.length} in state)`,
    );
  }
  if (forgotten.size === 0) return [];
  await importState(pulumi, withResources(state, without(forgotten, resources)));
  return lines;
}

/** What happened to a Droplet or a swarm, when it is gone for sure; undefined otherwise, and for everything else. */
async function lossOf({ type, id, inputs }: Resource, api: Api): Promise<string | undefined> {
  if (type === DROPLET && id !== undefined)
    return (await lookUp(api, `droplets/${id}`)) === undefined
      ? `Droplet ${id} does not exist any more`
      : undefined;
  const tag = inputs?.["tag"];
  if (type !== CLUSTER || typeof tag !== "string") return undefined;
  const query = new URLSearchParams({ tag_name: tag, per_page: "1" });
  const answer = await lookUp(api, `droplets?${query.toString()}`);
  const { droplets } = z.object({ droplets: z.array(z.unknown()) }).parse(answer);
  return droplets.length > 0 ? undefined : `no Droplet tagged ${tag} exists any more`;
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn;
