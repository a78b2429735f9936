/**
 * Forgets what went with a swarm whose last Droplet somebody removed: the state says of each resource in it
 * `deletedWith` the `swarm:Cluster`.
 *
 * Without this, `pulumi refresh` asks a dead Droplet's engine for each of them and ends with errors, with
 * Docker's own plugin too: it reads all resources at once, so that none knows yet that the Droplets are gone.
 */
import { z } from "zod";
import { exportState, importState, type Api, type Resource, type RunPulumi } from "./stack-state";

const CLUSTER = "swarm:index:Cluster";

/**
 * @returns lines that say what was forgotten; none when each swarm has Droplets.
 * @throws {Error} when the API cannot say, or the stack's state cannot be read or written.
 */
export async function forgetLost(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const state = await exportState(pulumi);
  const resources = state.deployment?.resources ?? [];
  const clusters = resources.filter(({ type, id }) => type === CLUSTER && id !== undefined);
  const lines: string[] = [];
  const forgotten = new Set<string>();
  for (const { urn, inputs } of clusters) {
    const tag = inputs?.["tag"];
    const inside = resources.filter(({ deletedWith }) => deletedWith === urn);
    if (typeof tag !== "string" || inside.length === 0 || (await hasDroplets(api, tag))) continue;
    for (const resource of inside) forgotten.add(resource.urn);
    lines.push(
      `${nameOf(urn)}: no Droplet tagged ${tag} exists any more; forgot what went with them (${inside.length} in state)`,
    );
  }
  if (forgotten.size === 0) return [];
  await importState(pulumi, {
    ...state,
    deployment: {
      ...state.deployment,
      resources: resources
        .filter(({ urn }) => !forgotten.has(urn))
        .map((resource) => withoutDependenciesOn(forgotten, resource)),
    },
  });
  return lines;
}

async function hasDroplets({ url, token }: Api, tag: string): Promise<boolean> {
  const query = new URLSearchParams({ tag_name: tag, per_page: "1" });
  const response = await fetch(`${url}/v2/droplets?${query.toString()}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status} to GET droplets tagged ${tag}`);
  }
  const { droplets } = z.object({ droplets: z.array(z.unknown()) }).parse(await response.json());
  return droplets.length > 0;
}

/** What the engine does with dependencies on a resource that a refresh found gone. */
function withoutDependenciesOn(forgotten: ReadonlySet<string>, resource: Resource): Resource {
  const remaining = (urns: readonly string[]) => urns.filter((urn) => !forgotten.has(urn));
  const { dependencies, propertyDependencies } = resource;
  return {
    ...resource,
    ...(dependencies && { dependencies: remaining(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([name, urns]) => [name, remaining(urns ?? [])]),
      ),
    }),
  };
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn;
